"""Who is calling on the device channel (D13)."""

from dataclasses import replace

import pytest

from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.messages import Messages
from saml_idp.domain.errors import DeviceMessageRejected
from saml_idp.domain.ids import DeviceId
from tests.build import IDP, ORIGIN
from tests.unit.services.house import House, Phone

URL = "https://idp.example.org/device/v1/approvals"


def call(house: House, phone: Phone, *, audience: str = IDP) -> str:
    now = int(house.clock.now().timestamp())
    return Messages(phone.key, audience).call(phone.device.device_id, "GET", URL, now=now)


def refusal(house: House, message: str, *, method: str = "GET", url: str = URL) -> str:
    with pytest.raises(DeviceMessageRejected) as refused:
        house.recognise_device(message, method=method, url=url)
    return refused.value.reason


def test_a_live_device_is_known_by_its_signature(house: House, phone: Phone) -> None:
    message = call(house, phone)
    assert house.recognise_device(message, method="GET", url=URL) == phone.device


def test_a_message_is_used_once(house: House, phone: Phone) -> None:
    message = call(house, phone)
    house.recognise_device(message, method="GET", url=URL)
    assert refusal(house, message) == "replayed"
    house.recognise_device(call(house, phone), method="GET", url=URL)


def test_a_message_is_for_one_call(house: House, phone: Phone) -> None:
    assert refusal(house, call(house, phone), method="POST") == "wrong_target"
    assert refusal(house, call(house, phone), url=URL + "/x") == "wrong_target"


def test_a_message_is_for_this_idp_and_this_minute(house: House, phone: Phone) -> None:
    assert refusal(house, call(house, phone, audience="https://other")) == "wrong_audience"
    message = call(house, phone)
    house.clock.advance(seconds=60)
    assert refusal(house, message) == "out_of_date"


def test_a_retired_device_is_not_told_apart_from_an_unknown_one(house: House, phone: Phone) -> None:
    house.retire_device(phone.device.device_id, origin=ORIGIN)
    assert refusal(house, call(house, phone)) == "unknown_device"
    unknown = replace(phone, device=replace(phone.device, device_id=DeviceId("nobody")))
    assert refusal(house, call(house, unknown)) == "unknown_device"


def test_another_key_is_not_the_device(house: House, phone: Phone) -> None:
    forged = replace(phone, key=DeviceKey.generate())
    assert refusal(house, call(house, forged)) == "bad_signature"


def test_a_message_that_failed_uses_nothing_up(house: House, phone: Phone) -> None:
    message = call(house, phone)
    assert refusal(house, message, method="POST") == "wrong_target"
    house.recognise_device(message, method="GET", url=URL)
