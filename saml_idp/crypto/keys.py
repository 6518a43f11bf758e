"""Our own keys: made, written, read and checked. The only module that touches a private key.

A key directory holds ``assertion-active``, ``assertion-next`` and ``metadata`` as ``.key``
(PEM, PKCS #8) beside ``.crt`` (PEM), and ``seal.key``, ``cookie.key`` (hex). A key's state is
its file name, so that roll-over is a rename. Retired keys lie in ``retired/`` and are never
read.
"""

import os
import secrets
import stat
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, NoReturn

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from saml_idp.crypto.certificates import HashName, KeyKind
from saml_idp.domain.errors import ConfigurationError, Fault
from saml_idp.domain.service_provider import Certificate

ASSERTION_ACTIVE: Final = "assertion-active"
ASSERTION_NEXT: Final = "assertion-next"
METADATA: Final = "metadata"

KeyAlgorithm = Literal["rsa-2048", "rsa-3072", "rsa-4096", "p-256", "p-384"]
SECRET_OCTETS: Final = 32
_LARGEST_FILE: Final = 64 * 1024
_CURVES: Final[dict[str, type[ec.EllipticCurve]]] = {"p-256": ec.SECP256R1, "p-384": ec.SECP384R1}
_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key of ours with its certificate; strong enough, and the two belong together.

    ``key_id``: 16 hex digits of the SHA-256 of the public key, for logs and receipts.
    ``is_weak``: RSA below 3072 bits, accepted with a warning (K01).
    """

    private: _PrivateKey = field(repr=False)
    certificate: Certificate
    key_id: str
    kind: KeyKind
    hash_name: HashName
    is_weak: bool

    @property
    def algorithm(self) -> str:
        """Return the kind and size, as ``keys new --algorithm`` takes it: "rsa-3072", "p-256"."""
        return f"{'rsa' if self.kind == 'rsa' else 'p'}-{self.private.key_size}"

    def sign(self, octets: bytes) -> bytes:
        """Return the signature over *octets*: PKCS #1 v1.5, or raw r‖s (RFC 6979) for EC.

        Equal octets give equal signatures with either kind of key.

        Spec: XML Signature 6.4.
        """
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        algorithm = hashes.SHA384() if self.hash_name == "sha384" else hashes.SHA256()
        der = self.private.sign(octets, ec.ECDSA(algorithm, deterministic_signing=True))
        r, s = decode_dss_signature(der)
        width = (self.private.curve.key_size + 7) // 8
        return r.to_bytes(width) + s.to_bytes(width)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new key before it is written. ``key``: PKCS #8 PEM; ``certificate``: X.509 PEM."""

    key: bytes = field(repr=False)
    certificate: bytes


def new_signing_key(
    algorithm: KeyAlgorithm, *, common_name: str, days: int, now: datetime
) -> KeyPair:
    """Return a new key of *algorithm* with a self-signed certificate.

    Args:
        common_name: the certificate's subject, at most 64 characters, for people only.
        days: how long the certificate says it is valid.
        now: aware, UTC.

    Raises:
        ValueError: *common_name* is empty or too long.
    """
    private: _PrivateKey
    if algorithm in _CURVES:
        private = ec.generate_private_key(_CURVES[algorithm]())
    else:
        private = rsa.generate_private_key(65537, int(algorithm.removeprefix("rsa-")))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a provider's slow clock
        .not_valid_after(now + timedelta(days=days))
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return KeyPair(pem, certificate.public_bytes(serialization.Encoding.PEM))


def new_secret() -> bytes:
    """Return 32 random bytes as hex with a line end, as ``load_secret`` reads them."""
    return secrets.token_hex(SECRET_OCTETS).encode() + b"\n"


def write_key(path: Path, content: bytes) -> None:
    """Write *content* to the new file *path*, mode 0600, durably. Never overwrites.

    Raises:
        ConfigurationError: the file exists, or cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        _refuse(path, "the file exists already", "move it away first; a key is never overwritten")
    except OSError as exc:
        _refuse(path, f"the file cannot be written: {exc.strerror}", "check the directory")


def load_signing_key(
    key_path: Path, certificate_path: Path, *, passphrase: bytes | None = None
) -> SigningKey:
    """Return the key in *key_path* with the certificate in *certificate_path*.

    Raises:
        ConfigurationError: a file is missing, readable by others or owned by another user;
            the key is weaker than RSA 2048 or P-256; or the two do not belong together.
    """
    private = _read_private(key_path, passphrase)
    pem = _read_file(certificate_path, is_secret=False)
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        same = certificate.public_key() == private.public_key()
    except (ValueError, UnsupportedAlgorithm):
        _refuse(certificate_path, "this is not a PEM certificate", "make the key pair anew")
    if not same:
        _refuse(certificate_path, f"the certificate is not that of {key_path.name}", _MEND_PAIR)
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    is_rsa = isinstance(private, rsa.RSAPrivateKey)
    return SigningKey(
        private=private,
        certificate=Certificate(
            certificate.public_bytes(serialization.Encoding.DER),
            certificate.not_valid_after_utc.isoformat(),
        ),
        key_id=sha256(public).hexdigest()[:16],
        kind="rsa" if is_rsa else "ec",
        hash_name="sha384" if private.key_size == 384 else "sha256",
        is_weak=is_rsa and private.key_size < 3072,
    )


def load_named_key(directory: Path, name: str) -> SigningKey:
    """Return the key *name* of *directory*: ``NAME.key`` with ``NAME.crt``.

    Raises:
        ConfigurationError: as ``load_signing_key``.
    """
    return load_signing_key(directory / f"{name}.key", directory / f"{name}.crt")


def find_named_key(directory: Path, name: str) -> SigningKey | None:
    """Return the key *name* of *directory*, None where there is no such file.

    Raises:
        ConfigurationError: it is there but cannot be used.
    """
    return load_named_key(directory, name) if (directory / f"{name}.key").exists() else None


def load_secret(path: Path) -> bytes:
    """Return the 32 bytes that *path* holds as hex.

    Raises:
        ConfigurationError: missing, readable by others, or not 64 hex digits.
    """
    try:
        secret = bytes.fromhex(_read_file(path, is_secret=True).decode("ascii").strip())
    except ValueError:
        _refuse(path, "this is not a secret of hex digits", "make it anew")
    if len(secret) != SECRET_OCTETS:
        _refuse(path, f"the secret has {len(secret)} bytes, not {SECRET_OCTETS}", "make it anew")
    return secret


_MEND_KEY: Final = "give the right passphrase, or make the key anew"
_MEND_PAIR: Final = "put the .crt beside the .key it was made with"


def _read_private(path: Path, passphrase: bytes | None) -> _PrivateKey:
    try:
        private = serialization.load_pem_private_key(
            _read_file(path, is_secret=True), password=passphrase
        )
    except TypeError:  # locked without a passphrase, or the other way round
        _refuse(path, "the key is locked by a passphrase, or not", "give the passphrase that fits")
    except (ValueError, UnsupportedAlgorithm):
        _refuse(path, "this is not a PEM private key, or the passphrase is wrong", _MEND_KEY)
    if isinstance(private, rsa.RSAPrivateKey):
        if private.key_size < 2048:
            _refuse(path, f"the RSA key has {private.key_size} bits", "use 3072 bits or P-256")
        return private
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(
        private.curve, ec.SECP256R1 | ec.SECP384R1
    ):
        _refuse(path, "the key is neither RSA nor EC on P-256 or P-384", "make the key anew")
    return private


def _read_file(path: Path, *, is_secret: bool) -> bytes:
    """Return the content of *path*; what is checked is the open file, not the name."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as exc:
        _refuse(path, f"the file cannot be opened: {exc.strerror}", "check path and permissions")
    try:
        _check_file(path, os.fstat(descriptor), is_secret=is_secret)
        return os.read(descriptor, _LARGEST_FILE)
    finally:
        os.close(descriptor)


def _check_file(path: Path, status: os.stat_result, *, is_secret: bool) -> None:
    """K02: a regular file of ours that no one else can write, nor read when it is secret."""
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        _refuse(path, "this is not a regular file", "name the key file")
    if status.st_uid not in {os.geteuid(), 0}:
        _refuse(path, "the file belongs to another user", "chown it to the service's user")
    if is_secret and mode & 0o077:
        _refuse(path, "others can read or write this key", f"run: chmod 600 {path}")
    if mode & 0o022:
        _refuse(path, "others can write this file", f"run: chmod 644 {path}")


def _refuse(path: Path, problem: str, mend: str) -> NoReturn:
    raise ConfigurationError([Fault(str(path), 0, 0, "", problem, mend)])
