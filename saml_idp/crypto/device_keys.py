"""The public keys of devices: P-256 for ES256, Ed25519 for EdDSA, as strict JWK (RFC 7517)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from saml_idp.crypto.compact_jws import base64url_octets, read_object
from saml_idp.domain.canonical import canonical_json
from saml_idp.domain.errors import DeviceMessageRejected

_COORDINATE_OCTETS: Final = 32
_SIGNATURE_OCTETS: Final = 64
_MEMBERS: Final = {
    "EC": frozenset({"kty", "crv", "x", "y"}),
    "OKP": frozenset({"kty", "crv", "x"}),
}
_FIELD: Final = 2**255 - 19  # the field of edwards25519 (RFC 8032 section 5.1)
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER: Final = frozenset({0, 1, _FIELD - 1, _ORDER_8, _FIELD - _ORDER_8})


@dataclass(frozen=True, slots=True)
class DevicePublicKey:
    """A public key that a device may sign with; the key decides the algorithm.

    ``algorithm``: ``ES256`` or ``EdDSA``. ``jwk``: canonical JSON, the stored form.
    """

    algorithm: str
    jwk: str
    _verify: Callable[[bytes, bytes], None] = field(repr=False)

    def verify(self, signature: bytes, signed: bytes) -> None:
        """Return when *signature*, 64 octets (RFC 7518 3.4, RFC 8037 3.1), covers *signed*.

        Raises:
            DeviceMessageRejected: ``bad_signature``.
        """
        try:
            if len(signature) != _SIGNATURE_OCTETS:
                raise InvalidSignature
            self._verify(signature, signed)
        except InvalidSignature:
            raise DeviceMessageRejected(
                "the signature is not of this key", reason="bad_signature"
            ) from None


def public_key_of(jwk: object) -> DevicePublicKey:
    """Return the key in *jwk*, a parsed JSON value, with exactly the members of its kind.

    Raises:
        DeviceMessageRejected: ``bad_key``: another kind or curve, a private key, a further
            member, or a point that is not on the curve.
    """
    if not isinstance(jwk, Mapping):
        raise _bad_key("the key is not a JWK")
    kty = jwk.get("kty")
    if not isinstance(kty, str) or set(jwk) != _MEMBERS.get(kty, frozenset()):
        raise _bad_key("not exactly the members of a public key")
    members = {name: value for name, value in jwk.items() if isinstance(value, str)}
    if len(members) != len(jwk):
        raise _bad_key("a member of the key is not a text")
    stored = canonical_json(members).decode("ascii") if _is_ascii(members) else ""
    if (kty, members["crv"]) == ("EC", "P-256"):
        return DevicePublicKey("ES256", stored, _p256(members))
    if (kty, members["crv"]) == ("OKP", "Ed25519"):
        return DevicePublicKey("EdDSA", stored, _ed25519(members))
    raise _bad_key("neither P-256 nor Ed25519")


@lru_cache(maxsize=4096)
def stored_public_key(jwk: str) -> DevicePublicKey:
    """Return the key in *jwk*, the JSON that enrolment stored. Kept: its checks cost much time.

    Raises:
        DeviceMessageRejected: ``bad_key``.
    """
    try:
        return public_key_of(read_object(jwk.encode()))
    except (DeviceMessageRejected, UnicodeEncodeError):
        raise _bad_key("the stored key cannot be read") from None


def _p256(jwk: Mapping[str, str]) -> Callable[[bytes, bytes], None]:
    x, y = (int.from_bytes(_coordinate(jwk[name]), "big") for name in ("x", "y"))
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except ValueError:
        raise _bad_key("not a point of P-256") from None

    def verify(signature: bytes, signed: bytes) -> None:
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))

    return verify


def _ed25519(jwk: Mapping[str, str]) -> Callable[[bytes, bytes], None]:
    octets = _coordinate(jwk["x"])
    y = int.from_bytes(octets, "little") & (1 << 255) - 1
    # Under a point of small order one signature fits many messages: its owner could disown
    # every answer. A y that is not reduced would be a second spelling of a key.
    if y >= _FIELD or y in _SMALL_ORDER:
        raise _bad_key("not a key of Ed25519")
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise _bad_key("not a key of Ed25519") from None
    return key.verify


def _coordinate(text: str) -> bytes:
    try:
        octets = base64url_octets(text)
    except DeviceMessageRejected:
        raise _bad_key("a coordinate is not base64url") from None
    if len(octets) != _COORDINATE_OCTETS:
        raise _bad_key("a coordinate has not 32 octets")
    return octets


def _is_ascii(members: Mapping[str, str]) -> bool:
    return all(value.isascii() for value in members.values())


def _bad_key(sentence: str) -> DeviceMessageRejected:
    return DeviceMessageRejected(sentence, reason="bad_key")
