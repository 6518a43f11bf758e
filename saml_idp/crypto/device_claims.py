"""The claims of each message of a device: exactly which, of which type and shape."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from saml_idp.crypto.compact_jws import Json
from saml_idp.domain.errors import DeviceMessageRejected

Shape = Callable[[object], bool]
Claims = Mapping[str, Shape]

_LATEST: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last instant that has a date
# Line ends and control characters, and those that turn the writing direction: a name with them
# could pass for other words on an administrator's page or in a log.
_TREACHEROUS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def _token(least: int, most: int) -> Shape:
    """Characters of base64url."""
    pattern = re.compile(rf"[A-Za-z0-9_-]{{{least},{most}}}", re.ASCII)
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _text(least: int, most: int) -> Shape:
    """Unicode code points."""
    return lambda value: isinstance(value, str) and least <= len(value) <= most


def _name(value: object) -> bool:
    """What people read: not empty, not framed by white space, no character that deceives."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= 64
        and value == value.strip()
        and not _TREACHEROUS.search(value)
    )


def _symbols(value: object) -> bool:
    """A row of 0 to 6 characters of the Base32 alphabet (RFC 4648 section 6)."""
    return isinstance(value, str) and re.fullmatch(r"[A-Z2-7]{0,6}", value) is not None


def _seconds(value: object) -> bool:
    """A NumericDate (RFC 7519 section 2), whole; ``true`` is not 1."""
    return type(value) is int and 0 <= value <= _LATEST


_EVERY: Final[Claims] = {"aud": _text(1, 1024), "iat": _seconds, "jti": _token(16, 64)}
ENROLMENT: Final[Claims] = {**_EVERY, "code": _token(16, 128), "device_name": _name}
CALL: Final[Claims] = {
    **_EVERY,
    "iss": _token(1, 64),
    "htm": _text(1, 16),
    "htu": _text(1, 2048),
}
ANSWER: Final[Claims] = {
    **_EVERY,
    "iss": _token(1, 64),
    "approval": _token(1, 64),
    "attempt": _token(0, 64),  # empty: a trial approval, which belongs to no login
    "id": _text(1, 256),
    "provider": _text(1, 1024),
    "provider_name": _text(1, 1024),
    "nonce": _token(16, 64),
    "verdict": _text(0, 32),  # any word: all but one mean no (D07)
    "symbols": _symbols,
    "exp": _seconds,
}


def checked(payload: Json, expected: Claims) -> dict[str, str | int]:
    """Return the claims in *payload*, each of its shape, none missing and none besides.

    Raises:
        DeviceMessageRejected: ``bad_claims``.
    """
    if payload.keys() != expected.keys():
        raise DeviceMessageRejected("not exactly the claims of its kind", reason="bad_claims")
    found: dict[str, str | int] = {}
    for name, fits in expected.items():
        value = payload[name]
        if not fits(value) or not isinstance(value, str | int):
            raise DeviceMessageRejected(f"{name} has not its shape", reason="bad_claims")
        found[name] = value
    return found
