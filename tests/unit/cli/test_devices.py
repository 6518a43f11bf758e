"""``saml-idp device``: the software device against an IdP on loopback; the administrator's part."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from saml_idp.domain.device import Device
from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import ApprovalIdentity, DeviceId
from tests.unit.cli.installation import OPERATOR, Installation
from tests.unit.cli.test_people import add
from tests.unit.device_sdk.peer import CODE, Peer, served


@dataclass
class Machine:
    """A machine without settings and database, and the IdP that it is a device of."""

    peer: Peer
    folder: Path
    terminal: Installation = field(init=False)

    def __post_init__(self) -> None:
        self.terminal = Installation(self.folder / "no such installation")

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def link(self) -> str:
        return f"{self.peer.base_url}/device/#enrol={CODE}"

    def run(self, *arguments: str, stdin: str | None = None) -> Result:
        name, *rest = arguments
        return self.terminal.run("device", name, "--state", str(self.state), *rest, stdin=stdin)

    def done(self, *arguments: str, stdin: str | None = None) -> str:
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *arguments: str, stdin: str | None = None) -> str:
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 2, result.output
        return result.stderr

    def enrolled(self) -> "Machine":
        self.done("enrol", self.link, "--name", "builder", stdin=f"{self.peer.password}\n")
        return self


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    peer = Peer()
    with served(peer):
        yield Machine(peer, tmp_path)


def test_enrol_binds_a_key_and_tries_it(machine: Machine) -> None:
    said = machine.done("enrol", machine.link, "--name", "builder", stdin="quiet lanterns\n")
    assert "builder is a device of alice at Example & Co" in said
    assert "tried: it works" in said
    assert len(machine.peer.devices) == 1
    assert [answer.verdict for answer in machine.peer.answers] == ["approve"]


def test_a_trial_that_fails_is_no_failure_of_the_enrolment(machine: Machine) -> None:
    """An IdP may offer a trial while a login's approval is open, and know nothing of it then."""
    machine.peer.trial_is_known = False
    said = machine.done("enrol", machine.link, stdin="quiet lanterns\n")
    assert "not tried yet" in said
    assert "alice" in machine.done("list")


def test_enrol_without_a_trial(machine: Machine) -> None:
    machine.peer.trial = False
    assert "not tried yet" in machine.done("enrol", machine.link, stdin="quiet lanterns\n")


def test_enrol_tells_programs_in_json(machine: Machine) -> None:
    said = json.loads(machine.done("enrol", machine.link, "--json", stdin="quiet lanterns\n"))
    assert said["id"] == "alice"
    assert said["device_id"] in machine.peer.devices
    assert said["trial"] == "granted"


def test_enrol_reads_the_password_from_a_file(machine: Machine) -> None:
    file = machine.folder / "password"
    file.write_text("quiet lanterns\r\nsecond line\n")
    machine.done("enrol", machine.link, "--password-file", str(file), "--algorithm", "EdDSA")
    (key,) = machine.peer.devices.values()
    assert json.loads(key)["crv"] == "Ed25519"


def test_enrol_takes_no_password_as_an_argument(machine: Machine) -> None:
    assert "--password " not in machine.done("enrol", "--help")
    assert machine.run("enrol", machine.link, "--password", "quiet lanterns").exit_code == 2


def test_a_password_is_not_shown(machine: Machine) -> None:
    result = machine.run("enrol", machine.link, stdin="quiet lanterns\n")
    assert "quiet lanterns" not in result.output


def test_a_refused_enrolment_leaves_no_key_behind(machine: Machine) -> None:
    said = machine.refused("enrol", machine.link, stdin="wrong\n")
    assert "wrong_password" in said
    assert list(machine.state.iterdir()) == []
    assert "code_invalid" in machine.refused(
        "enrol", machine.link[:-1] + "x", stdin="quiet lanterns\n"
    )


@pytest.mark.parametrize("link", ["", "https://idp.test/", "http://idp.test/device/#enrol=" + CODE])
def test_enrol_refuses_what_is_no_link(machine: Machine, link: str) -> None:
    machine.refused("enrol", link, stdin="quiet lanterns\n")
    assert not machine.state.exists()


def test_approve_takes_the_symbols_as_an_argument(machine: Machine) -> None:
    machine.enrolled().peer.ask()
    said = machine.done("approve", "K3QA")
    assert re.search(r"service\s+Jira", said)
    assert said.endswith("granted\n")
    assert machine.peer.answers[-1].symbols == "K3QA"


@pytest.mark.parametrize("typed", ["k3qa", "K3 QA", "k-3-q-a"])
def test_approve_takes_them_as_people_type(machine: Machine, typed: str) -> None:
    machine.enrolled().peer.ask()
    machine.done("approve", typed)
    assert machine.peer.answers[-1].symbols == "K3QA"


def test_approve_shows_the_question_and_asks_for_the_symbols(machine: Machine) -> None:
    machine.enrolled().peer.ask(other_browser_waiting=True)
    said = machine.done("approve", stdin="K3QA\n")
    assert said.index("192.0.2.1") < said.index("The 4 symbols on the login page")
    assert "another browser" in said


def test_approve_takes_a_scanned_link(machine: Machine) -> None:
    machine.enrolled().peer.ask()
    wanted = machine.peer.ask()
    link = f"{machine.peer.base_url}/device/#approval={wanted['approval']}&symbols=K3QA"
    said = json.loads(machine.done("approve", link, "--json"))
    assert said == {"approval": wanted["approval"], "result": "granted"}


def test_wrong_symbols_are_a_failure_of_the_command(machine: Machine) -> None:
    machine.enrolled().peer.ask()
    assert "wrong symbols" in machine.refused("approve", "AAAA")
    assert machine.peer.approvals == []


@pytest.mark.parametrize("typed", ["K3Q", "K3QAA", "K3Q1", "K3Q!", ""])
def test_a_row_that_cannot_be_right_is_not_sent(machine: Machine, typed: str) -> None:
    machine.enrolled().peer.ask()
    assert "nothing was sent" in machine.refused("approve", typed)
    assert len(machine.peer.approvals) == 1


def test_with_several_open_one_has_to_be_named(machine: Machine) -> None:
    machine.enrolled()
    first, second = machine.peer.ask(), machine.peer.ask(provider_name="Bamboo")
    said = machine.refused("approve", "K3QA")
    assert first["approval"] in said
    assert "Bamboo" in said
    machine.done("approve", "K3QA", "--approval", second["approval"])
    assert machine.peer.approvals == [first]


def test_nothing_open_is_told(machine: Machine) -> None:
    machine.enrolled()
    assert "nothing to approve" in machine.refused("approve", "K3QA")
    assert "nothing to approve" in machine.refused("deny", "--approval", "another")


def test_approve_waits_for_a_question(machine: Machine) -> None:
    machine.enrolled()
    timer = threading.Timer(0.3, machine.peer.ask)
    timer.start()
    said = machine.done("approve", "K3QA", "--wait", "20")
    timer.join()
    assert said.endswith("granted\n")


@pytest.mark.parametrize(("options", "verdict"), [([], "deny"), (["--not-me"], "not-me")])
def test_deny_refuses_a_login(machine: Machine, options: list[str], verdict: str) -> None:
    machine.enrolled().peer.ask()
    assert machine.done("deny", *options).endswith("denied\n")
    assert machine.peer.answers[-1].verdict == verdict


def test_list_shows_the_ids_of_this_machine(machine: Machine) -> None:
    assert "no ID" in machine.done("list")
    machine.enrolled()
    assert "builder" in machine.done("list")
    (own,) = json.loads(machine.done("list", "--json"))
    assert (own["id"], own["base_url"]) == ("alice", machine.peer.base_url)


def test_a_machine_that_is_no_device_is_told(machine: Machine) -> None:
    assert "device enrol" in machine.refused("approve", "K3QA")
    machine.enrolled()
    assert "not the ID 'bob'" in machine.refused("approve", "K3QA", "--id", "bob")


def test_retire_takes_this_machine_off(machine: Machine) -> None:
    machine.enrolled()
    machine.refused("retire", stdin="n\n")
    assert machine.peer.devices
    assert "no device of alice" in machine.done("retire", "--yes")
    assert machine.peer.devices == {}
    assert list(machine.state.glob("*.pem")) == []


def test_a_removed_device_is_told_and_can_be_cleared_away(machine: Machine) -> None:
    machine.enrolled().peer.devices.clear()
    assert "was removed" in machine.refused("approve", "K3QA")
    machine.done("retire", "--yes")
    assert "no ID" in machine.done("list")


def test_an_idp_that_does_not_answer_is_told(machine: Machine) -> None:
    machine.enrolled()
    ids = machine.state / "ids.json"
    value: Any = json.loads(ids.read_text())
    value["ids"][0]["base_url"] = "http://127.0.0.1:9"
    ids.write_text(json.dumps(value))
    assert "no answer from the IdP" in machine.refused("approve", "K3QA")


def test_what_an_idp_sends_does_nothing_to_the_terminal(machine: Machine) -> None:
    machine.enrolled().peer.ask(provider_name="Jira\x1b[2J[bold]", browser="\x07")
    said = machine.done("approve", "K3QA")
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "[bold]" in said


@pytest.fixture
def with_device(installation: Installation) -> Installation:
    add(installation)
    idp = installation.idp()
    idp.assign_identity(idp.find_people.named("alice").person.user_id, None, origin=OPERATOR)
    with idp.store.unit() as unit:
        person = idp.find_people.named("alice").person
        unit.devices.add(
            Device(
                device_id=DeviceId("device-1"),
                user_id=person.user_id,
                identity=ApprovalIdentity("alice"),
                name="phone",
                method=Method.DEVICE,
                public_key="{}",
                enrolled_at=idp.clock.now(),
            )
        )
    idp.store.close()
    return installation


def test_list_of_shows_a_users_devices(with_device: Installation) -> None:
    assert "phone" in with_device.done("device", "list", "--of", "alice")
    (device,) = with_device.json("device", "list", "--of", "ALICE")
    assert (device["device_id"], device["retired_at"]) == ("device-1", None)
    assert "no user" in with_device.refused("device", "list", "--of", "bob")


def test_revoke_removes_a_device_at_once(with_device: Installation) -> None:
    assert with_device.run("device", "revoke", "device-1", stdin="n\n").exit_code == 2
    assert "removed phone of alice" in with_device.done("device", "revoke", "device-1", "--yes")
    (device,) = with_device.json("device", "list", "--of", "alice")
    assert device["retired_at"] is not None
    with_device.refused("device", "revoke", "device-1", "--yes")
    with_device.refused("device", "revoke", "device-2", "--yes")


def test_revoke_tells_programs_in_json(with_device: Installation) -> None:
    said = with_device.json("device", "revoke", "device-1", "--yes")
    assert (said["device_id"], said["id"]) == ("device-1", "alice")
