"""A server process that a test may kill. Its browsers and phones live in the test.

The node is a WSGI application of the test's process: it hands each request through a pipe to
its own process, where the whole product runs. When that process dies, the request ends as it
would for a browser: the connection is reset and there is no answer.
"""

import multiprocessing
import resource
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import webob

from saml_idp.logs import configure_logs
from tests.fakes import FakeClock
from tests.faults.marks import Marks
from tests.flows.site import Site

_PATIENCE_SECONDS: Final = 60.0
# Every node is forked from a clean process of one thread, which has imported the product once.
_PROCESSES: Final = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.faults.node"])


class Node:
    """A process that serves the installation in *folder*, until the point that ``arm`` names."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self._clock = clock
        self._pipe, theirs = _PROCESSES.Pipe()
        self.process = _PROCESSES.Process(target=_serve, args=(theirs, folder), daemon=True)
        self.process.start()
        theirs.close()
        self.passed: list[str] = []

    def arm(self, fatal: str) -> None:
        """Count the points from here; die at the one named *fatal*."""
        self._pipe.send((Marks.arm.__name__, fatal))

    def let_files_grow(self, *, to: int | None) -> None:
        """Let the process write no file past *to* octets, as on a full disk; None: any size."""
        self._pipe.send((_limit_files.__name__, to))

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request.

        Raises:
            ConnectionResetError: the process died before it answered.
        """
        octets = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        plain = {name: value for name, value in environ.items() if isinstance(value, str)}
        try:
            self._pipe.send((self._clock.now(), plain, octets))
            if not self._pipe.poll(_PATIENCE_SECONDS):
                raise AssertionError("the node does not answer")
            status, headers, body, passed = self._pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.process.join(_PATIENCE_SECONDS)
            raise ConnectionResetError("the server is gone") from None
        self.passed += passed
        start_response(status, headers)
        return [body]

    def close(self) -> None:
        """End the process, if it lives."""
        self._pipe.close()
        self.process.join(_PATIENCE_SECONDS)


def _serve(pipe: Connection, folder: Path) -> None:
    configure_logs()  # as a server does: a log that cannot be written stops nobody
    site = Site.opened(folder)
    marks = Marks()
    marks.watch()
    while True:
        try:
            call = pipe.recv()
        except EOFError:
            return
        if call[0] == Marks.arm.__name__:
            marks.arm(call[1])
            continue
        if call[0] == _limit_files.__name__:
            _limit_files(call[1])
            continue
        site.clock.instant, environ, octets = call
        answer = _answer(site, environ, octets)
        marks.pass_by("before the answer leaves")
        pipe.send((*answer, marks.passed))
        marks.passed = []


def _limit_files(largest: int | None) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard if largest is None else largest, hard))


def _answer(
    site: Site, environ: dict[str, Any], octets: bytes
) -> tuple[str, list[tuple[str, str]], bytes]:
    environ |= {
        "wsgi.version": (1, 0),
        "wsgi.input": BytesIO(octets),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    answer = webob.Request(environ).get_response(site.app)
    return answer.status, answer.headerlist, answer.body
