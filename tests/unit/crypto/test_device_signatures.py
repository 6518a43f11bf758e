"""What the vectors cannot say: whatever octets arrive, the answer is a refusal and nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.crypto.device_keys import public_key_of, stored_public_key
from saml_idp.crypto.device_signatures import (
    claimed_device,
    verified_answer,
    verified_call,
    verified_enrolment,
    verify_stored_answer,
)
from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.messages import Messages, OpenApproval, Verdict
from saml_idp.domain.errors import DeviceMessageRejected
from saml_idp.domain.evidence import Method
from tests.vectors.device.common_cases import ANSWER, AUDIENCE, CALL, ENROLMENT, NOW, URL, Kind
from tests.vectors.device.signing import DEVICE, Json, b64, dumps, joined, message, unb64

CODES: Final = frozenset(
    {
        *("too_large", "malformed", "wrong_type", "bad_header", "bad_algorithm", "bad_key"),
        *("bad_signature", "bad_claims", "wrong_audience", "wrong_target", "out_of_date"),
    }
)
STORED: Final = dumps(DEVICE.jwk).decode()
INSTANT: Final = datetime.fromtimestamp(NOW, tz=UTC)
KINDS: Final = (
    Kind("enrol+jws", ENROLMENT),
    Kind("device+jws", CALL),
    Kind("answer+jws", ANSWER),
)
APPROVAL: Final = OpenApproval(
    approval="YXBwcm92YWwtMDAwMDAwMDAwMQ",
    attempt="YXR0ZW1wdC0wMDAwMDAwMDAwMQ",
    identity="alice",
    provider="https://jira.example.org",
    provider_name="Jira",
    nonce="bm9uY2Utb2YtMTI4LWJpdA",
    symbols_count=4,
    place="192.0.2.1",
    browser="Firefox on Linux",
    requested_at=INSTANT,
    expires_at=INSTANT,
    expires_in=110,
    trial=False,
    other_browser_waiting=False,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def _enrolment(text: str) -> object:
    return verified_enrolment(text, expected_audience=AUDIENCE, now=INSTANT)


def _call(text: str) -> object:
    return verified_call(
        text,
        public_key=STORED,
        expected_audience=AUDIENCE,
        expected_method="GET",
        expected_url=URL,
        now=INSTANT,
    )


def _answer(text: str) -> object:
    return verified_answer(text, public_key=STORED, expected_audience=AUDIENCE, now=INSTANT)


READERS: Final[tuple[Callable[[str], object], ...]] = (
    _enrolment,
    _call,
    _answer,
    lambda text: verify_stored_answer(text, STORED),
    lambda text: claimed_device(text, typ="device+jws"),
    lambda text: claimed_device(text, typ="answer+jws"),
    lambda text: claimed_device(text, typ="enrol+jws"),
)


def refused_by_all(text: str) -> None:
    for read in READERS:
        assert _outcome(read, text) in CODES | {"ok"}


def _outcome(read: Callable[[str], object], text: str) -> str:
    try:
        read(text)
    except DeviceMessageRejected as rejected:
        return rejected.reason
    return "ok"


@given(st.text())
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    refused_by_all(text)


@given(st.lists(st.binary(), min_size=3, max_size=3))
def test_any_octets_in_three_parts_are_refused(parts: list[bytes]) -> None:
    refused_by_all(".".join(b64(part) for part in parts))


@given(kind=st.sampled_from(KINDS), name=st.text(), value=json_values)
def test_any_value_in_a_signed_header_is_refused_or_harmless(
    kind: Kind, name: str, value: Any
) -> None:
    refused_by_all(message_of(kind.header() | {name: value}, kind.claims))


@given(kind=st.sampled_from(KINDS), data=st.data(), value=json_values)
def test_any_value_in_a_known_header_member_is_refused_or_harmless(
    kind: Kind, data: st.DataObject, value: Any
) -> None:
    name = data.draw(st.sampled_from(sorted(kind.header())))
    refused_by_all(message_of(kind.header() | {name: value}, kind.claims))


@given(kind=st.sampled_from(KINDS), data=st.data(), value=json_values)
def test_any_value_in_a_signed_claim_is_refused_or_harmless(
    kind: Kind, data: st.DataObject, value: Any
) -> None:
    name = data.draw(st.sampled_from(sorted(kind.claims)) | st.text())
    refused_by_all(message_of(kind.header(), kind.claims | {name: value}))


@given(data=st.data(), value=json_values)
def test_any_value_in_an_enrolled_key_is_refused_or_harmless(
    data: st.DataObject, value: Any
) -> None:
    name = data.draw(st.sampled_from(["kty", "crv", "x", "y", "d"]))
    refused_by_all(message_of(KINDS[0].header(jwk=DEVICE.jwk | {name: value}), ENROLMENT))


@given(kind=st.sampled_from(KINDS), place=st.integers(0, 400), character=st.characters())
def test_one_character_changed_is_always_refused(kind: Kind, place: int, character: str) -> None:
    good = kind.message()
    place %= len(good)
    changed = good[:place] + character + good[place + 1 :]
    if changed == good:
        return
    read = READERS[KINDS.index(kind)]
    with pytest.raises(DeviceMessageRejected) as rejected:
        read(changed)
    assert rejected.value.reason in CODES


def message_of(header: Json, claims: Json) -> str:
    """Signed, with whatever JSON Python can write of it (NaN and lone surrogates too)."""
    octets = [json.dumps(part, ensure_ascii=True).encode() for part in (header, claims)]
    return joined(octets[0], octets[1], DEVICE)


def test_nesting_of_any_depth_is_refused() -> None:
    """Parsing and checking give up at depths that differ by a few: none may get through."""
    for depth in range(700, 1100):
        deep = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
        refused_by_all(joined(deep, b"{}", DEVICE))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_what_the_sdk_signs_verifies(algorithm: Any) -> None:
    key = DeviceKey.generate(algorithm)
    messages = Messages(key, AUDIENCE)

    enrolment = verified_enrolment(
        messages.enrolment("c" * 22, "Büro", now=NOW), expected_audience=AUDIENCE, now=INSTANT
    )
    call = verified_call(
        messages.call("device-1", "POST", URL, now=NOW),
        public_key=enrolment.public_key,
        expected_audience=AUDIENCE,
        expected_method="POST",
        expected_url=URL,
        now=INSTANT,
    )
    answer = verified_answer(
        messages.answer("device-1", APPROVAL, Verdict.APPROVE, symbols="K3QA", now=NOW),
        public_key=enrolment.public_key,
        expected_audience=AUDIENCE,
        now=INSTANT,
    )

    assert json.loads(enrolment.public_key) == key.public_jwk()
    assert (enrolment.code, enrolment.device_name) == ("c" * 22, "Büro")
    assert call.device_id == answer.device_id == "device-1"
    assert (answer.verdict, answer.symbols, answer.nonce) == ("approve", "K3QA", APPROVAL.nonce)
    assert (answer.method, answer.user_verified) == (Method.DEVICE, False)


@pytest.mark.parametrize("verdict", [Verdict.DENY, Verdict.NOT_ME])
def test_a_no_of_the_sdk_carries_no_symbols(verdict: Verdict) -> None:
    text = Messages(DeviceKey.generate(), AUDIENCE).answer(
        "device-1", APPROVAL, verdict, symbols="K3QA", now=NOW
    )
    claims = json.loads(unb64(text.split(".")[1]))
    assert (claims["verdict"], claims["symbols"]) == (str(verdict), "")


def test_a_trial_belongs_to_no_login() -> None:
    key = DeviceKey.generate()
    trial = replace(APPROVAL, attempt="", symbols_count=0, trial=True)
    text = Messages(key, AUDIENCE).answer("device-1", trial, Verdict.APPROVE, now=NOW)
    answer = verified_answer(
        text,
        public_key=json.dumps(key.public_jwk()),
        expected_audience=AUDIENCE,
        now=INSTANT,
    )
    assert (answer.attempt_id, answer.symbols) == ("", "")


def test_an_enrolment_is_of_no_device_yet() -> None:
    with pytest.raises(DeviceMessageRejected) as rejected:
        claimed_device(KINDS[0].message(), typ="enrol+jws")
    assert rejected.value.reason == "wrong_type"


def test_claimed_device_reads_without_believing() -> None:
    forged = KINDS[1].message()[:-4] + "AAAA"
    assert claimed_device(forged, typ="device+jws") == CALL["iss"]


@pytest.mark.parametrize(
    "stored", ["", "{}", "null", "[]", '{"kty":"EC"}', "\ud800", "[" * 5000, STORED + "x"]
)
def test_a_stored_key_that_is_damaged_verifies_nothing(stored: str) -> None:
    with pytest.raises(DeviceMessageRejected) as rejected:
        stored_public_key(stored)
    assert rejected.value.reason == "bad_key"


def test_a_key_has_one_stored_form() -> None:
    turned = dict(reversed(DEVICE.jwk.items()))
    assert public_key_of(turned).jwk == public_key_of(DEVICE.jwk).jwk
    assert stored_public_key(public_key_of(turned).jwk).algorithm == "ES256"


def test_secrets_do_not_show_in_a_repr() -> None:
    enrolment = verified_enrolment(KINDS[0].message(), expected_audience=AUDIENCE, now=INSTANT)
    answer = verified_answer(
        KINDS[2].message(), public_key=STORED, expected_audience=AUDIENCE, now=INSTANT
    )
    assert ENROLMENT["code"] not in repr(enrolment)
    assert ANSWER["symbols"] not in repr(answer)


def test_another_claims_object_cannot_ride_on_a_signature() -> None:
    """The same signature under another header: the kinds keep apart though claims were equal."""
    text = message({"alg": "ES256", "typ": "answer+jws"}, CALL, DEVICE)
    for read in READERS[1:3]:
        with pytest.raises(DeviceMessageRejected):
            read(text)
