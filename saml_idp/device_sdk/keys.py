"""The device's own key: made here, never sent. P-256 (ES256) or Ed25519 (EdDSA)."""

import base64
import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from saml_idp.device_sdk.errors import KeyUnreadable

Algorithm = Literal["ES256", "EdDSA"]
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A private key of a device. Holding it means being the device; ``repr`` never shows it."""

    _key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, algorithm: Algorithm = "ES256") -> Self:
        """Return a new key from the operating system's generator."""
        if algorithm == "EdDSA":
            return cls(ed25519.Ed25519PrivateKey.generate())
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Return the key in *pem*: PKCS #8, not encrypted.

        Raises:
            KeyUnreadable: another format or kind of key.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyUnreadable("not a private key in PEM (PKCS #8, without a password)") from None
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return cls(key)
        if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
            return cls(key)
        raise KeyUnreadable("neither a P-256 nor an Ed25519 key")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the key that ``save`` wrote to *path*.

        Raises:
            KeyUnreadable: no such file, no key in it, or others than its owner may read it.
        """
        try:
            with path.open("rb") as file:
                if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                    raise KeyUnreadable(f"others may read {str(path)!r}: chmod 600 it")
                return cls.from_pem(file.read())
        except OSError as error:
            raise KeyUnreadable(f"cannot read {str(path)!r}: {error.strerror}") from error

    def save(self, path: Path) -> None:
        """Write the key to *path*, which must not exist: PEM, PKCS #8, mode 0600.

        Raises:
            KeyUnreadable: the file cannot be written.
        """
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise KeyUnreadable(f"cannot write {str(path)!r}: {error.strerror}") from error

    @property
    def algorithm(self) -> Algorithm:
        """``ES256`` or ``EdDSA``: the key decides."""
        return "EdDSA" if isinstance(self._key, ed25519.Ed25519PrivateKey) else "ES256"

    def public_jwk(self) -> dict[str, str]:
        """Return the public half as a JWK with its required members only (RFC 7517, RFC 8037)."""
        public = self._key.public_key()
        if isinstance(public, ed25519.Ed25519PublicKey):
            raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw)}
        point = public.public_numbers()
        x, y = (base64url(number.to_bytes(32, "big")) for number in (point.x, point.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    def sign(self, octets: bytes) -> bytes:
        """Return the signature over *octets*: 64 octets; for P-256 r || s (RFC 7518 3.4)."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(octets)
        r, s = decode_dss_signature(self._key.sign(octets, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def base64url(octets: bytes) -> str:
    """Return *octets* in base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def signed(header: dict[str, object], claims: dict[str, object], key: DeviceKey) -> str:
    """Return a JWS compact serialisation of *claims*, signed with *key* (RFC 7515 7.1)."""
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, claims))
    signing_input = ".".join(base64url(part) for part in parts)
    return f"{signing_input}.{base64url(key.sign(signing_input.encode('ascii')))}"
