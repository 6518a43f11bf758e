"""The port ``DeviceStore``: devices, invitations, message ids."""

from dataclasses import replace

import pytest

from saml_idp.domain.errors import Conflict, NotFound, TransitionNotAllowed
from saml_idp.domain.ids import DeviceId, UserId, digest_of
from saml_idp.ports.store import Store
from tests.build import ALICE, NOW, a_device, an_enrolment, seconds

CODE = an_enrolment().code_hash


def test_a_device_comes_back_as_it_was(store: Store) -> None:
    device = a_device(retired_at=NOW, last_seen_at=NOW - seconds(1))
    with store.unit() as unit:
        unit.devices.add(device)
    with store.view() as unit:
        assert unit.devices.get(device.device_id) == device


def test_an_unknown_device_is_not_found(store: Store) -> None:
    unknown = DeviceId("unknown")
    with store.unit() as unit:
        for call in (
            lambda: unit.devices.get(unknown),
            lambda: unit.devices.retire(unknown, NOW),
            lambda: unit.devices.seen(unknown, NOW),
        ):
            with pytest.raises(NotFound):
                call()


def test_a_key_is_enrolled_once_whoever_brings_it(store: Store) -> None:
    device = a_device()
    with store.unit() as unit:
        unit.devices.add(device)
        unit.devices.retire(device.device_id, NOW)
    stolen = replace(a_device("mallory"), public_key=device.public_key)
    with store.unit() as unit, pytest.raises(Conflict):
        unit.devices.add(stolen)


def test_devices_of_a_user_come_oldest_first(store: Store) -> None:
    young = a_device(number=1, enrolled_at=NOW)
    old = a_device(number=2, enrolled_at=NOW - seconds(60))
    with store.unit() as unit:
        unit.devices.add(young)
        unit.devices.add(old)
        unit.devices.add(a_device("bob"))
        unit.devices.retire(old.device_id, NOW)
        assert list(unit.devices.of_user(ALICE)) == [replace(old, retired_at=NOW), young]
        assert list(unit.devices.of_user(UserId("nobody"))) == []


def test_a_device_is_retired_once(store: Store) -> None:
    device = a_device()
    with store.unit() as unit:
        unit.devices.add(device)
        unit.devices.retire(device.device_id, NOW)
        with pytest.raises(TransitionNotAllowed):
            unit.devices.retire(device.device_id, NOW + seconds(1))
        assert unit.devices.get(device.device_id).retired_at == NOW


def test_the_last_call_of_a_device_is_noted(store: Store) -> None:
    device = a_device()
    with store.unit() as unit:
        unit.devices.add(device)
        unit.devices.seen(device.device_id, NOW)
        assert unit.devices.get(device.device_id).last_seen_at == NOW


def test_an_invitation_comes_back_as_it_was(store: Store) -> None:
    with store.unit() as unit:
        assert unit.devices.find_enrolment(CODE) is None
        unit.devices.add_enrolment(an_enrolment())
    with store.view() as unit:
        assert unit.devices.find_enrolment(CODE) == an_enrolment()


def test_an_invitation_is_used_once(store: Store) -> None:
    with store.unit() as unit:
        unit.devices.add_enrolment(an_enrolment())
        unit.devices.use_enrolment(CODE, NOW)
        with pytest.raises(TransitionNotAllowed):
            unit.devices.use_enrolment(CODE, NOW)
        found = unit.devices.find_enrolment(CODE)
    assert found == an_enrolment(used_at=NOW)


def test_an_invitation_that_is_too_old_is_not_used(store: Store) -> None:
    end = an_enrolment().expires_at
    with store.unit() as unit:
        unit.devices.add_enrolment(an_enrolment())
        with pytest.raises(TransitionNotAllowed):
            unit.devices.use_enrolment(CODE, end)
        unit.devices.use_enrolment(CODE, end - seconds(0.000001))


def test_an_unknown_invitation_is_not_found(store: Store) -> None:
    with store.unit() as unit, pytest.raises(NotFound):
        unit.devices.use_enrolment(CODE, NOW)


def test_a_new_invitation_ends_the_open_ones_of_its_user(store: Store) -> None:
    later = an_enrolment(code="other code", created_at=NOW + seconds(5))
    with store.unit() as unit:
        unit.devices.add_enrolment(an_enrolment())
        unit.devices.add_enrolment(an_enrolment("bob", code="bob's"))
        unit.devices.add_enrolment(later)
        with pytest.raises(TransitionNotAllowed):
            unit.devices.use_enrolment(CODE, NOW + seconds(6))
        unit.devices.use_enrolment(later.code_hash, NOW + seconds(6))
        unit.devices.use_enrolment(digest_of("bob's"), NOW + seconds(6))


def test_an_invitation_is_stored_once(store: Store) -> None:
    with store.unit() as unit:
        unit.devices.add_enrolment(an_enrolment())
        with pytest.raises(Conflict):
            unit.devices.add_enrolment(an_enrolment())


def test_a_message_id_is_used_once_for_each_device(store: Store) -> None:
    with store.unit() as unit:
        unit.devices.use_token("device-1", "jti", expires_at=NOW)
        unit.devices.use_token("device-2", "jti", expires_at=NOW)
        unit.devices.use_token("device-1", "other", expires_at=NOW)
    with store.unit() as unit, pytest.raises(TransitionNotAllowed):
        unit.devices.use_token("device-1", "jti", expires_at=NOW + seconds(60))


def test_message_ids_are_forgotten_after_their_time(store: Store) -> None:
    with store.unit() as unit:
        for number in range(5):
            unit.devices.use_token("device-1", f"jti-{number}", expires_at=NOW)
        unit.devices.use_token("device-1", "valid", expires_at=NOW + seconds(1))
        after = NOW + seconds(0.000001)
        assert unit.devices.delete_tokens_before(NOW, limit=10) == 0
        assert unit.devices.delete_tokens_before(after, limit=3) == 3
        assert unit.devices.delete_tokens_before(after, limit=3) == 2
        with pytest.raises(TransitionNotAllowed):
            unit.devices.use_token("device-1", "valid", expires_at=NOW)
