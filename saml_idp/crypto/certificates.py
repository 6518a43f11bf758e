"""Certificates of others: how strong a key is, and whether it made a signature.

Keys come from metadata only; dates and issuers of certificates never decide (S12), the key
does.
"""

from functools import lru_cache
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from saml_idp.domain.errors import RequestRejected
from saml_idp.domain.service_provider import Certificate

HashName = Literal["sha256", "sha384", "sha512"]
KeyKind = Literal["rsa", "ec"]

MINIMUM_RSA_BITS: Final = 2048
MINIMUM_EC_BITS: Final = 256
_HASHES: Final[dict[HashName, type[hashes.HashAlgorithm]]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class UnusableCertificate(ValueError):
    """The certificate cannot be read, or its key is too weak or of another kind."""


def read_certificate(der: bytes, *, ciphers: tuple[str, ...] = ()) -> Certificate:
    """Return the certificate in *der*, after checking that its key is strong enough.

    Args:
        der: X.509 DER, as decoded from ds:X509Certificate.
        ciphers: EncryptionMethod URIs listed beside it.

    Raises:
        UnusableCertificate: not X.509, or RSA below 2048 bits, EC below 256 bits, or another
            kind of key (SDP-MD06/07). The sentence says which.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise UnusableCertificate("the certificate cannot be read") from exc
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MINIMUM_RSA_BITS:
            raise UnusableCertificate(
                f"the RSA key has {key.key_size} bits, at least {MINIMUM_RSA_BITS} are needed"
            )
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if key.key_size < MINIMUM_EC_BITS:
            raise UnusableCertificate(
                f"the EC key has {key.key_size} bits, at least {MINIMUM_EC_BITS} are needed"
            )
    else:
        raise UnusableCertificate("the key is neither RSA nor EC")
    return Certificate(der, certificate.not_valid_after_utc.isoformat(), ciphers)


def verified_octets(
    octets: bytes, *, signature: bytes, kind: KeyKind, hash_name: HashName, certificate: Certificate
) -> bytes:
    """Return *octets*, once *signature* over them is shown to be by the key of *certificate*.

    Args:
        octets: what was signed, as received.
        signature: RSA PKCS #1 v1.5; for EC raw r‖s (XML signature) or DER (both are met).

    Raises:
        RequestRejected: ``signature_invalid``.

    Spec: Bindings 3.4.4.1.
    """
    key = _public_key(certificate.der)
    algorithm = _HASHES[hash_name]()
    try:
        if kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, octets, padding.PKCS1v15(), algorithm)
            return octets
        if kind == "ec" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(_as_der(signature, key.key_size), octets, ec.ECDSA(algorithm))
            return octets
    except InvalidSignature:
        pass
    raise RequestRejected("the signature is not by this key", reason="signature_invalid")


def _as_der(signature: bytes, key_bits: int) -> bytes:
    """Return an EC signature as DER; raw r‖s is known by its length."""
    width = (key_bits + 7) // 8
    if len(signature) != 2 * width:
        return signature
    r, s = signature[:width], signature[width:]
    return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))


@lru_cache(maxsize=4096)
def _public_key(der: bytes) -> object:
    return x509.load_der_x509_certificate(der).public_key()
