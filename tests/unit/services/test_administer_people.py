"""Users: added, changed, disabled; passwords set. Never without the last ready administrator."""

from collections.abc import Callable

import pytest

from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.errors import Conflict, LockOut, NotFound
from saml_idp.domain.ids import ApprovalIdentity, UserId
from saml_idp.domain.person import Person
from tests.build import a_device, a_person
from tests.unit.services.office import ALICE, OPERATOR, ROOT, Office

PASSWORD = "correct horse battery"


@pytest.fixture
def office() -> Office:
    return Office()


def _add(office: Office, name: str, **values: object) -> Person:
    given = {"attributes": {}, "origin": OPERATOR, **values}
    return office.people.add(name, **given)  # type: ignore[arg-type]


def test_a_new_user_has_a_canonical_name_and_no_id(office: Office) -> None:
    person = _add(office, " B\u00d6B\u200b ", attributes={"email": ["bob@example.org"]})

    assert (person.username, person.identity, person.enabled) == ("böb", None, True)
    assert office.person(person.user_id).values("email") == ("bob@example.org",)


def test_adding_is_recorded_with_who_did_it(office: Office) -> None:
    person = _add(office, "bob", groups=["staff"], password=PASSWORD)

    (record,) = office.records(AuditEvent.USER_ADDED)
    assert (record.subject, record.origin) == (person.user_id, OPERATOR)
    assert record.details["groups"] == ["staff"]


def test_the_password_reaches_neither_record_nor_store_in_the_clear(office: Office) -> None:
    person = _add(office, "bob", password=PASSWORD)

    stored = office.store.rows.people[person.user_id].password_hash
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in repr(office.store.rows)


@pytest.mark.parametrize("name", ["alice", "ALICE", "al\u200bice", "\uff41lice"])
def test_no_spelling_of_a_taken_name_is_free(office: Office, name: str) -> None:
    with pytest.raises(Conflict) as caught:
        _add(office, name)

    assert caught.value.reason == "taken"


def test_nobody_takes_the_id_of_another_as_their_name(office: Office) -> None:
    with office.store.unit() as unit:
        unit.people.add(a_person("bob", identity=ApprovalIdentity("bobby")), None)

    with pytest.raises(Conflict) as caught:
        _add(office, "bobby")

    assert caught.value.reason == "taken"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"attributes": {"shoe": ["43"]}}, "bad_attribute"),
        ({"attributes": {"username": ["root"]}}, "bad_attribute"),
        ({"attributes": {"email": ["nobody"]}}, "bad_attribute"),
        ({"attributes": {"name": ["a\x00b"]}}, "bad_attribute"),
        ({"groups": ["a\nb"]}, "bad_group"),
        ({"groups": [" "]}, "bad_group"),
        ({"password": "short"}, "bad_password"),
        ({"password": "bob.example.bob"}, None),
        ({"password": "1234567890"}, "bad_password"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(
    office: Office, values: dict[str, object], reason: str | None
) -> None:
    if reason is None:
        assert _add(office, "bob", **values).has_password
        return

    with pytest.raises(Conflict) as caught:
        _add(office, "bob", **values)

    assert caught.value.reason == reason
    assert len(office.store.rows.people) == 2


def test_a_user_s_own_name_is_no_password(office: Office) -> None:
    with pytest.raises(Conflict) as caught:
        _add(office, "bob", attributes={"name": ["Bartholomew Cubbins"]}, password="bartholomew")

    assert caught.value.reason == "bad_password"


def test_a_change_leaves_what_is_not_named(office: Office) -> None:
    before = office.person()

    after = office.people.change(ALICE, attributes={"department": ["IT"]}, origin=OPERATOR)

    assert after.values("department") == ("IT",)
    assert (after.groups, after.values("email")) == (before.groups, before.values("email"))


def test_an_attribute_without_values_is_taken_away(office: Office) -> None:
    after = office.people.change(ALICE, attributes={"email": []}, origin=OPERATOR)

    assert after.values("email") == ()


def test_a_change_is_recorded_by_what_it_changed(office: Office) -> None:
    office.people.change(ALICE, groups=["ops"], attributes={"email": ["x@y.org"]}, origin=OPERATOR)

    (record,) = office.records(AuditEvent.USER_CHANGED)
    assert record.details == {
        "groups": {"before": ["jira-users", "staff"], "after": ["ops"]},
        "attributes": ["email"],
    }


def test_a_change_to_the_same_is_none(office: Office) -> None:
    office.people.change(ALICE, administrator=False, origin=OPERATOR)

    assert office.records(AuditEvent.USER_CHANGED) == []


def test_disabling_ends_sessions_and_open_approvals_at_once(office: Office) -> None:
    office.sign_in()

    office.people.disable(ALICE, origin=OPERATOR)

    assert office.has_ended()
    assert not office.person().enabled
    (record,) = office.records(AuditEvent.USER_DISABLED)
    assert record.details == {"sessions_ended": 1, "approvals_cancelled": 1}


def test_disabling_leaves_other_users_alone(office: Office) -> None:
    office.sign_in("root")

    office.people.disable(ALICE, origin=OPERATOR)

    assert not office.has_ended("root")


def test_an_enabled_user_is_let_in_again(office: Office) -> None:
    office.people.disable(ALICE, origin=OPERATOR)

    office.people.enable(ALICE, origin=OPERATOR)

    assert office.person().enabled
    assert len(office.records(AuditEvent.USER_ENABLED)) == 1


def test_a_new_password_lifts_the_throttle_and_ends_what_the_old_one_began(office: Office) -> None:
    office.sign_in()
    with office.store.unit() as unit:
        for _ in range(4):
            unit.tallies.count_try("alice", office.clock.now())
            unit.tallies.count_try("alice\x1fbrowser", office.clock.now())

    office.people.set_password(ALICE, PASSWORD, origin=OPERATOR)

    assert office.has_ended()
    with office.store.view() as unit:
        assert unit.tallies.find("alice") is None
        assert unit.tallies.find("alice\x1fbrowser") is None


def test_a_new_password_counts_and_the_user_is_told(office: Office) -> None:
    office.people.set_password(ALICE, PASSWORD, origin=OPERATOR)

    stored = office.store.rows.people[ALICE].password_hash
    assert office.people.hasher.verify(stored, PASSWORD)
    assert office.notifier.told == [(ALICE, "password_set")]
    assert len(office.records(AuditEvent.PASSWORD_SET)) == 1


def test_a_bad_password_changes_nothing(office: Office) -> None:
    office.sign_in()

    with pytest.raises(Conflict):
        office.people.set_password(ALICE, "password1", origin=OPERATOR)

    assert office.store.rows.people[ALICE].password_hash == "hash"
    assert not office.has_ended()


def _disable(office: Office) -> None:
    office.people.disable(ROOT, origin=OPERATOR)


def _demote(office: Office) -> None:
    office.people.change(ROOT, administrator=False, origin=OPERATOR)


def _revoke(office: Office) -> None:
    office.assign_identity.revoke(ROOT, origin=OPERATOR)


def _retire(office: Office) -> None:
    office.retire_device(a_device("root").device_id, origin=OPERATOR)


CHANGES = [_disable, _demote, _revoke, _retire]
each_change = pytest.mark.parametrize("change", CHANGES)


@each_change
def test_no_change_takes_the_last_ready_administrator_away(
    office: Office, change: Callable[[Office], None]
) -> None:
    before = office.store.rows.snapshot()

    with pytest.raises(LockOut) as caught:
        change(office)

    assert "last administrator" in str(caught.value)
    assert office.store.rows.people == before.people
    assert office.store.rows.devices == before.devices


@each_change
def test_a_prevented_lock_out_is_recorded_and_nothing_else_is(
    office: Office, change: Callable[[Office], None]
) -> None:
    with pytest.raises(LockOut):
        change(office)

    (stored,) = office.store.rows.audit
    record = stored.record
    assert (record.event, record.outcome) == (AuditEvent.LOCK_OUT_PREVENTED, "refused")
    assert (record.subject, record.origin) == (ROOT, OPERATOR)


@each_change
def test_with_another_ready_administrator_the_change_is_made(
    office: Office, change: Callable[[Office], None]
) -> None:
    office.people.change(ALICE, administrator=True, origin=OPERATOR)

    change(office)

    assert office.records(AuditEvent.LOCK_OUT_PREVENTED) == []


@each_change
def test_an_administrator_without_a_live_device_does_not_count_as_another(
    office: Office, change: Callable[[Office], None]
) -> None:
    office.people.change(ALICE, administrator=True, origin=OPERATOR)
    office.retire_device(a_device().device_id, origin=OPERATOR)

    with pytest.raises(LockOut):
        change(office)


@each_change
def test_before_there_is_a_ready_administrator_nothing_is_guarded(
    change: Callable[[Office], None],
) -> None:
    office = Office()
    with office.store.unit() as unit:
        office_root = a_person("root", is_administrator=True)
        unit.people.replace(office_root, a_person("root", is_administrator=True, enabled=False))

    change(office)

    assert office.records(AuditEvent.LOCK_OUT_PREVENTED) == []


@pytest.mark.parametrize("verb", ["disable", "enable", "change"])
def test_an_unknown_user_is_not_found(office: Office, verb: str) -> None:
    with pytest.raises(NotFound):
        getattr(office.people, verb)(UserId("u-nobody"), origin=OPERATOR)
