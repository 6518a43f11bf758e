"""Whole logins approved from a terminal: the server and the software device as processes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.peer import BrowserPeer
from tests.live.serving import RunningIdp

JIRA = "https://jira.example.org"
PASSWORD = "quiet lanterns over the river"


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIdp]:
    folder = tmp_path_factory.mktemp("idp") / "idp"
    folder.mkdir(mode=0o700)
    running = RunningIdp(folder).set_up()
    running.cli("sp", "add", "--entity-id", JIRA, "--acs", f"{JIRA}/acs")
    running.cli("user", "add", "alice", "--password-file", "-", stdin=f"{PASSWORD}\n")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def device(idp: RunningIdp, tmp_path: Path) -> "Terminal":
    """A fresh software device of alice."""
    terminal = Terminal(tmp_path / "state")
    link = json.loads(idp.cli("id", "assign", "alice", "--json"))["link"]
    enrolled = terminal.run(
        "enrol", link, "--name", "terminal", "--json", "--password-file", "-", stdin=PASSWORD
    )
    assert json.loads(enrolled)["trial"] == "granted"
    return terminal


class Terminal:
    """Another user's terminal: no settings, no database, its own state."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def run(self, command: str, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """Run one command; return both streams."""
        done = subprocess.run(
            [
                *(sys.executable, "-m", "saml_idp", "device", command),
                *("--state", str(self.state), *arguments),
            ],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


def waiting(idp: RunningIdp) -> BrowserPeer:
    """A browser whose user gave the password; its page shows the symbols."""
    browser = BrowserPeer(idp.base_url)
    browser.start(JIRA)
    page = browser.sign_in("alice", PASSWORD)
    assert len(page.symbols) == 4
    return browser


def test_a_login_is_approved_from_a_terminal(idp: RunningIdp, device: Terminal) -> None:
    browser = waiting(idp)
    assert browser.page is not None
    said = device.run("approve", browser.page.symbols)
    assert said.endswith("granted\n")
    assert browser.submit("finish").saml_response


def test_wrong_symbols_end_the_approval(idp: RunningIdp, device: Terminal) -> None:
    browser = waiting(idp)
    assert browser.page is not None
    wrong = "AAAA" if browser.page.symbols != "AAAA" else "BBBB"
    assert "wrong symbols" in device.run("approve", wrong, code=2)
    assert "nothing to approve" in device.run("approve", browser.page.symbols, code=2)


def test_a_login_is_denied_from_a_terminal(idp: RunningIdp, device: Terminal) -> None:
    waiting(idp)
    assert device.run("deny").endswith("denied\n")


def test_a_revoked_device_answers_nothing(idp: RunningIdp, device: Terminal) -> None:
    (own,) = json.loads(device.run("list", "--json"))
    idp.cli("device", "revoke", own["device_id"], "--yes")
    assert "was removed" in device.run("approve", "K3QA", code=2)
    device.run("retire", "--yes")
    assert json.loads(device.run("list", "--json")) == []


def test_a_device_retires_itself(idp: RunningIdp, device: Terminal) -> None:
    (own,) = json.loads(device.run("list", "--json"))
    device.run("retire", "--yes")
    listed = json.loads(idp.cli("device", "list", "--of", "alice", "--json"))
    assert [d["retired_at"] is not None for d in listed if d["device_id"] == own["device_id"]] == [
        True
    ]
