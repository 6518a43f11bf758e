"""``saml-idp id``."""

import pytest

from saml_idp.domain.ids import digest_of
from tests.unit.cli.installation import Installation
from tests.unit.cli.test_people import add, make_ready


@pytest.fixture
def with_alice(installation: Installation) -> Installation:
    add(installation)
    return installation


def test_assign_shows_link_and_code_once(with_alice: Installation) -> None:
    said = with_alice.done("id", "assign", "alice")

    assert "https://idp.example.org/device/#enrol=" in said
    assert "█" in said
    assert "valid until" in said


def test_the_qr_code_holds_the_link(with_alice: Installation) -> None:
    """Drawn again from the link, it is the same picture."""
    import io

    import segno

    said = with_alice.done("id", "assign", "alice")
    link = next(line.strip() for line in said.splitlines() if "#enrol=" in line)

    drawn = io.StringIO()
    segno.make(link, error="m", micro=False).terminal(drawn, compact=True, border=2)
    assert drawn.getvalue() in said


def test_the_link_opens_the_invitation_that_is_stored(with_alice: Installation) -> None:
    invitation = with_alice.json("id", "assign", "alice")

    code = invitation["link"].partition("#enrol=")[2]
    with with_alice.idp().store.view() as unit:
        stored = unit.devices.find_enrolment(digest_of(code))
    assert stored is not None
    assert stored.identity == invitation["id"] == "alice"


def test_the_code_is_not_in_the_audit_trail(with_alice: Installation) -> None:
    invitation = with_alice.json("id", "assign", "alice")

    code = invitation["link"].partition("#enrol=")[2]
    assert code not in with_alice.done("audit", "show", "--json")


def test_no_qr_prints_the_link_alone(with_alice: Installation) -> None:
    assert "█" not in with_alice.done("id", "assign", "alice", "--no-qr")


def test_another_id_may_be_chosen_once(with_alice: Installation) -> None:
    assert with_alice.json("id", "assign", "alice", "--id", "Wonder")["id"] == "wonder"

    assert "revoke it first" in with_alice.refused("id", "assign", "alice", "--id", "other")


def test_an_id_of_another_is_refused(with_alice: Installation) -> None:
    with_alice.done("id", "assign", "alice", "--no-qr")
    add(with_alice, "bob")

    assert "another user" in with_alice.refused("id", "assign", "bob", "--id", "alice")


def test_show_finds_by_id(with_alice: Installation) -> None:
    with_alice.done("id", "assign", "alice", "--id", "wonder", "--no-qr")

    assert with_alice.json("id", "show", "wonder")["username"] == "alice"
    assert "wonder" in with_alice.done("id", "show", "wonder")


def test_revoke_asks_first(with_alice: Installation) -> None:
    make_ready(with_alice)

    said = with_alice.run("id", "revoke", "alice", stdin="n\n")

    assert said.exit_code == 2
    assert with_alice.json("id", "show", "alice")["id"] == "alice"


def test_revoke_takes_id_and_devices(with_alice: Installation) -> None:
    make_ready(with_alice)

    with_alice.done("id", "revoke", "alice", stdin="y\n")

    shown = with_alice.json("id", "show", "alice")
    assert shown["id"] is None
    assert shown["devices"][0]["retired_at"] is not None


def test_who_has_no_id_has_none_to_revoke(with_alice: Installation) -> None:
    assert "has no ID" in with_alice.refused("id", "revoke", "alice")
