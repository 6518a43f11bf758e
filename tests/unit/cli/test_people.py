"""``saml-idp user``."""

from dataclasses import replace
from pathlib import Path

import pytest

from saml_idp.domain.ids import DeviceId
from tests.build import a_device
from tests.unit.cli.installation import PASSWORD, Installation

TYPED = f"{PASSWORD}\n{PASSWORD}\n"


def add(installation: Installation, name: str = "alice", *options: str) -> None:
    installation.done("user", "add", name, "--no-password", *options)


def make_ready(installation: Installation, name: str = "alice") -> None:
    """Give the user an ID with a live device."""
    idp = installation.idp()
    installation.done("id", "assign", name, "--no-qr")
    person = idp.find_people.named(name).person
    with idp.store.unit() as unit:
        unit.devices.add(
            a_device(name, user_id=person.user_id, device_id=DeviceId(f"device-{name}"))
        )


def test_add_asks_for_the_password_twice_and_never_shows_it(installation: Installation) -> None:
    result = installation.run("user", "add", "alice", stdin=TYPED)

    assert result.exit_code == 0
    assert "added alice" in result.output
    assert "saml-idp id assign alice" in result.output
    assert PASSWORD not in result.output


def test_the_password_that_was_typed_is_the_one_that_counts(installation: Installation) -> None:
    installation.done("user", "add", "alice", stdin=TYPED)

    directory = installation.idp().directory
    assert directory.verify_password("alice", PASSWORD) is not None
    assert directory.verify_password("alice", "another password") is None


def test_two_different_passwords_are_asked_for_again(installation: Installation) -> None:
    result = installation.run("user", "add", "alice", stdin=f"{PASSWORD}\nanother one\n{TYPED}")

    assert result.exit_code == 0


@pytest.mark.parametrize("ending", ["\n", "\r\n", "", "\nsecond line\n"])
def test_a_password_file_gives_its_first_line(
    installation: Installation, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / "password"
    file.write_bytes((PASSWORD + ending).encode())

    installation.done("user", "add", "alice", "--password-file", str(file))

    assert installation.idp().directory.verify_password("alice", PASSWORD) is not None


def test_standard_input_gives_a_password(installation: Installation) -> None:
    installation.done("user", "add", "alice", "--password-file", "-", stdin=f" {PASSWORD} \n")

    directory = installation.idp().directory
    assert directory.verify_password("alice", f" {PASSWORD} ") is not None


def test_a_password_is_never_an_argument(installation: Installation) -> None:
    said = installation.refused("user", "add", "alice", "--password", PASSWORD)

    assert "No such option" in said


def test_a_bad_password_says_why_and_adds_nobody(installation: Installation) -> None:
    said = installation.refused("user", "add", "alice", "--password-file", "-", stdin="short\n")

    assert "8 to 1024" in said
    assert installation.json("user", "list") == []


def test_no_password_and_a_file_exclude_each_other(installation: Installation) -> None:
    said = installation.refused("user", "add", "a", "--no-password", "--password-file", "-")

    assert "exclude each other" in said


def test_the_user_has_what_was_given(installation: Installation) -> None:
    add(
        installation,
        "Alice",
        "--name",
        "Alice Liddell",
        "--email",
        "alice@example.org",
        "--group",
        "a",
        "--group",
        "b",
        "--attribute",
        "department=IT",
        "--administrator",
    )

    shown = installation.json("user", "show", "ALICE")
    assert shown["username"] == "alice"
    assert shown["groups"] == ["a", "b"]
    assert shown["administrator"] is True
    assert shown["has_password"] is False
    assert shown["attributes"] == {
        "department": ["IT"],
        "name": ["Alice Liddell"],
        "email": ["alice@example.org"],
    }


def test_an_unknown_attribute_names_the_known_ones(installation: Installation) -> None:
    said = installation.refused("user", "add", "a", "--no-password", "--attribute", "shoe=43")

    assert "department" in said


def test_an_attribute_without_a_value_sign_is_a_usage_error(installation: Installation) -> None:
    said = installation.refused("user", "add", "a", "--no-password", "--attribute", "department")

    assert "NAME=VALUE" in said


def test_a_taken_name_is_refused(installation: Installation) -> None:
    add(installation)

    assert "taken" in installation.refused("user", "add", "ALICE", "--no-password")


def test_list_shows_why_each_can_or_cannot_sign_in(installation: Installation) -> None:
    for name in ("ann", "ben", "cid", "dan"):
        add(installation, name)
    installation.done("user", "disable", "ann")
    installation.done("id", "assign", "ben", "--no-qr")
    make_ready(installation, "cid")

    lines = installation.done("user", "list").splitlines()

    assert [line.split()[0] for line in lines] == ["user", "ann", "ben", "cid", "dan"]
    assert [line.rstrip().rpartition("  ")[2].strip() for line in lines[1:]] == [
        "disabled",
        "no device",
        "ready",
        "no ID",
    ]


def test_list_finds_by_part_of_name_or_address(installation: Installation) -> None:
    add(installation, "alice", "--email", "wonder@example.org")
    add(installation, "bob")

    found = installation.json("user", "list", "wonder")

    assert [user["username"] for user in found] == ["alice"]


def test_list_says_when_there_may_be_more(installation: Installation) -> None:
    add(installation, "ann")
    add(installation, "ben")

    assert "--offset 1" in installation.done("user", "list", "--limit", "1")
    assert (
        installation.json("user", "list", "--limit", "1", "--offset", "1")[0]["username"] == "ben"
    )


def test_an_empty_list_is_a_sentence(installation: Installation) -> None:
    assert "no such user" in installation.done("user", "list", "nobody")


def test_show_tells_the_user_and_the_devices(installation: Installation) -> None:
    add(installation, "alice", "--name", "Alice Liddell")
    make_ready(installation)

    shown = installation.done("user", "show", "alice")

    for text in ("alice", "Alice Liddell", "ready", "device-alice", "phone 1 of alice"):
        assert text in shown


def test_a_name_cannot_steer_the_terminal(installation: Installation) -> None:
    """What users choose is printed as text: no escape sequence, no markup."""
    add(installation)
    make_ready(installation)
    idp = installation.idp()
    person = idp.find_people.named("alice").person
    with idp.store.unit() as unit:
        device = a_device("alice", 2, user_id=person.user_id)
        unit.devices.add(replace(device, name="\x1b[2J[bold red]phone"))

    shown = installation.done("user", "show", "alice")

    assert "\x1b" not in shown
    assert "\\x1b[2J[bold red]phone" in shown


def test_an_unknown_user_is_told_with_what_to_do(installation: Installation) -> None:
    said = installation.refused("user", "show", "nobody")

    assert "there is no user 'nobody'" in said
    assert "list command" in said


def test_change_adds_and_removes_groups_and_leaves_the_rest(installation: Installation) -> None:
    add(installation, "alice", "--group", "a", "--group", "b", "--email", "a@example.org")

    installation.done(
        "user", "change", "alice", "--add-group", "c", "--remove-group", "a", "--administrator"
    )

    shown = installation.json("user", "show", "alice")
    assert shown["groups"] == ["b", "c"]
    assert shown["administrator"] is True
    assert shown["attributes"] == {"email": ["a@example.org"]}


def test_change_takes_an_attribute_away(installation: Installation) -> None:
    add(installation, "alice", "--email", "a@example.org")

    changed = installation.json("user", "change", "alice", "--attribute", "email=")

    assert changed["attributes"] == {}


def test_a_change_of_nothing_is_a_usage_error(installation: Installation) -> None:
    add(installation)

    assert "nothing to change" in installation.refused("user", "change", "alice")


def test_disable_and_enable(installation: Installation) -> None:
    add(installation)

    installation.done("user", "disable", "alice")
    assert installation.json("user", "show", "alice")["enabled"] is False
    installation.done("user", "enable", "alice")
    assert installation.json("user", "show", "alice")["enabled"] is True


def test_the_last_administrator_stays_and_the_refusal_says_so(installation: Installation) -> None:
    add(installation, "root", "--administrator")
    make_ready(installation, "root")

    for command in (
        ("user", "disable", "root"),
        ("user", "change", "root", "--no-administrator"),
        ("id", "revoke", "root", "--yes"),
    ):
        assert "last administrator" in installation.refused(*command)

    assert installation.json("user", "show", "root")["enabled"] is True
    events = installation.done("audit", "show", "--event", "lock_out_prevented", "--json")
    assert len(events.splitlines()) == 3


def test_password_sets_a_new_one(installation: Installation) -> None:
    add(installation)

    said = installation.done("user", "password", "alice", stdin=TYPED)

    assert "sessions have ended" in said
    assert installation.idp().directory.verify_password("alice", PASSWORD) is not None


def test_an_abandoned_prompt_changes_nothing(installation: Installation) -> None:
    add(installation)

    assert "stopped" in installation.refused("user", "password", "alice", stdin="")
    assert installation.json("user", "show", "alice")["has_password"] is False


def test_what_the_operator_does_is_recorded_with_their_name(installation: Installation) -> None:
    add(installation)

    record = installation.idp().read_audit(limit=1)[0].stored.record
    assert record.origin.actor.startswith("cli:")
    assert record.origin.actor != "cli:"
    assert record.origin.reference
