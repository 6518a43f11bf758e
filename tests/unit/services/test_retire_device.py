"""A lost device is worth nothing from that moment on."""

import pytest

from saml_idp.domain.audit import AuditEvent, Origin
from saml_idp.domain.errors import NotFound, TransitionNotAllowed
from saml_idp.domain.ids import DeviceId
from tests.build import a_device
from tests.unit.services.office import ALICE, OPERATOR, Office

PHONE = a_device().device_id


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_retired_device_is_not_live_and_says_since_when(office: Office) -> None:
    device = office.retire_device(PHONE, origin=OPERATOR)

    assert device.retired_at == office.clock.now()
    assert not office.store.rows.devices[PHONE].is_live


def test_open_approvals_and_sessions_of_its_owner_end(office: Office) -> None:
    office.sign_in()

    office.retire_device(PHONE, origin=OPERATOR)

    assert office.has_ended()


def test_those_of_others_do_not(office: Office) -> None:
    office.sign_in("root")

    office.retire_device(PHONE, origin=OPERATOR)

    assert not office.has_ended("root")


def test_it_is_recorded_with_who_did_it_and_the_owner_is_told(office: Office) -> None:
    itself = Origin("ref", "192.0.2.7", f"device:{PHONE}")

    office.retire_device(PHONE, origin=itself)

    (record,) = office.records(AuditEvent.DEVICE_RETIRED)
    assert (record.subject, record.origin) == (ALICE, itself)
    assert record.details["device"] == PHONE
    assert office.notifier.told == [(ALICE, "device_retired")]


def test_a_device_is_retired_once(office: Office) -> None:
    office.retire_device(PHONE, origin=OPERATOR)

    with pytest.raises(TransitionNotAllowed):
        office.retire_device(PHONE, origin=OPERATOR)

    assert len(office.records(AuditEvent.DEVICE_RETIRED)) == 1


def test_an_unknown_device_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        office.retire_device(DeviceId("nothing"), origin=OPERATOR)


def test_a_second_device_of_the_last_administrator_may_go(office: Office) -> None:
    with office.store.unit() as unit:
        unit.devices.add(a_device("root", 2))

    office.retire_device(a_device("root", 2).device_id, origin=OPERATOR)

    assert office.records(AuditEvent.LOCK_OUT_PREVENTED) == []


def test_when_the_record_cannot_be_written_the_device_stays(office: Office) -> None:
    office.store.break_down()

    with pytest.raises(Exception, match="disk is full"):
        office.retire_device(PHONE, origin=OPERATOR)

    assert office.store.rows.devices[PHONE].is_live
    assert office.notifier.told == []
