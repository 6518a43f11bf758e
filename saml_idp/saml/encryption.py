"""An assertion's octets → EncryptedAssertion for one provider.

AES-GCM and RSA-OAEP, always. A provider whose metadata asks for CBC alone gets no assertion:
nothing here chooses a weaker cipher.

Spec: Core 2.3.4; XML Encryption 1.1; Metadata 2.4.1.1 (EncryptionMethod).
"""

import base64
from collections.abc import Sequence
from typing import Final

from lxml import etree

from saml_idp.crypto.sealing import KeyBits, seal_content, takes_sealed_content
from saml_idp.domain.service_provider import Certificate
from saml_idp.saml import names
from saml_idp.saml.xml import Element

# EncryptionMethod lists key transport and digests too.
_NO_BLOCK_CIPHERS: Final = frozenset({names.RSA_OAEP, names.RSA_OAEP_MGF1P, names.RSA_1_5})
# The strongest first; a provider that lists none can be sent any.
_CIPHERS: Final[dict[str, KeyBits]] = {names.AES256_GCM: 256, names.AES128_GCM: 128}


def usable_certificate(certificates: Sequence[Certificate]) -> Certificate | None:
    """Return the first of *certificates* that can be encrypted to, None without one."""
    return next((c for c in certificates if takes_sealed_content(c) and _cipher(c)), None)


def encrypted_assertion(octets: bytes, certificate: Certificate) -> Element:
    """Return an EncryptedAssertion of *octets* for the holder of *certificate*'s key.

    Args:
        octets: a whole Assertion that can be parsed alone: it declares its own namespaces.
        certificate: as ``usable_certificate`` returned it.

    Raises:
        ValueError: the certificate is not usable.

    Spec: Core 2.3.4.
    """
    cipher = _cipher(certificate)
    if cipher is None:
        raise ValueError("the provider reads no cipher of ours")
    sealed = seal_content(octets, certificate=certificate, key_bits=_CIPHERS[cipher])
    root: Element = etree.Element(
        names.assertion("EncryptedAssertion"), nsmap={"saml": names.ASSERTION}
    )
    encrypted = etree.SubElement(
        root,
        names.xenc("EncryptedData"),
        Type=names.ENCRYPTED_ELEMENT,
        nsmap={"xenc": names.XENC},
    )
    _put_method(encrypted, cipher)
    key_info = etree.SubElement(encrypted, names.ds("KeyInfo"), nsmap={"ds": names.DS})
    key = etree.SubElement(key_info, names.xenc("EncryptedKey"))
    method = _put_method(key, names.RSA_OAEP_MGF1P)
    # Said, though it is the default: some readers take a missing DigestMethod for an error.
    etree.SubElement(method, names.ds("DigestMethod"), Algorithm=names.SHA1_DIGEST)
    _put_cipher(key, sealed.wrapped_key)
    _put_cipher(encrypted, sealed.content)
    return root


def _cipher(certificate: Certificate) -> str | None:
    """Return the URI of the strongest cipher of ours that the provider reads."""
    block = [uri for uri in certificate.ciphers if uri not in _NO_BLOCK_CIPHERS]
    return next((uri for uri in _CIPHERS if not block or uri in block), None)


def _put_method(parent: Element, uri: str) -> Element:
    method: Element = etree.SubElement(parent, names.xenc("EncryptionMethod"), Algorithm=uri)
    return method


def _put_cipher(parent: Element, octets: bytes) -> None:
    cipher = etree.SubElement(parent, names.xenc("CipherData"))
    value = etree.SubElement(cipher, names.xenc("CipherValue"))
    value.text = base64.b64encode(octets).decode("ascii")
