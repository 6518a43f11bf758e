"""An ID for a user, an invitation for a device, and the end of both."""

from dataclasses import replace
from datetime import timedelta

import pytest

from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.errors import Conflict
from saml_idp.domain.ids import ApprovalIdentity, UserId, digest_of
from tests.build import a_device, a_person
from tests.fakes import FakeEntropy
from tests.unit.services.office import ALICE, OPERATOR, Office

BOB = UserId("u-bob")


class BitsAsked(FakeEntropy):
    """Remembers how many bits each secret was to have."""

    def __init__(self) -> None:
        super().__init__()
        self.bits: list[int] = []

    def token(self, bits: int = 160) -> str:
        self.bits.append(bits)
        return super().token(bits)


@pytest.fixture
def office() -> Office:
    made = Office()
    with made.store.unit() as unit:
        unit.people.add(a_person("bob", identity=None), "hash")
    return made


def test_the_id_is_the_user_name_unless_another_is_given(office: Office) -> None:
    invitation = office.assign_identity(BOB, origin=OPERATOR)

    assert invitation.identity == "bob"
    assert office.person(BOB).identity == "bob"


def test_an_id_is_lower_case(office: Office) -> None:
    assert office.assign_identity(BOB, "Bob.Baker", origin=OPERATOR).identity == "bob.baker"


def test_the_invitation_is_a_link_whose_code_no_server_sees(office: Office) -> None:
    invitation = office.assign_identity(BOB, origin=OPERATOR)

    base, _, fragment = invitation.link.partition("#")
    assert base == "https://idp.example.org/device/"
    assert fragment == f"enrol={invitation.code}"


def test_the_code_is_128_bits_and_only_its_hash_is_kept(office: Office) -> None:
    entropy = BitsAsked()
    assign_identity = replace(office.assign_identity, entropy=entropy)

    invitation = assign_identity(BOB, origin=OPERATOR)

    (stored,) = office.store.rows.enrolments.values()
    assert entropy.bits == [128]
    assert stored.code_hash == digest_of(invitation.code)
    assert invitation.code not in repr(office.store.rows)
    assert invitation.code not in repr(invitation)


def test_the_invitation_ends_after_a_day(office: Office) -> None:
    invitation = office.assign_identity(BOB, origin=OPERATOR)

    (stored,) = office.store.rows.enrolments.values()
    assert stored.expires_at == invitation.expires_at == office.clock.now() + timedelta(hours=24)
    assert not stored.is_open(invitation.expires_at)


def test_a_second_invitation_ends_the_first_and_keeps_the_id(office: Office) -> None:
    first = office.assign_identity(BOB, origin=OPERATOR)

    second = office.assign_identity(BOB, origin=OPERATOR)

    enrolments = office.store.rows.enrolments
    assert not enrolments[digest_of(first.code)].is_open(office.clock.now())
    assert enrolments[digest_of(second.code)].is_open(office.clock.now())
    assert second.identity == first.identity


def test_both_are_recorded_without_the_code(office: Office) -> None:
    invitation = office.assign_identity(BOB, origin=OPERATOR)

    assert office.records(AuditEvent.IDENTITY_ASSIGNED)[0].details == {"id": "bob"}
    (record,) = office.records(AuditEvent.ENROLMENT_CREATED)
    assert record.details["id"] == "bob"
    assert invitation.code not in repr(office.store.rows.audit)


def test_the_user_is_told_of_an_invitation(office: Office) -> None:
    office.assign_identity(ALICE, origin=OPERATOR)

    assert office.notifier.told == [(ALICE, "enrolment_created")]


def test_a_user_has_one_id_at_most(office: Office) -> None:
    with pytest.raises(Conflict) as caught:
        office.assign_identity(ALICE, "alice-two", origin=OPERATOR)

    assert caught.value.reason == "second_identity"
    assert office.person().identity == "alice"
    assert office.store.rows.enrolments == {}


@pytest.mark.parametrize("taken", ["alice", "ALICE", "al\u200bice"])
def test_an_id_belongs_to_one_user(office: Office, taken: str) -> None:
    with pytest.raises(Conflict) as caught:
        office.assign_identity(BOB, taken, origin=OPERATOR)

    assert caught.value.reason == "taken"
    assert "of another user" in str(caught.value)
    assert office.person(BOB).identity is None


def test_the_refusal_of_a_taken_id_names_it(office: Office) -> None:
    with office.store.unit() as unit:
        unit.people.add(a_person("carol", identity=ApprovalIdentity("wonder")), "hash")

    with pytest.raises(Conflict) as caught:
        office.assign_identity(BOB, "wonder", origin=OPERATOR)

    assert str(caught.value) == "'wonder' is the ID or name of another user"


def test_an_id_is_not_the_name_of_another(office: Office) -> None:
    """A login that gives "carol" must find Carol, never somebody who chose that ID."""
    with office.store.unit() as unit:
        unit.people.add(a_person("carol", identity=None), "hash")

    with pytest.raises(Conflict) as caught:
        office.assign_identity(BOB, "carol", origin=OPERATOR)

    assert caught.value.reason == "taken"


@pytest.mark.parametrize("bad", ["two words", "a/b", "-bob", "bob.", "b\u00f6b", "x" * 65])
def test_what_cannot_be_an_id_is_refused(office: Office, bad: str) -> None:
    with pytest.raises(Conflict) as caught:
        office.assign_identity(BOB, bad, origin=OPERATOR)

    assert caught.value.reason == "bad_identity"


def test_a_disabled_user_gets_no_invitation(office: Office) -> None:
    office.people.disable(BOB, origin=OPERATOR)

    with pytest.raises(Conflict) as caught:
        office.assign_identity(BOB, origin=OPERATOR)

    assert caught.value.reason == "disabled"


def test_revoking_takes_id_devices_sessions_and_approvals(office: Office) -> None:
    office.sign_in()

    person = office.assign_identity.revoke(ALICE, origin=OPERATOR)

    assert person.identity is None
    assert office.person().identity is None
    assert not office.store.rows.devices[a_device().device_id].is_live
    assert office.has_ended()


def test_revoking_is_recorded_with_each_device(office: Office) -> None:
    office.assign_identity.revoke(ALICE, origin=OPERATOR)

    (device,) = office.records(AuditEvent.DEVICE_RETIRED)
    (identity,) = office.records(AuditEvent.IDENTITY_REVOKED)
    assert device.details["device"] == a_device().device_id
    assert identity.details["id"] == "alice"
    assert office.notifier.told == [(ALICE, "identity_revoked")]


def test_revoking_leaves_a_retired_device_as_it_was(office: Office) -> None:
    office.retire_device(a_device().device_id, origin=OPERATOR)
    retired_at = office.store.rows.devices[a_device().device_id].retired_at
    office.clock.advance(hours=1)

    office.assign_identity.revoke(ALICE, origin=OPERATOR)

    assert office.store.rows.devices[a_device().device_id].retired_at == retired_at


def test_who_has_no_id_has_none_to_revoke(office: Office) -> None:
    with pytest.raises(Conflict) as caught:
        office.assign_identity.revoke(BOB, origin=OPERATOR)

    assert caught.value.reason == "no_identity"


def test_a_revoked_id_may_go_to_another_whose_invitation_the_old_one_is_not(office: Office) -> None:
    with office.store.unit() as unit:
        unit.people.replace(
            office.person(), replace(office.person(), identity=ApprovalIdentity("shared"))
        )
    old = office.assign_identity(ALICE, origin=OPERATOR)
    office.assign_identity.revoke(ALICE, origin=OPERATOR)

    office.assign_identity(BOB, "shared", origin=OPERATOR)

    enrolment = office.store.rows.enrolments[digest_of(old.code)]
    # enrol_device binds only while the invited user has the invited ID
    assert (enrolment.user_id, office.person(enrolment.user_id).identity) == (ALICE, None)
