"""XML signatures: verify and return only what was signed; sign what is ours.

A verification returns the element or the octets it covered, and raises otherwise; there is no
bool to forget. Algorithms and keys are chosen here and in metadata, never by the message.

What may stand in a signature is read by us first, in full, and the verifying context is told
the same short list again: a hole in one of the two is closed by the other.
"""

import base64
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from functools import lru_cache
from hashlib import sha256
from typing import Final

import xmlsec
from lxml import etree
from xmlsec import constants

from saml_idp.crypto.certificates import HashName, KeyKind, verified_octets
from saml_idp.crypto.keys import SigningKey
from saml_idp.domain.errors import RequestRejected
from saml_idp.domain.service_provider import Certificate
from saml_idp.saml import names
from saml_idp.saml.bindings import InboundMessage
from saml_idp.saml.xml import Element, canonical, children, text_of

# Without this a Reference to file:// or http:// is fetched, and verifies (S08).
xmlsec.cleanup_callbacks()

_ALGORITHMS: Final[dict[str, tuple[KeyKind, HashName]]] = {
    names.RSA_SHA256: ("rsa", "sha256"),
    names.RSA_SHA384: ("rsa", "sha384"),
    names.RSA_SHA512: ("rsa", "sha512"),
    names.ECDSA_SHA256: ("ec", "sha256"),
    names.ECDSA_SHA384: ("ec", "sha384"),
    names.ECDSA_SHA512: ("ec", "sha512"),
}
_DIGESTS: Final = frozenset({names.SHA256, names.SHA384, names.SHA512})
_TRANSFORMS: Final = [names.ENVELOPED, names.EXC_C14N]
_SIGNATURE_TRANSFORMS: Final = (
    constants.TransformExclC14N,
    constants.TransformRsaSha256,
    constants.TransformRsaSha384,
    constants.TransformRsaSha512,
    constants.TransformEcdsaSha256,
    constants.TransformEcdsaSha384,
    constants.TransformEcdsaSha512,
)
_REFERENCE_TRANSFORMS: Final = (
    constants.TransformEnveloped,
    constants.TransformExclC14N,
    constants.TransformSha256,
    constants.TransformSha384,
    constants.TransformSha512,
)
_ID_NAMES: Final = frozenset({"ID", "Id", "id", f"{{{names.XML}}}id"})


def has_signature(root: Element) -> bool:
    """True when a ds:Signature stands anywhere in the document of *root*."""
    return next(root.iter(names.ds("Signature")), None) is not None


def verified(root: Element, certificates: Sequence[Certificate], *, position: int = 1) -> Element:
    """Return *root*, once its one signature is shown to cover it by a key of *certificates*.

    Args:
        root: root element of a parsed document.
        certificates: every signing key of the provider in its metadata; all are tried.
        position: where the signature stands among the root's children; 1 in a message (after
            Issuer), 0 in metadata.

    Raises:
        RequestRejected: ``signature_unknown_key`` without keys; ``signature_malformed`` for
            anything but the one shape that SAML allows; ``signature_algorithm``;
            ``signature_invalid``.

    Spec: Core 5.4.
    """
    if not certificates:
        raise RequestRejected("no key to check with", reason="signature_unknown_key")
    signature = _the_signature(root, position)
    _check_ids(root)
    _check_signed_info(signature, root.get("ID", ""))
    for certificate in certificates:
        context = _context(certificate)
        # The root's ID alone: with every ID registered, a signature over a part that was
        # moved elsewhere would verify (S06).
        context.register_id(root, "ID")
        try:
            context.verify(signature)
        except xmlsec.Error:
            continue
        return root
    raise RequestRejected("no key of the provider made this signature", reason="signature_invalid")


def verified_redirect(
    message: InboundMessage, certificates: Sequence[Certificate]
) -> InboundMessage:
    """Return *message*, once its Redirect signature is shown to be by a key of *certificates*.

    Raises:
        RequestRejected: as ``verified``.

    Spec: Bindings 3.4.4.1.
    """
    signature = message.signature
    if signature is None:
        raise RequestRejected("there is no signature", reason="signature_missing")
    if not certificates:
        raise RequestRejected("no key to check with", reason="signature_unknown_key")
    if signature.algorithm not in _ALGORITHMS:
        raise RequestRejected("algorithm not allowed", reason="signature_algorithm")
    kind, hash_name = _ALGORITHMS[signature.algorithm]
    for certificate in certificates:
        try:
            verified_octets(
                signature.octets,
                signature=signature.value,
                kind=kind,
                hash_name=hash_name,
                certificate=certificate,
            )
        except RequestRejected:
            continue
        return message
    raise RequestRejected("no key of the provider made this signature", reason="signature_invalid")


def algorithm_of(key: SigningKey) -> str:
    """Return the URI of the signatures that *key* makes."""
    wanted = (key.kind, key.hash_name)
    return next(uri for uri, algorithm in _ALGORITHMS.items() if algorithm == wanted)


def sign(element: Element, key: SigningKey, *, position: int = 1) -> None:
    """Put an enveloped signature by *key* over *element* into it, as its child *position*.

    The element has its ID attribute and no signature yet, and is not changed afterwards.
    Canonical form and digest are made here and not by xmlsec: a third less time around the
    RSA operation, and the key stays in ``crypto.keys``. Tests verify with xmlsec.

    Spec: Core 5.4; XML Signature 3.1.
    """
    digest = base64.b64encode(sha256(canonical(element)).digest()).decode("ascii")
    signature = deepcopy(_blank(algorithm_of(key), key.certificate.der))
    info, value = list(signature)[:2]
    reference = list(info)[-1]
    reference.attrib["URI"] = f"#{element.attrib['ID']}"
    list(reference)[-1].text = digest
    value.text = base64.b64encode(key.sign(canonical(info))).decode("ascii")
    element.insert(position, signature)


@lru_cache(maxsize=64)
def _blank(algorithm: str, der: bytes) -> Element:
    """Return a signature with nothing filled in; copied for each use, never changed."""
    signature: Element = etree.Element(names.ds("Signature"), nsmap={"ds": names.DS})
    info = etree.SubElement(signature, names.ds("SignedInfo"))
    _put_algorithm(info, "CanonicalizationMethod", names.EXC_C14N)
    _put_algorithm(info, "SignatureMethod", algorithm)
    reference = etree.SubElement(info, names.ds("Reference"), URI="")
    transforms = etree.SubElement(reference, names.ds("Transforms"))
    for uri in _TRANSFORMS:
        _put_algorithm(transforms, "Transform", uri)
    _put_algorithm(reference, "DigestMethod", names.SHA256)
    etree.SubElement(reference, names.ds("DigestValue"))
    etree.SubElement(signature, names.ds("SignatureValue"))
    key_info = etree.SubElement(signature, names.ds("KeyInfo"))
    x509 = etree.SubElement(key_info, names.ds("X509Data"))
    certificate = etree.SubElement(x509, names.ds("X509Certificate"))
    certificate.text = base64.b64encode(der).decode("ascii")
    return signature


def _put_algorithm(parent: Element, name: str, uri: str) -> None:
    etree.SubElement(parent, names.ds(name), Algorithm=uri)


def _the_signature(root: Element, position: int) -> Element:
    """S05: one signature in the document, a child of the root, at its place."""
    found = list(root.iter(names.ds("Signature")))
    if not found:
        raise RequestRejected("there is no signature", reason="signature_missing")
    if list(children(root))[position : position + 1] != found:
        raise RequestRejected("a signature out of place", reason="signature_malformed")
    return found[0]


def _check_ids(root: Element) -> None:
    """S06: no ID-like value stands twice, under whatever spelling of the attribute."""
    seen = Counter(
        value for node in root.iter() for name, value in node.attrib.items() if name in _ID_NAMES
    )
    if any(count > 1 for count in seen.values()):
        raise RequestRejected("an ID stands twice", reason="signature_malformed")


def _check_signed_info(signature: Element, root_id: str) -> None:
    """S05, S07, S09: read the signature in full; what is not named here is refused."""
    parts = _named(signature, "SignedInfo", "SignatureValue", optional="KeyInfo")
    method, signing, reference = _named(
        parts[0], "CanonicalizationMethod", "SignatureMethod", "Reference"
    )
    if _algorithm(method) != names.EXC_C14N:
        raise RequestRejected("canonicalization not allowed", reason="signature_algorithm")
    if _algorithm(signing) not in _ALGORITHMS or len(signing):
        raise RequestRejected("signature algorithm not allowed", reason="signature_algorithm")
    if not root_id or reference.get("URI") != f"#{root_id}":
        raise RequestRejected("the signature is over something else", reason="signature_malformed")
    transforms, digest, value = _named(reference, "Transforms", "DigestMethod", "DigestValue")
    if [_algorithm(t) for t in _named(transforms, "Transform", "Transform")] != _TRANSFORMS:
        raise RequestRejected("transforms not allowed", reason="signature_algorithm")
    if _algorithm(digest) not in _DIGESTS or len(digest):
        raise RequestRejected("digest not allowed", reason="signature_algorithm")
    text_of(value)
    text_of(parts[1])
    for canonicalization in (method, *transforms):
        _check_prefix_list(canonicalization)


def _check_prefix_list(element: Element) -> None:
    """Exclusive c14n may list prefixes to treat inclusively, and nothing else."""
    allowed = f"{{{names.EC}}}InclusiveNamespaces"
    for child in element:
        if child.tag != allowed or len(child) or _algorithm(element) != names.EXC_C14N:
            raise RequestRejected("a parameter not allowed", reason="signature_algorithm")


def _named(parent: Element, *expected: str, optional: str | None = None) -> list[Element]:
    """Return the children of *parent*, which are the *expected* ones in that order."""
    found = list(parent)
    tags = [child.tag for child in found]
    wanted = [names.ds(name) for name in expected]
    if tags != wanted and (optional is None or tags != [*wanted, names.ds(optional)]):
        raise RequestRejected("a signature of another shape", reason="signature_malformed")
    return found


def _algorithm(element: Element) -> str:
    return element.get("Algorithm", "")


def _context(certificate: Certificate) -> xmlsec.SignatureContext:
    """Return a fresh context that knows this key and our algorithms, and no others (S10)."""
    context = xmlsec.SignatureContext()
    for transform in _SIGNATURE_TRANSFORMS:
        context.enable_signature_transform(transform)
    for transform in _REFERENCE_TRANSFORMS:
        context.enable_reference_transform(transform)
    context.key = _key_of(certificate.der)
    return context


@lru_cache(maxsize=4096)
def _key_of(der: bytes) -> xmlsec.Key:
    """Return the public key in *der*; a context copies it, so that it may be shared."""
    return xmlsec.Key.from_memory(der, constants.KeyDataFormatCertDer)
