"""Bind a device: one invitation, one device, with the user's password."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.messages import Messages
from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.attempt import State
from saml_idp.domain.errors import Conflict, DeviceMessageRejected, Throttled
from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import UserId
from saml_idp.services.assign_identity import EnrolmentInvitation
from tests.build import ALICE, IDP, ORIGIN, a_person
from tests.unit.services.house import House, Jar, Phone, password_of


@pytest.fixture
def invitation(house: House) -> EnrolmentInvitation:
    return house.assign_identity(ALICE, origin=ORIGIN)


def refusal(house: House, code: str, password: str | None = None) -> str:
    with pytest.raises(DeviceMessageRejected) as refused:
        house.enrol(code, DeviceKey.generate(), password=password)
    return refused.value.reason


def devices(house: House) -> int:
    with house.store.view() as unit:
        return len(unit.devices.of_user(ALICE))


def test_the_key_that_signed_is_bound_to_the_id_and_a_trial_follows(
    house: House, invitation: EnrolmentInvitation
) -> None:
    enrolled = house.enrol(invitation.code, DeviceKey.generate())
    device, trial = enrolled.device, enrolled.trial
    assert (device.user_id, device.identity, device.method) == (ALICE, "alice", Method.DEVICE)
    assert (device.name, device.is_live) == ("new phone", True)
    with house.store.view() as unit:
        assert list(unit.devices.of_user(ALICE)) == [device]
        assert unit.approvals.find_open(device.identity, house.clock.now()) == trial
    assert trial is not None
    assert (trial.attempt_id, trial.symbols_count) == (None, 0)
    assert house.notifier.told[-1] == ("alice", "device_enrolled")
    assert house.events()[-1] == ("device_enrolled", "")


def test_a_device_that_is_bound_completes_a_login(
    house: House, jar: Jar, invitation: EnrolmentInvitation
) -> None:
    key = DeviceKey.generate()
    phone = Phone(house.enrol(invitation.code, key).device, key)
    house.clock.advance(seconds=1)
    house.log_in(jar, phone)


def test_an_invitation_is_taken_up_once(house: House, invitation: EnrolmentInvitation) -> None:
    house.enrol(invitation.code, DeviceKey.generate())
    assert refusal(house, invitation.code) == "code_invalid"
    assert devices(house) == 1


def test_of_eight_devices_at_once_one_is_bound(
    house: House, invitation: EnrolmentInvitation
) -> None:
    barrier, bound = threading.Barrier(8), []

    def enrol() -> None:
        key = DeviceKey.generate()
        barrier.wait()
        try:
            bound.append(house.enrol(invitation.code, key))
        except DeviceMessageRejected:
            return

    threads = [threading.Thread(target=enrol) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(bound), devices(house)) == (1, 1)


def test_an_invitation_ends_with_its_day(house: House, invitation: EnrolmentInvitation) -> None:
    house.clock.advance(hours=24)
    assert refusal(house, invitation.code) == "code_invalid"


def test_a_newer_invitation_ends_the_older(house: House, invitation: EnrolmentInvitation) -> None:
    house.clock.advance(seconds=1)
    house.assign_identity(ALICE, origin=ORIGIN)
    assert refusal(house, invitation.code) == "code_invalid"


def test_a_code_that_nobody_gave_binds_nothing(house: House) -> None:
    assert refusal(house, "x" * 22) == "code_invalid"


@pytest.mark.parametrize("change", [{"enabled": False}, {"identity": None}])
def test_an_invitation_dies_with_the_user_or_the_id(
    house: House, invitation: EnrolmentInvitation, change: dict[str, Any]
) -> None:
    with house.store.unit() as unit:
        person = unit.people.get(ALICE)
        unit.people.replace(person, replace(person, **change))
    assert refusal(house, invitation.code) == "code_invalid"


def test_a_stolen_link_alone_binds_nothing_and_its_failures_count(
    house: House, jar: Jar, invitation: EnrolmentInvitation
) -> None:
    for _ in range(5):
        assert refusal(house, invitation.code, "wrong") == "wrong_password"
    assert house.events()[-1] == ("password_rejected", "enrolment")
    with pytest.raises(Throttled):
        house.enrol(invitation.code, DeviceKey.generate())
    with pytest.raises(Throttled):
        house.password(house.begin(jar), jar)  # one count for all
    house.clock.advance(seconds=1)
    house.enrol(invitation.code, DeviceKey.generate())  # the code was not used up


def test_a_user_without_a_password_needs_none(house: House) -> None:
    with house.store.unit() as unit:
        unit.people.add(a_person("dave"), None)
    invitation = house.assign_identity(UserId("u-dave"), origin=ORIGIN)
    enrolled = house.enrol(invitation.code, DeviceKey.generate(), password="")
    assert enrolled.device.user_id == "u-dave"


def test_a_key_is_bound_once(house: House, invitation: EnrolmentInvitation) -> None:
    key = DeviceKey.generate()
    house.enrol(invitation.code, key)
    again = house.assign_identity(ALICE, origin=ORIGIN)
    with pytest.raises(Conflict):
        house.enrol(again.code, key)


def test_the_message_of_another_key_binds_nothing(
    house: House, invitation: EnrolmentInvitation
) -> None:
    """Proof of possession: header and signature are of one key."""
    now = int(house.clock.now().timestamp())
    mine, theirs = (
        Messages(DeviceKey.generate(), IDP).enrolment(invitation.code, "phone", now=now)
        for _ in range(2)
    )
    mixed = ".".join([*mine.split(".")[:2], theirs.split(".")[2]])
    with pytest.raises(DeviceMessageRejected) as refused:
        house.enrol_device(mixed, password=password_of("alice"), origin=ORIGIN)
    assert refused.value.reason == "bad_signature"
    assert devices(house) == 0


def test_no_trial_is_put_while_a_login_asks(
    house: House, jar: Jar, phone: Phone, invitation: EnrolmentInvitation
) -> None:
    attempt = house.password(house.begin(jar), jar)
    page = house.ask(attempt, jar)
    assert house.enrol(invitation.code, DeviceKey.generate()).trial is None
    assert house.approval(page.approval_id).state is ApprovalState.PENDING
    house.answer(phone, page.approval_id)
    assert house.stored(attempt).state is State.CHAIN_COMPLETE


def test_an_invitation_used_while_the_password_is_checked_binds_nothing_more(
    house: House, invitation: EnrolmentInvitation
) -> None:
    real = house.directory

    class Overtaken:
        def verify_password(self, name: str, password: str) -> object:
            if not devices(house):
                house.enrol(invitation.code, DeviceKey.generate())
            return real.verify_password(name, password)

    now = int(house.clock.now().timestamp())
    message = Messages(DeviceKey.generate(), IDP).enrolment(invitation.code, "phone", now=now)
    slow = replace(house.enrol_device, directory=Overtaken())  # type: ignore[arg-type]
    with pytest.raises(DeviceMessageRejected) as refused:
        slow(message, password=password_of("alice"), origin=ORIGIN)
    assert refused.value.reason == "code_invalid"
    assert devices(house) == 1
