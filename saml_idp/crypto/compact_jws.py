"""The strict reader of a JWS in compact serialisation (RFC 7515 section 7.1). It trusts nothing.

Written on the standard library, not on a JOSE library: those accept what a signed message of
ours may never hold (duplicate members, other base64url spellings, unknown header members),
and what is left, one signature over two known kinds of key, is shorter than their set-up.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from saml_idp.domain.errors import DeviceMessageRejected

LONGEST_MESSAGE: Final = 8192  # characters; a real message has under 2 000
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CompactJws:
    """A message that is well formed. Nothing in it is verified yet.

    ``signing_input``: the octets that the signature covers (RFC 7515 section 5.2).
    """

    header: Json
    payload: bytes
    signing_input: bytes
    signature: bytes = field(repr=False)


def read_compact(message: str) -> CompactJws:
    """Return the parts of *message*.

    Raises:
        DeviceMessageRejected: ``too_large``, or ``malformed``: not three parts of strict
            base64url, or a header that is not one JSON object.
    """
    if len(message) > LONGEST_MESSAGE:
        raise DeviceMessageRejected("the message is too large", reason="too_large")
    parts = message.split(".")
    if len(parts) != 3:
        raise malformed("not three parts")
    header, payload, signature = (base64url_octets(part) for part in parts)
    signing_input = f"{parts[0]}.{parts[1]}".encode("ascii")
    return CompactJws(read_object(header), payload, signing_input, signature)


def base64url_octets(text: str) -> bytes:
    """Return the octets of *text*: base64url without padding, in its one spelling (RFC 4648 3.5).

    Raises:
        DeviceMessageRejected: ``malformed``.
    """
    if not _BASE64URL.fullmatch(text):
        raise malformed("not base64url")
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise malformed("not base64url") from None
    # Unused trailing bits that are not zero would give one signature several spellings.
    if base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii") != text:
        raise malformed("not the one spelling of base64url")
    return octets


def read_object(octets: bytes) -> Json:
    """Return the JSON object in *octets*, UTF-8.

    Raises:
        DeviceMessageRejected: ``malformed``: not UTF-8, not an object, a name that stands
            twice (readers differ in which one they take), or a text that is not Unicode.
    """
    try:
        value: object = json.loads(
            octets.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_float=_refused_number,
            parse_constant=_refused_number,
        )
    except (ValueError, RecursionError):
        raise malformed("not JSON") from None
    if not isinstance(value, dict):
        raise malformed("not a JSON object")
    _refuse_lone_surrogates(value)
    return value


def malformed(sentence: str) -> DeviceMessageRejected:
    """Return the refusal of a message that is not in the form of the protocol."""
    return DeviceMessageRejected(sentence, reason="malformed")


def _without_duplicates(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise malformed("a name stands twice")
    return members


def _refused_number(_: str) -> object:
    raise malformed("a number that is not an integer")


def _refuse_lone_surrogates(value: object) -> None:
    """An escaped half of a pair is JSON, but no text that can be compared, stored or shown."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        raise malformed("a text that is not Unicode") from None
