"""``python -m saml_idp.demo``: set up the demonstration, start it, print the tour."""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from saml_idp.demo.site import DemoSite, PortTaken
from saml_idp.logs import configure_logs

_STARTS_WITHIN_SECONDS: Final = 60
_LOOKS_EVERY_SECONDS: Final = 0.3


def main() -> int:
    """Set up (safe to repeat), start IdP and service, stop both on Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("var/demo"))
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--service-port", type=int, default=8081)
    args = parser.parse_args()
    configure_logs("error")
    site = DemoSite(args.folder.resolve(), port=args.port, service_port=args.service_port)
    try:
        site.check_ports()
    except PortTaken as taken:
        sys.stderr.write(f"{taken}\n")
        return 2
    site.set_up(_say)
    return _run(site)


def _run(site: DemoSite) -> int:
    # A list, not an Event: a handler that sets an Event can meet its own thread inside wait().
    stops: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: stops.append(number))
    log = (site.folder / "server.log").open("ab")
    processes = [
        subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        for command in site.commands()
    ]
    try:
        if not _is_ready(site.port, processes, stops):
            sys.stderr.write(f"the server did not start; its log: {site.folder}/server.log\n")
            return 1
        site.print_tour(_say)
        while not stops:
            time.sleep(_LOOKS_EVERY_SECONDS)
            if any(process.poll() is not None for process in processes):
                sys.stderr.write(f"a process ended by itself; the log: {site.folder}/server.log\n")
                return 1
    finally:
        for process in processes:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGTERM)
        for process in processes:
            process.wait(timeout=40)
    return 0


def _is_ready(
    port: int, processes: Sequence[subprocess.Popen[bytes]], stops: Sequence[int]
) -> bool:
    until = time.monotonic() + _STARTS_WITHIN_SECONDS
    while time.monotonic() < until and not stops:
        if any(process.poll() is not None for process in processes):
            return False
        try:
            connection = HTTPConnection("localhost", port, timeout=2)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return True
        except OSError:
            time.sleep(0.1)
    return False


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
