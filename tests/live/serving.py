"""A real IdP for tests: its own folder, keys and database, and granian processes on loopback.

Everything is set up by the product's own command line, as an operator would.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

STARTS_WITHIN_SECONDS = 30
STOPS_WITHIN_SECONDS = 35


def free_port() -> int:
    """Return a TCP port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def within(seconds: float, condition: Callable[[], bool]) -> None:
    """Wait until *condition* holds; a failure when it does not after *seconds*.

    The last look begins in time; how long it takes is the machine's affair.
    """
    until = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if condition():
            return
        if began > until:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.02)


@dataclass
class RunningIdp:
    """One IdP installation in *folder*; ``start`` and ``stop`` its server processes."""

    folder: Path
    port: int = field(default_factory=free_port)
    database_url: str = ""
    workers: int = 1
    settings_extra: str = ""  # goes on in [server]
    assertion_key: str = "p-256"  # quick to make; the bench uses RSA
    host: str = "localhost"
    own_port: int = 0  # where this node listens, if it is not the port of the base URL
    process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """Return the URL that browsers use."""
        return f"http://{self.host}:{self.port}"

    @property
    def settings_file(self) -> Path:
        """Return the path of ``saml_idp.toml``."""
        return self.folder / "saml_idp.toml"

    def another_node(self) -> "RunningIdp":
        """Return a second node of this installation: the same base URL, a port of its own."""
        return replace(self, own_port=free_port(), process=None)

    def set_up(self) -> "RunningIdp":
        """Write the settings, make keys (those that are missing) and database."""
        self.write_settings()
        self.cli("keys", "new", "--algorithm", self.assertion_key)
        self.cli("db", "upgrade")
        return self

    def write_settings(self) -> None:
        """Write the settings and make the folders."""
        for name in ("metadata", "policies", "keys", "state"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        database = self.database_url or f"sqlite:///{self.folder / 'idp.sqlite3'}"
        self.settings_file.write_text(
            f'base_url = "{self.base_url}"\n'
            "development = true\n"
            f'[database]\nurl = "{database}"\n'
            "[paths]\n"
            'keys = "keys"\nmetadata = "metadata"\npolicies = "policies"\nstate = "state"\n'
            f'[server]\nhost = "127.0.0.1"\nport = {self.port}\nworkers = {self.workers}\n'
            + self.settings_extra,
            encoding="utf-8",
        )
        self.settings_file.chmod(0o600)

    def cli(self, *arguments: str, stdin: str | None = None) -> str:
        """Run one command of the product, which has to succeed; return what it printed."""
        code, told = self.run(*arguments, stdin=stdin)
        if code != 0:
            raise AssertionError(f"{arguments}: exit {code}\n{told}")
        return told

    def run(self, *arguments: str, stdin: str | None = None) -> tuple[int, str]:
        """Run one command of the product; return its exit code and all that it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "saml_idp", "--settings", str(self.settings_file), *arguments],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout

    @property
    def listens_on(self) -> int:
        """Return the port that this node listens on."""
        return self.own_port or self.port

    @property
    def log_file(self) -> Path:
        """Return the file that the server's output goes to."""
        return self.folder / f"server-{self.listens_on}.log"

    def start(self) -> "RunningIdp":
        """Start the server and wait until it is ready."""
        own = {"SAML_IDP_SERVER_PORT": str(self.listens_on)}
        if self.own_port:
            state = self.folder / f"state-{self.own_port}"
            state.mkdir(mode=0o700)
            own |= {"SAML_IDP_PATHS_STATE": str(state), "SAML_IDP_SERVER_NODE": "node-2"}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "saml_idp", "--settings", str(self.settings_file), "serve"],
                stdout=log,
                stderr=log,
                env={**os.environ, **own},
                start_new_session=True,
            )
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        ready = f"http://{self.host}:{self.listens_on}/readyz"
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(ready, timeout=2) as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise AssertionError("the server did not start:\n" + self.log())

    def log(self) -> str:
        """Return what the server wrote so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int | None:
        """Stop the server by SIGTERM; return its exit code."""
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return process.returncode if process is not None else None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError("the server did not stop in time") from None
