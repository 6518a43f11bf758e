"""The parts of a provider's metadata that stand for themselves: keys, names, logo, flags.

What is shown to people is text and stays text; what is an address is https or a small picture.

Spec: Metadata 2.4.1.1 (KeyDescriptor), 2.4.4; Metadata UI 2.1.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final, Literal

from saml_idp.crypto.certificates import UnusableCertificate, read_certificate
from saml_idp.crypto.sealing import takes_sealed_content
from saml_idp.domain.errors import RequestRejected
from saml_idp.domain.service_provider import Certificate
from saml_idp.saml import names
from saml_idp.saml.consumers import is_safe_location
from saml_idp.saml.xml import Element, children, text_of

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_LONGEST_NAME: Final = 200  # characters; a longer one cannot be shown anyway
_LARGEST_PICTURE: Final = 64 * 1024  # characters of a data: URL
_PICTURE: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}")
# Controls, and the marks that turn the direction of a line: they forge what a page says.
_HIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class EntityFaulty(Exception):
    """An entity cannot be taken. Caught where faults are collected, goes no further."""

    def __init__(self, element: Element, problem: str, mend: str, key: str = "") -> None:
        super().__init__(problem)
        self.element = element
        self.problem = problem
        self.mend = mend
        self.key = key


def required(element: Element, name: str, *, key: str = "") -> str:
    """Return the attribute *name* of *element*.

    Raises:
        EntityFaulty: absent or empty.
    """
    text = element.get(name)
    if not text:
        raise EntityFaulty(element, f"the attribute {name} is missing", f"add {name}", key or name)
    return text


def flag(element: Element, name: str) -> bool | None:
    """Return the xs:boolean attribute *name*, None when absent.

    Raises:
        EntityFaulty: it is neither true, false, 1 nor 0.
    """
    text = element.get(name)
    if text is None:
        return None
    if text.strip() not in _BOOLEANS:
        raise EntityFaulty(element, f"{name} is {text!r}", "write true or false", name)
    return _BOOLEANS[text.strip()]


def plain_text(element: Element) -> str:
    """Return the text of *element*.

    Raises:
        EntityFaulty: an element or a comment stands in it.
    """
    try:
        return text_of(element)
    except RequestRejected as exc:
        raise EntityFaulty(element, str(exc), "leave text alone in it") from None


def read_keys(role: Element, use: Literal["signing", "encryption"]) -> tuple[Certificate, ...]:
    """Return the certificates of *role* for *use*; a KeyDescriptor without use serves both.

    Raises:
        EntityFaulty: an unknown use, no certificate in it, or a weak key (S13). A provider with
            one weak key is refused whole: that key could sign for it.

    Spec: Metadata 2.4.1.1.
    """
    found: list[Certificate] = []
    for descriptor in children(role):
        if descriptor.tag != names.metadata("KeyDescriptor"):
            continue
        named = descriptor.get("use")
        if named not in {None, "signing", "encryption"}:
            raise EntityFaulty(descriptor, f"unknown key use {named!r}",
                               "write signing or encryption", "KeyDescriptor.use")  # fmt: skip
        if named in {None, use}:
            # A key without use that cannot be encrypted to (EC) serves signatures alone.
            found.extend(
                certificate
                for certificate in _certificates(descriptor)
                if use == "signing" or named or takes_sealed_content(certificate)
            )
    return tuple(dict.fromkeys(found))


def read_display_names(entity: Element, role: Element) -> tuple[tuple[str, str], ...]:
    """Return (language, name) to show: of mdui:UIInfo, else ServiceName, else Organization."""
    places = (
        _descendants(role, f"{{{names.MDUI}}}UIInfo", f"{{{names.MDUI}}}DisplayName"),
        _descendants(
            role, names.metadata("AttributeConsumingService"), names.metadata("ServiceName")
        ),
        _descendants(
            entity, names.metadata("Organization"), names.metadata("OrganizationDisplayName")
        ),
    )
    for place in places:
        found = {_language(element): _shown(element) for element in place}
        if any(found.values()):
            return tuple((language, text) for language, text in found.items() if text)
    return ()


def read_logo(role: Element) -> str | None:
    """Return the address of the logo: https, or a small picture as data: URL; else None (M15).

    A logo that is neither is left out: it decorates, and is no reason to refuse a provider.
    """
    for element in _descendants(role, f"{{{names.MDUI}}}UIInfo", f"{{{names.MDUI}}}Logo"):
        text = _BLANKS.sub("", plain_text(element))
        if is_safe_location(text, allow_http_loopback=False):
            return text
        if len(text) <= _LARGEST_PICTURE and _PICTURE.fullmatch(text):
            return text
    return None


def _certificates(descriptor: Element) -> Iterator[Certificate]:
    elements = list(descriptor.iter(names.ds("X509Certificate")))
    if not elements:
        raise EntityFaulty(descriptor, "a KeyDescriptor without X509Certificate",
                           "add the certificate", "KeyDescriptor")  # fmt: skip
    ciphers = tuple(
        child.get("Algorithm", "")
        for child in children(descriptor)
        if child.tag == names.metadata("EncryptionMethod")
    )
    for element in elements:
        try:
            der = base64.b64decode(_BLANKS.sub("", plain_text(element)), validate=True)
            yield read_certificate(der, ciphers=ciphers)
        except (binascii.Error, UnusableCertificate) as exc:
            problem = str(exc) if isinstance(exc, UnusableCertificate) else "no base64"
            raise EntityFaulty(element, f"a certificate cannot be used: {problem}",
                               "ask the provider for another key", "X509Certificate",
                               ) from None  # fmt: skip


def _descendants(parent: Element, outer: str, inner: str) -> Iterator[Element]:
    """Yield the elements *inner* in the elements *outer* of *parent* or its Extensions."""
    for child in children(parent):
        if child.tag == names.metadata("Extensions"):
            yield from _descendants(child, outer, inner)
        elif child.tag == outer:
            yield from (element for element in children(child) if element.tag == inner)


def _language(element: Element) -> str:
    """Return the language of *element* without its region: "de-AT" is "de"."""
    return element.get(f"{{{names.XML}}}lang", "").lower().split("-")[0]


def _shown(element: Element) -> str:
    """Return the text of *element* as one line that a page can show."""
    text = _HIDDEN.sub("", _BLANKS.sub(" ", plain_text(element))).strip()
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"
