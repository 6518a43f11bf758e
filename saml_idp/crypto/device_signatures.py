"""Verify what a device signed (docs/device-protocol.md). No message is believed before its
signature: each function here returns only claims that the device's key covers.

A message lives 60 seconds from its ``iat``. A device's clock may be up to 30 seconds fast;
a slow one eats into the 60.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from saml_idp.crypto.compact_jws import CompactJws, Json, read_compact, read_object
from saml_idp.crypto.device_claims import ANSWER, CALL, ENROLMENT, Claims, checked
from saml_idp.crypto.device_keys import DevicePublicKey, public_key_of, stored_public_key
from saml_idp.domain.approval import Answer
from saml_idp.domain.errors import DeviceMessageRejected
from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import ApprovalId, DeviceId

LIFETIME: Final = timedelta(seconds=60)
FAST_CLOCK: Final = timedelta(seconds=30)
_SHAPES: Final[Mapping[str, Claims]] = {
    "enrol+jws": ENROLMENT,
    "device+jws": CALL,
    "answer+jws": ANSWER,
}


@dataclass(frozen=True, slots=True)
class EnrolmentMessage:
    """The claims of an ``enrol+jws`` whose signature verified with the key in its own header.

    Holding it means: the sender has the private key of ``public_key`` (canonical JWK JSON).
    """

    code: str = field(repr=False)
    device_name: str
    public_key: str
    jti: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class CallMessage:
    """The claims of a ``device+jws`` that verified. ``expires_at``: remember ``jti`` until then."""

    device_id: DeviceId
    jti: str
    expires_at: datetime


def claimed_device(message: str, *, typ: str) -> DeviceId:
    """Return who *message* says it is from. Not verified: only for looking up the key.

    Raises:
        DeviceMessageRejected: not a message of *typ*, or of nobody.
    """
    jws = _of_type(message, typ)
    claims = checked(read_object(jws.payload), _SHAPES[typ])
    if "iss" not in claims:
        raise DeviceMessageRejected("a message of nobody", reason="wrong_type")
    return DeviceId(str(claims["iss"]))


def verified_enrolment(message: str, *, expected_audience: str, now: datetime) -> EnrolmentMessage:
    """Return the claims of *message*, an ``enrol+jws``: its sender has the key.

    Args:
        expected_audience: our entity ID.
        now: the present instant, aware, UTC.

    Raises:
        DeviceMessageRejected: with one of the codes of docs/device-protocol.md.
    """
    jws = _of_type(message, "enrol+jws")
    key = public_key_of(jws.header["jwk"])
    claims = _verified(jws, key, "enrol+jws")
    issued_at = _timely(claims, expected_audience, now)
    return EnrolmentMessage(
        str(claims["code"]), str(claims["device_name"]), key.jwk, str(claims["jti"]), issued_at
    )


def verified_call(
    message: str,
    *,
    public_key: str,
    expected_audience: str,
    expected_method: str,
    expected_url: str,
    now: datetime,
) -> CallMessage:
    """Return the claims of *message*, a ``device+jws`` for this very call.

    Args:
        public_key: the device's key as stored, JWK JSON.
        expected_audience: our entity ID.
        expected_method: the method of the call, upper case.
        expected_url: absolute, without query and fragment, as our base URL spells it.
        now: the present instant, aware, UTC.

    Raises:
        DeviceMessageRejected: with one of the codes of docs/device-protocol.md.
    """
    claims = _verified(_of_type(message, "device+jws"), stored_public_key(public_key), "device+jws")
    if (claims["htm"], claims["htu"]) != (expected_method, expected_url):
        raise DeviceMessageRejected("the message is for another call", reason="wrong_target")
    issued_at = _timely(claims, expected_audience, now)
    return CallMessage(DeviceId(str(claims["iss"])), str(claims["jti"]), issued_at + LIFETIME)


def verified_answer(
    message: str, *, public_key: str, expected_audience: str, now: datetime
) -> Answer:
    """Return the claims of *message*, an ``answer+jws``. What they amount to: domain.approval.

    Args:
        public_key: the device's key as stored, JWK JSON.
        expected_audience: our entity ID.
        now: the present instant, aware, UTC.

    Raises:
        DeviceMessageRejected: with one of the codes of docs/device-protocol.md.
    """
    claims = _verified(_of_type(message, "answer+jws"), stored_public_key(public_key), "answer+jws")
    issued_at = _timely(claims, expected_audience, now)
    expires_at = _instant(claims["exp"])
    if not issued_at < expires_at <= issued_at + LIFETIME:
        raise _out_of_date("exp is not within 60 seconds after iat")
    if now >= expires_at:
        raise _out_of_date("the answer has expired")
    return Answer(
        device_id=DeviceId(str(claims["iss"])),
        approval_id=ApprovalId(str(claims["approval"])),
        attempt_id=str(claims["attempt"]),
        identity=str(claims["id"]),
        provider=str(claims["provider"]),
        provider_name=str(claims["provider_name"]),
        nonce=str(claims["nonce"]),
        verdict=str(claims["verdict"]),
        symbols=str(claims["symbols"]),
        method=Method.DEVICE,
        user_verified=False,  # a bare key says nothing about who unlocked the device (D20)
        expires_at=expires_at,
        message=message,
    )


def verify_stored_answer(message: str, public_key: str) -> dict[str, str | int]:
    """Return the claims of *message*, an ``answer+jws`` that was stored as evidence.

    Checks shape and signature alone: its time is over, and its audience is the auditor's to
    compare. Whoever asks holds the claims against the receipt.

    Raises:
        DeviceMessageRejected: it is not what *public_key* (JWK JSON) signed.
    """
    jws = _of_type(message, "answer+jws")
    return dict(_verified(jws, stored_public_key(public_key), "answer+jws"))


def _of_type(message: str, typ: str) -> CompactJws:
    """Return the parts of *message*, whose header has the members of a *typ* and no other.

    No ``kid``, ``jku``, ``x5u``, ``x5c``, ``crit`` or ``b64``: a message never says where its
    key is to be found, nor changes how it is read.
    """
    jws = read_compact(message)
    if jws.header.get("typ") != typ:
        raise DeviceMessageRejected("a message of another kind", reason="wrong_type")
    members = {"alg", "typ", "jwk"} if typ == "enrol+jws" else {"alg", "typ"}
    if jws.header.keys() != members:
        raise DeviceMessageRejected("not exactly the header of its kind", reason="bad_header")
    return jws


def _verified(jws: CompactJws, key: DevicePublicKey, typ: str) -> Mapping[str, str | int]:
    """Return the claims once *key* verified them. The key names the algorithm, never the message:
    ``none``, or HS256 with the public key as its secret, is just another wrong word.
    """
    if jws.header["alg"] != key.algorithm:
        raise DeviceMessageRejected("not the algorithm of this key", reason="bad_algorithm")
    key.verify(jws.signature, jws.signing_input)
    payload: Json = read_object(jws.payload)
    return checked(payload, _SHAPES[typ])


def _timely(claims: Mapping[str, str | int], expected_audience: str, now: datetime) -> datetime:
    """Return ``iat`` of a message that is for us and of this minute."""
    if claims["aud"] != expected_audience:
        raise DeviceMessageRejected("the message is for another IdP", reason="wrong_audience")
    issued_at = _instant(claims["iat"])
    if not issued_at - FAST_CLOCK <= now < issued_at + LIFETIME:
        raise _out_of_date("the message is not of this minute")
    return issued_at


def _instant(seconds: str | int) -> datetime:
    """Return the instant of a NumericDate, whose bounds ``device_claims`` has checked."""
    return datetime.fromtimestamp(int(seconds), tz=UTC)


def _out_of_date(sentence: str) -> DeviceMessageRejected:
    return DeviceMessageRejected(sentence, reason="out_of_date")
