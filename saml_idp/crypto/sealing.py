"""Content encryption to a provider: a fresh AES key for each message, wrapped with RSA-OAEP.

No CBC, no 3DES, no RSA 1.5 (A12).
"""

import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from saml_idp.domain.service_provider import Certificate

_NONCE_OCTETS: Final = 12

KeyBits = Literal[128, 256]


@dataclass(frozen=True, slots=True)
class SealedContent:
    """``content``: nonce, ciphertext and tag, as XML Encryption 1.1 (5.2.4) joins them.
    ``wrapped_key``: the AES key under RSA-OAEP with SHA-1 and MGF1-SHA-1, no label.
    """

    content: bytes = field(repr=False)
    wrapped_key: bytes = field(repr=False)


def takes_sealed_content(certificate: Certificate) -> bool:
    """True when the key of *certificate* can be encrypted to: RSA."""
    return _rsa_key(certificate.der) is not None


def seal_content(octets: bytes, *, certificate: Certificate, key_bits: KeyBits) -> SealedContent:
    """Return *octets* encrypted with AES-GCM to the RSA key of *certificate*.

    Key and nonce are fresh from the system's generator at each call. OAEP stands on SHA-1
    here, which is what ``rsa-oaep-mgf1p`` means by default and what every provider reads; no
    property of OAEP rests on that hash's collisions.

    Raises:
        ValueError: the certificate has no RSA key.

    Spec: XML Encryption 1.1, 5.2.4 and 5.5.2.
    """
    key = _rsa_key(certificate.der)
    if key is None:
        raise ValueError("only an RSA key is encrypted to")
    content_key = secrets.token_bytes(key_bits // 8)
    nonce = secrets.token_bytes(_NONCE_OCTETS)
    sealed = nonce + AESGCM(content_key).encrypt(nonce, octets, None)
    scheme = padding.OAEP(
        mgf=padding.MGF1(hashes.SHA1()),  # noqa: S303
        algorithm=hashes.SHA1(),  # noqa: S303
        label=None,
    )
    return SealedContent(sealed, key.encrypt(content_key, scheme))


@lru_cache(maxsize=4096)
def _rsa_key(der: bytes) -> rsa.RSAPublicKey | None:
    key = x509.load_der_x509_certificate(der).public_key()
    return key if isinstance(key, rsa.RSAPublicKey) else None
