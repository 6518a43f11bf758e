"""Our own metadata, signed by the metadata key; equal input gives equal octets.

Spec: Metadata 2.4.3 (IDPSSODescriptor); Metadata UI 2.1; Algorithm support 2.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from lxml import etree

from saml_idp.crypto.keys import SigningKey
from saml_idp.domain.ids import EntityId
from saml_idp.domain.service_provider import Binding, Certificate
from saml_idp.saml import names
from saml_idp.saml.instants import written_instant
from saml_idp.saml.signatures import sign
from saml_idp.saml.xml import Element, canonical, serialize

_FORMATS: Final = (
    names.FORMAT_PERSISTENT,
    names.FORMAT_TRANSIENT,
    names.FORMAT_EMAIL,
    names.FORMAT_UNSPECIFIED,
)
_DIGESTS: Final = (names.SHA256, names.SHA384, names.SHA512)
_SIGNING: Final = (
    names.RSA_SHA256,
    names.RSA_SHA384,
    names.RSA_SHA512,
    names.ECDSA_SHA256,
    names.ECDSA_SHA384,
    names.ECDSA_SHA512,
)


@dataclass(frozen=True, slots=True)
class Described:
    """What our metadata says of us. ``certificates``: active first, then next.

    ``display_names``, ``logo``, ``error_url``, ``contact`` (an e-mail address): left out when
    empty. ``wants_signed``: every provider has to sign its requests.
    """

    entity_id: EntityId
    sso_url: str
    certificates: Sequence[Certificate]
    display_names: Sequence[tuple[str, str]] = ()
    logo: str = ""
    error_url: str = ""
    contact: str = ""
    wants_signed: bool = False


def write_idp_metadata(
    described: Described, *, key: SigningKey, valid_until: datetime, cache_duration: timedelta
) -> bytes:
    """Return our metadata, signed by *key*, with the XML declaration.

    Args:
        key: the metadata key; never the one that assertions are signed by (K03).
        valid_until: aware, UTC; the caller rounds it so that the octets stay equal for a while.
        cache_duration: how long a reader may keep it; whole seconds.

    Spec: Metadata 2.3.2, 2.4.3.
    """
    root: Element = etree.Element(
        names.metadata("EntityDescriptor"),
        nsmap={"md": names.METADATA},
        entityID=described.entity_id,
        validUntil=written_instant(valid_until),
        cacheDuration=f"PT{int(cache_duration.total_seconds())}S",
    )
    _put_algorithms(root)
    _put_role(root, described)
    if described.contact:
        contact = _put(root, "ContactPerson", contactType="technical")
        _put(contact, "EmailAddress", text=f"mailto:{described.contact}")
    # An ID that follows from the content: fresh for each version, equal for equal ones.
    root.attrib["ID"] = "_" + sha256(canonical(root)).hexdigest()[:40]
    sign(root, key, position=0)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + serialize(root) + b"\n"


def _put_role(root: Element, described: Described) -> None:
    role = _put(
        root,
        "IDPSSODescriptor",
        protocolSupportEnumeration=names.PROTOCOL,
        WantAuthnRequestsSigned="true" if described.wants_signed else "false",
    )
    if described.error_url:
        role.attrib["errorURL"] = described.error_url
    _put_user_interface(role, described)
    for certificate in described.certificates:
        descriptor = _put(role, "KeyDescriptor", use="signing")
        info = etree.SubElement(descriptor, names.ds("KeyInfo"), nsmap={"ds": names.DS})
        x509 = etree.SubElement(info, names.ds("X509Data"))
        text = base64.b64encode(certificate.der).decode("ascii")
        etree.SubElement(x509, names.ds("X509Certificate")).text = text
    for uri in _FORMATS:
        _put(role, "NameIDFormat", text=uri)
    for binding in (Binding.REDIRECT, Binding.POST):
        _put(role, "SingleSignOnService", Binding=str(binding), Location=described.sso_url)


def _put_user_interface(role: Element, described: Described) -> None:
    """Metadata UI 2.1: the name and picture that a provider's discovery page shows."""
    if not described.display_names and not described.logo:
        return
    extensions = _put(role, "Extensions")
    shown = etree.SubElement(extensions, f"{{{names.MDUI}}}UIInfo", nsmap={"mdui": names.MDUI})
    for language, text in described.display_names:
        element = etree.SubElement(shown, f"{{{names.MDUI}}}DisplayName")
        element.attrib[f"{{{names.XML}}}lang"] = language
        element.text = text
    if described.logo:
        logo = etree.SubElement(shown, f"{{{names.MDUI}}}Logo", height="64", width="64")
        logo.text = described.logo


def _put_algorithms(root: Element) -> None:
    """Algorithm support 2: what we can verify, so that a provider need not guess."""
    extensions = _put(root, "Extensions")
    for name, uris in (("DigestMethod", _DIGESTS), ("SigningMethod", _SIGNING)):
        for uri in uris:
            etree.SubElement(
                extensions, f"{{{names.ALG}}}{name}", nsmap={"alg": names.ALG}, Algorithm=uri
            )


def _put(parent: Element, name: str, *, text: str | None = None, **attributes: str) -> Element:
    element: Element = etree.SubElement(parent, names.metadata(name), attributes)
    element.text = text
    return element
