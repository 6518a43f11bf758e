"""``saml-idp serve`` as a service manager sees it: start, signals, log, limits."""

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.serving import RunningIdp


def _running(folder: Path) -> Iterator[RunningIdp]:
    folder.mkdir(mode=0o700)
    running = RunningIdp(folder, workers=2).set_up().start()
    yield running
    running.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RunningIdp]:
    """A server that the test may stop."""
    yield from _running(tmp_path / "idp")


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIdp]:
    """A server that the tests of this file share; none of them ends it."""
    yield from _running(tmp_path_factory.mktemp("server") / "idp")


def get(idp: RunningIdp, path: str) -> int:
    try:
        with urllib.request.urlopen(idp.base_url + path, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def workers_of(pid: int) -> list[int]:
    """Return the worker processes: children that read the web application."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(child)
        for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def test_sigterm_ends_it_with_0_though_connections_are_open(own: RunningIdp) -> None:
    """One client keeps a connection, one never ends its headers: neither holds up the stop.

    And what it logged until then is JSON without a query string.
    """
    get(own, "/saml/sso?SAMLRequest=canary-of-the-query&RelayState=canary")
    get(own, "/nowhere?password=canary")
    with (
        socket.create_connection(("127.0.0.1", own.port)) as idle,
        socket.create_connection(("127.0.0.1", own.port)) as slow,
    ):
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(100).startswith(b"HTTP/1.1")
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        began = time.monotonic()

        assert own.stop() == 0

    assert time.monotonic() - began < 30
    lines = [line for line in own.log().splitlines() if line.startswith("{")]
    assert lines
    assert all(json.loads(line)["event"] for line in lines)
    assert "canary" not in own.log()


def test_a_worker_leaves_no_core_dump(idp: RunningIdp) -> None:
    """K05: the memory of a worker holds private keys."""
    assert idp.process is not None
    processes = [idp.process.pid, *workers_of(idp.process.pid)]

    assert len(processes) == 3
    for pid in processes:
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        (core,) = [line for line in limits if line.startswith("Max core file size")]
        assert core.split()[4:6] == ["0", "0"]


def test_a_worker_that_dies_is_replaced(idp: RunningIdp) -> None:
    assert idp.process is not None
    time.sleep(1)  # a worker that dies at once is a fault of the installation, not replaced
    before = workers_of(idp.process.pid)
    until = time.monotonic() + 30

    os.kill(before[0], signal.SIGKILL)

    while time.monotonic() < until:
        now = workers_of(idp.process.pid)
        if len(now) == 2 and before[0] not in now:
            break
        time.sleep(0.1)
    assert len(workers_of(idp.process.pid)) == 2
    assert get(idp, "/readyz") == 200


def test_sighup_replaces_the_workers_and_the_service_goes_on(idp: RunningIdp) -> None:
    assert idp.process is not None
    before = set(workers_of(idp.process.pid))
    until = time.monotonic() + 60

    idp.process.send_signal(signal.SIGHUP)

    answers = []
    while time.monotonic() < until:
        answers.append(get(idp, "/healthz"))
        now = set(workers_of(idp.process.pid))
        if len(now) == 2 and not now & before:
            break
        time.sleep(0.2)
    assert not set(workers_of(idp.process.pid)) & before
    assert set(answers) == {200}
