"""Makes messages for the vectors, good and bad, octet by octet. Knows nothing of the product.

Fixed keys and deterministic signatures (RFC 8032; RFC 6979 for ES256): running it again writes
the same octets. The keys are known to everybody; nothing but the vectors may use them.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Json = dict[str, Any]

ORDER_P256: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ORDER_ED25519: Final = 2**252 + 27742317777372353535851937790883648493


def b64(octets: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The octets of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def dumps(value: object) -> bytes:
    """JSON as most devices write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _seed(name: str) -> bytes:
    return hashlib.sha256(f"saml-idp device vectors: {name}".encode()).digest()


@dataclass(frozen=True)
class Es256:
    """A P-256 key."""

    name: str
    alg = "ES256"

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(_seed(self.name)) % ORDER_P256, ec.SECP256R1())

    @property
    def jwk(self) -> Json:
        point = self.key.public_key().public_numbers()
        x, y = (b64(number.to_bytes(32, "big")) for number in (point.x, point.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    @property
    def private_jwk(self) -> Json:
        secret = self.key.private_numbers().private_value.to_bytes(32, "big")
        return {**self.jwk, "d": b64(secret)}

    def der(self, signing_input: bytes) -> bytes:
        return self.key.sign(signing_input, ec.ECDSA(SHA256(), deterministic_signing=True))

    def sign(self, signing_input: bytes) -> bytes:
        r, s = decode_dss_signature(self.der(signing_input))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@dataclass(frozen=True)
class EdDsa:
    """An Ed25519 key."""

    name: str
    alg = "EdDSA"

    @property
    def key(self) -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.from_private_bytes(_seed(self.name))

    @property
    def jwk(self) -> Json:
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}

    @property
    def private_jwk(self) -> Json:
        return {**self.jwk, "d": b64(_seed(self.name))}

    def sign(self, signing_input: bytes) -> bytes:
        return self.key.sign(signing_input)


Key = Es256 | EdDsa
DEVICE: Final = Es256("device")
OTHER: Final = Es256("another device")
ED_DEVICE: Final = EdDsa("device")


def joined(header: bytes, payload: bytes, key: Key) -> str:
    """A message of these very octets, signed."""
    signing_input = f"{b64(header)}.{b64(payload)}"
    return f"{signing_input}.{b64(key.sign(signing_input.encode()))}"


def message(header: Json, claims: Json, key: Key) -> str:
    """A message of these values, signed."""
    return joined(dumps(header), dumps(claims), key)


def with_signature(text: str, signature: bytes) -> str:
    """The message *text* with another signature."""
    return f"{text.rpartition('.')[0]}.{b64(signature)}"


def hs256(header: Json, claims: Json, secret: bytes) -> str:
    """A message with a MAC under *secret*."""
    signing_input = f"{b64(dumps(header))}.{b64(dumps(claims))}"
    return f"{signing_input}.{b64(hmac.digest(secret, signing_input.encode(), 'sha256'))}"


def es384(header: Json, claims: Json) -> tuple[Json, str]:
    """A P-384 key's JWK and a message that it signed as ES384, its own JWK in the header."""
    key = ec.derive_private_key(int.from_bytes(_seed("p-384")), ec.SECP384R1())
    point = key.public_key().public_numbers()
    x, y = (b64(number.to_bytes(48, "big")) for number in (point.x, point.y))
    jwk = {"kty": "EC", "crv": "P-384", "x": x, "y": y}
    signing_input = f"{b64(dumps({**header, 'alg': 'ES384', 'jwk': jwk}))}.{b64(dumps(claims))}"
    der = key.sign(signing_input.encode(), ec.ECDSA(SHA384(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    return jwk, f"{signing_input}.{b64(r.to_bytes(48, 'big') + s.to_bytes(48, 'big'))}"


def secp256k1(header: Json, claims: Json) -> str:
    """A message that a secp256k1 key signed, its own JWK in the header, called ES256."""
    key = ec.derive_private_key(int.from_bytes(_seed("secp256k1")) >> 1, ec.SECP256K1())
    point = key.public_key().public_numbers()
    x, y = (b64(number.to_bytes(32, "big")) for number in (point.x, point.y))
    jwk = {"kty": "EC", "crv": "secp256k1", "x": x, "y": y}
    signing_input = f"{b64(dumps({**header, 'jwk': jwk}))}.{b64(dumps(claims))}"
    der = key.sign(signing_input.encode(), ec.ECDSA(SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    return f"{signing_input}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def pem_of(key: Es256) -> bytes:
    """The public key in PEM, which careless readers take for an HMAC secret."""
    return key.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def raw_token(header: bytes, payload: bytes, signature: bytes) -> str:
    """Three parts of these octets."""
    return ".".join(b64(part) for part in (header, payload, signature))
