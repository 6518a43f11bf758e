"""An assertion's octets → EncryptedAssertion for one provider.

AES-256-GCM and RSA-OAEP, always; a provider that cannot read these is told at registration,
not by a weaker cipher.

Spec: Core 2.3.4; XML Encryption 1.1.
"""

import base64
from collections.abc import Sequence

from lxml import etree

from saml_idp.crypto.sealing import seal_content, takes_sealed_content
from saml_idp.domain.service_provider import Certificate
from saml_idp.saml import names
from saml_idp.saml.xml import Element


def usable_certificate(certificates: Sequence[Certificate]) -> Certificate | None:
    """Return the first of *certificates* that can be encrypted to, None without one."""
    return next((c for c in certificates if takes_sealed_content(c)), None)


def encrypted_assertion(octets: bytes, certificate: Certificate) -> Element:
    """Return an EncryptedAssertion of *octets* for the holder of *certificate*'s key.

    Args:
        octets: a whole Assertion that can be parsed alone: it declares its own namespaces.

    Spec: Core 2.3.4.
    """
    sealed = seal_content(octets, certificate=certificate)
    root: Element = etree.Element(
        names.assertion("EncryptedAssertion"), nsmap={"saml": names.ASSERTION}
    )
    encrypted = etree.SubElement(
        root,
        names.xenc("EncryptedData"),
        Type=names.ENCRYPTED_ELEMENT,
        nsmap={"xenc": names.XENC},
    )
    _put_method(encrypted, names.AES256_GCM)
    key_info = etree.SubElement(encrypted, names.ds("KeyInfo"), nsmap={"ds": names.DS})
    key = etree.SubElement(key_info, names.xenc("EncryptedKey"))
    method = _put_method(key, names.RSA_OAEP_MGF1P)
    # Said, though it is the default: some readers take a missing DigestMethod for an error.
    etree.SubElement(method, names.ds("DigestMethod"), Algorithm=names.SHA1_DIGEST)
    _put_cipher(key, sealed.wrapped_key)
    _put_cipher(encrypted, sealed.content)
    return root


def _put_method(parent: Element, uri: str) -> Element:
    method: Element = etree.SubElement(parent, names.xenc("EncryptionMethod"), Algorithm=uri)
    return method


def _put_cipher(parent: Element, octets: bytes) -> None:
    cipher = etree.SubElement(parent, names.xenc("CipherData"))
    value = etree.SubElement(cipher, names.xenc("CipherValue"))
    value.text = base64.b64encode(octets).decode("ascii")
