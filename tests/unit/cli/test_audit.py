"""``saml-idp audit``."""

import json
import sqlite3

import pytest

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.ids import AssertionId
from tests.build import IDP, NOW, SEAL_KEY
from tests.unit.cli.installation import Installation
from tests.unit.cli.test_people import add
from tests.unit.services.house import House


@pytest.fixture
def with_alice(installation: Installation) -> Installation:
    add(installation)
    installation.done("id", "assign", "alice", "--no-qr")
    return installation


def _lines(installation: Installation, *filters: str) -> list[dict[str, object]]:
    said = installation.done("audit", "show", "--json", *filters)
    return [json.loads(line) for line in said.splitlines()]


def test_show_prints_the_newest_first(with_alice: Installation) -> None:
    said = with_alice.done("audit", "show").splitlines()

    assert [line.split()[4] for line in said[1:]] == [
        "enrolment_created",
        "identity_assigned",
        "user_added",
    ]


def test_json_is_one_object_a_line_with_all_that_is_known(with_alice: Installation) -> None:
    newest = _lines(with_alice)[0]

    assert newest["event"] == "enrolment_created"
    assert newest["subject_name"] == "alice"
    assert str(newest["actor"]).startswith("cli:")
    assert newest["details"]["id"] == "alice"  # type: ignore[index]


def test_filters(with_alice: Installation) -> None:
    add(with_alice, "bob")

    assert len(_lines(with_alice, "--user", "ALICE")) == 3
    assert len(_lines(with_alice, "--event", "user_added")) == 2
    assert len(_lines(with_alice, "--limit", "1")) == 1
    assert [line["sequence"] for line in _lines(with_alice, "--after", "2", "--oldest-first")] == [
        3,
        4,
    ]
    assert _lines(with_alice, "--sp", "https://nobody.example") == []


def test_an_error_page_s_reference_finds_its_record(with_alice: Installation) -> None:
    reference = _lines(with_alice)[0]["reference"]

    found = _lines(with_alice, "--reference", str(reference))

    assert {line["reference"] for line in found} == {reference}


def test_an_unknown_event_is_a_usage_error_that_names_the_known(installation: Installation) -> None:
    assert "assertion_issued" in installation.refused("audit", "show", "--event", "party")


def test_nothing_found_is_a_sentence(installation: Installation) -> None:
    assert "nothing is recorded" in installation.done("audit", "show", "--user", "nobody")


def test_what_a_stranger_wrote_cannot_steer_the_terminal(installation: Installation) -> None:
    with installation.idp().store.unit() as unit:
        unit.audit.append(
            AuditRecord(
                NOW,
                AuditEvent.PASSWORD_REJECTED,
                Origin("r", "192.0.2.1", "browser"),
                subject="\x1b[2J[red]eve\r\nforged",
                details={"x": "\x1b]0;title\x07"},
            )
        )

    assert "\x1b" not in installation.done("audit", "show")
    assert len(installation.done("audit", "show", "--json").splitlines()) == 1


def _signed_in(installation: Installation) -> AssertionId:
    """Let Alice sign in once on the installation's own database; return the assertion's ID."""
    (installation.folder / "keys" / "seal.key").write_text(SEAL_KEY.secret.hex())
    with installation.settings_file.open("a") as file:
        file.write(f'entity_id = "{IDP}"\n')
    store = installation.idp().store
    house = House(store)
    house.add_person()
    house.log_in(house.a_jar(), house.add_phone())
    with store.view() as unit:
        (issued,) = unit.audit.read(limit=9, event=AuditEvent.ASSERTION_ISSUED)
    return AssertionId(str(issued.record.details["assertion"]))


def test_a_receipt_shows_what_was_asked_and_that_it_holds(installation: Installation) -> None:
    assertion_id = _signed_in(installation)

    said = installation.done("audit", "receipt", assertion_id)

    for text in ("alice", "https://sp.example.org/metadata", "signature", "holds"):
        assert text in said
    assert "DOES NOT HOLD" not in said


def test_a_receipt_as_json(installation: Installation) -> None:
    shown = installation.json("audit", "receipt", _signed_in(installation))

    assert shown["ok"] is True
    assert shown["user"] == "alice"
    assert {check["ok"] for check in shown["checks"]} == {True}
    assert shown["explanation"]


def test_a_changed_row_makes_the_receipt_fail(installation: Installation) -> None:
    assertion_id = _signed_in(installation)
    (file,) = (installation.folder / "var").glob("*.sqlite3")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE devices SET retired_at = 1")
    connection.close()

    result = installation.run("audit", "receipt", assertion_id)

    assert result.exit_code == 2
    assert "DOES NOT HOLD" in result.stdout


def test_a_receipt_that_does_not_exist_is_told(installation: Installation) -> None:
    assert "no such receipt" in installation.refused("audit", "receipt", "_forged")
