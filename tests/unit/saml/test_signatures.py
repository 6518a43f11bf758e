"""Signatures on what we receive: what is read is what was signed, by a key of the metadata.

Wrapping attacks take a genuine signed request and move, copy or add until another reader would
take the forged part for the signed one.
"""

import base64
import copy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import xmlsec
from lxml import etree
from xmlsec import constants, template

from saml_idp.crypto.keys import SigningKey
from saml_idp.domain.errors import RequestRejected
from saml_idp.domain.ids import EntityId
from saml_idp.domain.service_provider import Certificate
from saml_idp.saml import names, signatures
from saml_idp.saml.bindings import decode_post, decode_redirect
from saml_idp.saml.signatures import algorithm_of, sign, verified, verified_redirect
from saml_idp.saml.xml import METADATA_LIMITS, parse, serialize
from tests.unit.saml.messages import (
    MakeKey,
    a_provider,
    post_body,
    read,
    read_post,
    read_redirect,
    redirect_query,
    request_xml,
    signed_xml,
)

ASSERTION_PREFIX = {"saml": names.ASSERTION, "samlp": names.PROTOCOL, "ds": names.DS}
EVIL = "_evil"


def refusal(act: Callable[..., object], *given: object, **named: object) -> str:
    with pytest.raises(RequestRejected) as caught:
        act(*given, **named)
    return caught.value.reason


def signed_tree(key: SigningKey, xml: bytes | None = None) -> Any:
    return etree.fromstring(signed_xml(xml or request_xml(), key))


def the_signature(root: Any) -> Any:
    return root.find(names.ds("Signature"))


def forged(root: Any) -> Any:
    """Return a copy of *root* that says something else, without a signature."""
    evil = copy.deepcopy(root)
    evil.remove(the_signature(evil))
    evil.set("ID", EVIL)
    evil.set("ForceAuthn", "false")
    return evil


# --- what is genuine is accepted ------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["rsa-2048", "rsa-3072", "p-256", "p-384"])
def test_a_signed_request_is_accepted_on_both_bindings(algorithm: Any, make_key: MakeKey) -> None:
    key = make_key(algorithm, algorithm)
    provider = a_provider(key=key)
    assert read_post(signed_xml(request_xml(), key), provider).was_signed
    query = redirect_query(request_xml(), relay_state="x", key=key)
    assert read(decode_redirect(query), provider).was_signed


@pytest.mark.parametrize(
    ("signing", "digest"),
    [
        (constants.TransformRsaSha256, constants.TransformSha256),
        (constants.TransformRsaSha384, constants.TransformSha384),
        (constants.TransformRsaSha512, constants.TransformSha512),
    ],
)
def test_a_signature_made_by_xmlsec_is_accepted(
    signing: Any, digest: Any, provider_key: SigningKey
) -> None:
    xml = xmlsec_signed(request_xml(), provider_key, signing=signing, digest=digest)
    assert read_post(xml, a_provider(key=provider_key)).was_signed


def test_a_pretty_printed_signed_request_is_accepted(provider_key: SigningKey) -> None:
    xml = xmlsec_signed(
        b"<?xml version='1.0'?>\n" + request_xml(rest="\n  <samlp:NameIDPolicy\n/>\n"),
        provider_key,
        indent=True,
    )
    assert read_post(xml, a_provider(key=provider_key)).was_signed


def test_an_inclusive_prefix_list_is_accepted(provider_key: SigningKey) -> None:
    xml = xmlsec_signed(request_xml(), provider_key, prefixes="samlp xs")
    assert b"PrefixList" in xml
    assert read_post(xml, a_provider(key=provider_key)).was_signed


def xmlsec_signed(
    xml: bytes,
    key: SigningKey,
    *,
    signing: Any = constants.TransformRsaSha256,
    digest: Any = constants.TransformSha256,
    c14n: Any = constants.TransformExclC14N,
    transforms: tuple[Any, ...] = (constants.TransformEnveloped, constants.TransformExclC14N),
    uri: str = "#_request1",
    indent: bool = False,
    prefixes: str = "",
    position: int = 1,
) -> bytes:
    """Sign as a provider with xmlsec does; every part may be chosen wrongly."""
    from cryptography.hazmat.primitives import serialization

    pem = key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    root = etree.fromstring(xml)
    signature = template.create(root, c14n, signing, ns="ds")
    root.insert(position, signature)
    reference = template.add_reference(signature, digest, uri=uri)
    for transform in transforms:
        node = template.add_transform(reference, transform)
        if prefixes and transform == constants.TransformExclC14N:
            template.transform_add_c14n_inclusive_namespaces(node, prefixes.split())
    if indent:
        etree.indent(signature)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem, constants.KeyDataFormatPem)
    context.register_id(root, "ID")
    context.sign(signature)
    return bytes(etree.tostring(root))


# --- S01, S02, S04: whether a signature counts ----------------------------------------


def test_s01_a_bad_signature_is_refused_where_none_is_needed(
    provider_key: SigningKey, other_key: SigningKey
) -> None:
    provider = a_provider(key=provider_key)
    stolen = signed_xml(request_xml(), other_key)
    assert refusal(read_post, stolen, provider) == "signature_invalid"
    query = redirect_query(request_xml(), key=other_key)
    assert refusal(read, decode_redirect(query), provider) == "signature_invalid"


def test_s01_a_damaged_value_is_refused(provider_key: SigningKey) -> None:
    provider = a_provider(key=provider_key)
    root = signed_tree(provider_key)
    value = root.find(f".//{names.ds('SignatureValue')}")
    value.text = "AAAA" + value.text[4:]
    assert refusal(read_post, etree.tostring(root), provider) == "signature_invalid"
    for text in ("", "!", "AA==", "Ä"):
        value.text = text
        assert refusal(read_post, etree.tostring(root), provider) == "signature_invalid"


@pytest.mark.parametrize(
    ("metadata_says", "policy_says", "accepted"),
    [(False, False, True), (True, False, False), (False, True, False), (True, True, False)],
)
def test_s02_unsigned_is_refused_where_metadata_or_policy_say_so(
    metadata_says: bool,  # noqa: FBT001
    policy_says: bool,  # noqa: FBT001
    accepted: bool,  # noqa: FBT001
    provider_key: SigningKey,
) -> None:
    provider = a_provider(key=provider_key, signs_requests=metadata_says)
    for reader in (read_post, read_redirect):

        def act(reader: Any = reader) -> Any:
            return reader(request_xml(), provider, require_signed=lambda _: policy_says)

        if accepted:
            assert not act().was_signed
        else:
            assert refusal(act) == "signature_missing"


def test_s04_an_embedded_signature_is_refused_on_redirect(provider_key: SigningKey) -> None:
    provider = a_provider(key=provider_key)
    xml = signed_xml(request_xml(), provider_key)
    assert refusal(read_redirect, xml, provider) == "signature_malformed"
    query = redirect_query(xml, key=provider_key)
    assert refusal(read, decode_redirect(query), provider) == "signature_malformed"


# --- S03: over the raw octets ---------------------------------------------------------


def lower(text: str) -> str:
    return quote(text, safe="").replace("%2F", "%2f").replace("%3D", "%3d").replace("%2B", "%2b")


def with_plus(text: str) -> str:
    return quote(text, safe="").replace("%20", "+")


@pytest.mark.parametrize("quoted", [lower, with_plus, lambda text: quote(text, safe="/:~")])
@pytest.mark.parametrize("state", [None, "", "a b/c=d+e", "ä"])
def test_s03_octets_are_verified_as_they_were_received(
    quoted: Callable[[str], str], state: str | None, provider_key: SigningKey
) -> None:
    query = redirect_query(request_xml(), relay_state=state, key=provider_key, quoted=quoted)
    request = read(decode_redirect(query), a_provider(key=provider_key))
    assert request.was_signed
    assert request.relay_state == state


def test_s03_a_relay_state_that_was_not_signed_is_refused(provider_key: SigningKey) -> None:
    provider = a_provider(key=provider_key)
    query = redirect_query(request_xml(), key=provider_key)
    for addition in ("&RelayState=x", "&RelayState="):
        message = decode_redirect(query + addition)
        assert refusal(read, message, provider) == "signature_invalid"


def test_s03_a_relay_state_that_was_changed_or_dropped_is_refused(
    provider_key: SigningKey,
) -> None:
    provider = a_provider(key=provider_key)
    query = redirect_query(request_xml(), relay_state="abc", key=provider_key)
    for crooked in (query.replace("=abc", "=abd"), query.replace("&RelayState=abc", "")):
        message = decode_redirect(crooked)
        assert refusal(read, message, provider) == "signature_invalid"


def test_s03_another_order_of_parameters_is_no_other_message(provider_key: SigningKey) -> None:
    query = redirect_query(request_xml(), relay_state="abc", key=provider_key)
    turned = "&".join(reversed(query.split("&")))
    assert read(decode_redirect(turned), a_provider(key=provider_key)).was_signed


def test_s03_a_signature_over_another_message_is_refused(provider_key: SigningKey) -> None:
    provider = a_provider(key=provider_key)
    signed = redirect_query(request_xml(), key=provider_key).split("&")
    other = redirect_query(request_xml(ForceAuthn="true")).split("&")
    message = decode_redirect("&".join([other[0], *signed[1:]]))
    assert refusal(read, message, provider) == "signature_invalid"


def test_an_elliptic_signature_in_der_is_accepted_on_redirect(make_key: MakeKey) -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    key = make_key("p-256", "p-256")
    query, _, value = redirect_query(request_xml(), key=key).rpartition("&Signature=")
    raw = key.sign(query.encode())
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    for signature in (raw, der):
        wire = quote(base64.b64encode(signature).decode(), safe="")
        message = decode_redirect(f"{query}&Signature={wire}")
        assert read(message, a_provider(key=key)).was_signed
    assert value


@pytest.mark.parametrize("algorithm", ["rsa-2048", "p-256", "p-384"])
def test_s01_a_redirect_signature_over_other_octets_is_refused_for_every_kind_of_key(
    algorithm: Any, make_key: MakeKey
) -> None:
    key = make_key(algorithm, algorithm)
    query, _, _ = redirect_query(request_xml(), key=key).rpartition("&Signature=")
    provider = a_provider(key=key)
    for value in (
        key.sign(b"other"),
        b"\x00" * 64,
        b"\x00" * 96,
        b"0\x00",
        b"\x30\x06\x02\x01\x00",
    ):
        wire = quote(base64.b64encode(value).decode(), safe="")
        message = decode_redirect(f"{query}&Signature={wire}")
        assert refusal(read, message, provider) == "signature_invalid"


# --- S05: wrapping ---------------------------------------------------------------------


def xsw1(root: Any) -> Any:
    """The forged request is the root, the signed one lies in its signature."""
    evil = forged(root)
    signature = the_signature(root)
    original = copy.deepcopy(root)
    original.remove(the_signature(original))
    evil.insert(1, signature)
    signature.append(original)
    return evil


def xsw2(root: Any) -> Any:
    """The forged request is the root, the signed one stands before its signature."""
    evil = forged(root)
    original = copy.deepcopy(root)
    signature = the_signature(original)
    original.remove(signature)
    evil.insert(1, original)
    evil.insert(2, signature)
    return evil


def xsw3(root: Any) -> Any:
    """The forged request stands before the signed one in a root of its own."""
    wrapper = etree.Element(names.protocol("AuthnRequest"), nsmap=ASSERTION_PREFIX)
    wrapper.append(forged(root))
    wrapper.append(root)
    return wrapper


def xsw4(root: Any) -> Any:
    """The signed request with its signature lies within the forged one."""
    evil = forged(root)
    evil.append(root)
    return evil


def xsw5(root: Any) -> Any:
    """The signed values are changed; the signed request is copied to the end."""
    evil = forged(root)
    original = copy.deepcopy(root)
    signature = the_signature(original)
    original.remove(signature)
    evil.insert(1, signature)
    evil.append(original)
    return evil


def xsw6(root: Any) -> Any:
    """The signed request lies in an Object of the forged one's signature."""
    evil = xsw1(root)
    signature = the_signature(evil)
    original = signature[-1]
    holder = etree.SubElement(signature, names.ds("Object"))
    holder.append(original)
    return evil


def xsw7(root: Any) -> Any:
    """The signed request lies in Extensions."""
    evil = forged(root)
    extensions = etree.Element(names.protocol("Extensions"))
    extensions.append(root)
    evil.insert(1, extensions)
    return evil


def xsw8(root: Any) -> Any:
    """The signature stays the root's; the signed request lies in Extensions."""
    evil = forged(root)
    original = copy.deepcopy(root)
    signature = the_signature(original)
    original.remove(signature)
    evil.insert(1, signature)
    extensions = etree.Element(names.protocol("Extensions"))
    extensions.append(original)
    evil.insert(2, extensions)
    return evil


def same_id(root: Any) -> Any:
    """The forged root has the signed request's ID."""
    evil = xsw8(root)
    evil.set("ID", "_request1")
    return evil


def two_signatures(root: Any) -> Any:
    """A stolen signature first, a decoy last (pysaml2)."""
    evil = forged(root)
    evil.set("ID", "_request1")
    evil.insert(1, copy.deepcopy(the_signature(root)))
    evil.insert(2, copy.deepcopy(the_signature(root)))
    return evil


def signature_last(root: Any) -> Any:
    signature = the_signature(root)
    root.remove(signature)
    etree.SubElement(root, names.protocol("NameIDPolicy"))
    root.append(signature)
    return root


def signature_in_extensions(root: Any) -> Any:
    signature = the_signature(root)
    root.remove(signature)
    extensions = etree.SubElement(root, names.protocol("Extensions"))
    extensions.append(signature)
    return root


def second_reference(root: Any) -> Any:
    info = the_signature(root).find(names.ds("SignedInfo"))
    info.append(copy.deepcopy(info.find(names.ds("Reference"))))
    return root


def an_object(root: Any) -> Any:
    etree.SubElement(the_signature(root), names.ds("Object"))
    return root


def empty_uri(root: Any) -> Any:
    root.find(f".//{names.ds('Reference')}").set("URI", "")
    return root


def no_uri(root: Any) -> Any:
    del root.find(f".//{names.ds('Reference')}").attrib["URI"]
    return root


def xpointer(root: Any) -> Any:
    root.find(f".//{names.ds('Reference')}").set("URI", "#xpointer(id('_request1'))")
    return root


def no_reference(root: Any) -> Any:
    info = the_signature(root).find(names.ds("SignedInfo"))
    info.remove(info.find(names.ds("Reference")))
    return root


def two_signed_infos(root: Any) -> Any:
    """CVE-2025-29775 and its like: which SignedInfo is meant?"""
    signature = the_signature(root)
    signature.insert(0, copy.deepcopy(signature[0]))
    return root


def element_in_digest(root: Any) -> Any:
    value = root.find(f".//{names.ds('DigestValue')}")
    etree.SubElement(value, "x")
    return root


def element_in_value(root: Any) -> Any:
    etree.SubElement(root.find(f".//{names.ds('SignatureValue')}"), "x")
    return root


def hmac_length(root: Any) -> Any:
    method = root.find(f".//{names.ds('SignatureMethod')}")
    etree.SubElement(method, names.ds("HMACOutputLength")).text = "1"
    return root


def digest_parameter(root: Any) -> Any:
    etree.SubElement(root.find(f".//{names.ds('DigestMethod')}"), "x")
    return root


WRAPPED = (
    xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8, same_id, two_signatures, signature_last,
    signature_in_extensions, second_reference, an_object, empty_uri, no_uri, xpointer,
    no_reference, two_signed_infos, element_in_digest, element_in_value, hmac_length,
    digest_parameter,
)  # fmt: skip


@pytest.mark.parametrize("wrap", WRAPPED, ids=lambda wrap: wrap.__name__)
def test_s05_cve_2020_5390_a_wrapped_request_is_refused(
    wrap: Any, provider_key: SigningKey
) -> None:
    xml = etree.tostring(wrap(signed_tree(provider_key)))
    provider = a_provider(key=provider_key)
    refused_as = refusal(read_post, xml, provider)
    assert refused_as in {"signature_malformed", "signature_algorithm", "issuer_malformed",
                          "unexpected_element"}  # fmt: skip
    assert refusal(read_redirect, xml, provider) in {refused_as, "signature_malformed"}


@pytest.mark.parametrize("wrap", WRAPPED, ids=lambda wrap: wrap.__name__)
def test_s05_the_verification_itself_refuses_what_is_wrapped(
    wrap: Any, provider_key: SigningKey
) -> None:
    root = parse(etree.tostring(wrap(signed_tree(provider_key))))
    refused_as = refusal(verified, root, [provider_key.certificate])
    assert refused_as in {"signature_malformed", "signature_algorithm", "unexpected_element"}


def test_s01_values_changed_after_signing_are_refused(provider_key: SigningKey) -> None:
    provider = a_provider(key=provider_key)
    root = signed_tree(provider_key)
    root.set("ForceAuthn", "false")
    assert refusal(read_post, etree.tostring(root), provider) == "signature_invalid"
    root = signed_tree(provider_key, request_xml(rest="<samlp:NameIDPolicy AllowCreate='true'/>"))
    root.find(names.protocol("NameIDPolicy")).set("AllowCreate", "false")
    assert refusal(read_post, etree.tostring(root), provider) == "signature_invalid"


def test_cve_2025_29775_a_comment_in_a_digest_is_refused(provider_key: SigningKey) -> None:
    xml = signed_xml(request_xml(), provider_key)
    for place in (b"<ds:DigestValue>", b"<ds:SignatureValue>", b"<ds:SignedInfo>"):
        crooked = xml.replace(place, place + b"<!-- AAAA -->")
        provider = a_provider(key=provider_key)
        assert refusal(read_post, crooked, provider) == "xml_annotation"


# --- S06: identifiers ------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id"])
def test_s06_a_repeated_id_is_refused_before_anything_is_verified(
    spelling: str, provider_key: SigningKey
) -> None:
    root = etree.fromstring(request_xml(rest="<samlp:Extensions><x/></samlp:Extensions>"))
    root[1][0].set(spelling, "_request1")
    xml = signed_xml(etree.tostring(root), provider_key)
    provider = a_provider(key=provider_key)
    assert refusal(read_post, xml, provider) == "signature_malformed"


def test_s06_ids_are_registered_for_the_root_alone() -> None:
    source = Path(__file__).parents[3] / "saml_idp"
    assert not [p for p in source.rglob("*.py") if "add_ids" in p.read_text(encoding="utf-8")]


def test_s05_a_root_without_id_is_refused(provider_key: SigningKey) -> None:
    root = signed_tree(provider_key)
    del root.attrib["ID"]
    root.find(f".//{names.ds('Reference')}").set("URI", "#")
    assert refusal(verified, root, [provider_key.certificate]) == "signature_malformed"


# --- S07, S09: algorithms ----------------------------------------------------------------


@pytest.mark.parametrize(
    "transforms",
    [
        (constants.TransformEnveloped, constants.TransformExclC14NWithComments),
        (constants.TransformEnveloped, constants.TransformInclC14N),
        (constants.TransformExclC14N, constants.TransformEnveloped),
        (constants.TransformEnveloped,),
        (constants.TransformEnveloped, constants.TransformExclC14N, constants.TransformExclC14N),
        (constants.TransformExclC14N,),
        (),
    ],
)
def test_s07_other_transforms_are_refused(
    transforms: tuple[Any, ...], provider_key: SigningKey
) -> None:
    try:
        xml = xmlsec_signed(request_xml(), provider_key, transforms=transforms)
    except xmlsec.Error:  # cannot even be made; the order matters to the reader all the same
        xml = etree.tostring(with_transforms(signed_tree(provider_key), transforms))
    reason = refusal(read_post, xml, a_provider(key=provider_key))
    assert reason in {"signature_algorithm", "signature_malformed"}


def with_transforms(root: Any, transforms: tuple[Any, ...]) -> Any:
    parent = root.find(f".//{names.ds('Transforms')}")
    for child in list(parent):
        parent.remove(child)
    for transform in transforms:
        etree.SubElement(parent, names.ds("Transform"), Algorithm=transform.href)
    return root


@pytest.mark.parametrize(
    "uri",
    [
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "",
    ],
)
def test_s07_a_transform_of_another_kind_is_refused(uri: str, provider_key: SigningKey) -> None:
    provider = a_provider(key=provider_key)
    for index in (0, 1):
        root = signed_tree(provider_key)
        root.findall(f".//{names.ds('Transform')}")[index].set("Algorithm", uri)
        xml = etree.tostring(root)
        assert refusal(read_post, xml, provider) == "signature_algorithm"
    root = signed_tree(provider_key)
    root.find(f".//{names.ds('CanonicalizationMethod')}").set("Algorithm", uri)
    assert refusal(read_post, etree.tostring(root), provider) == "signature_algorithm"


def test_s07_a_stylesheet_in_a_transform_is_refused(provider_key: SigningKey) -> None:
    for name in ("Transform", "CanonicalizationMethod"):
        root = signed_tree(provider_key)
        place = root.findall(f".//{names.ds(name)}")[-1]
        etree.SubElement(place, "{http://www.w3.org/1999/XSL/Transform}stylesheet")
        xml = etree.tostring(root)
        provider = a_provider(key=provider_key)
        assert refusal(read_post, xml, provider) == "signature_algorithm"


def test_s07_a_prefix_list_elsewhere_or_with_content_is_refused(provider_key: SigningKey) -> None:
    for index, filled in ((0, False), (1, True)):
        root = signed_tree(provider_key)
        place = root.findall(f".//{names.ds('Transform')}")[index]
        element = etree.SubElement(place, f"{{{names.EC}}}InclusiveNamespaces", PrefixList="x")
        if filled:
            etree.SubElement(element, "x")
        xml = etree.tostring(root)
        provider = a_provider(key=provider_key)
        assert refusal(read_post, xml, provider) == "signature_algorithm"


WEAK = [
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha224",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha224",
    "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
    "http://www.w3.org/2009/xmldsig11#dsa-sha256",
    "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    "http://www.w3.org/2001/04/XMLDSIG-MORE#RSA-SHA256",
    "urn:x",
    "",
]


@pytest.mark.parametrize("uri", WEAK)
def test_s09_cve_2018_7644_cve_2025_48994_another_signature_algorithm_is_refused(
    uri: str, provider_key: SigningKey
) -> None:
    provider = a_provider(key=provider_key)
    root = signed_tree(provider_key)
    root.find(f".//{names.ds('SignatureMethod')}").set("Algorithm", uri)
    assert refusal(read_post, etree.tostring(root), provider) == "signature_algorithm"
    query = redirect_query(request_xml(), key=provider_key, algorithm=uri)
    assert refusal(read, decode_redirect(query), provider) == "signature_algorithm"


@pytest.mark.parametrize(
    "uri",
    [
        "http://www.w3.org/2000/09/xmldsig#sha1",
        "http://www.w3.org/2001/04/xmldsig-more#md5",
        "http://www.w3.org/2001/04/xmldsig-more#sha224",
        "http://www.w3.org/2001/04/xmlenc#ripemd160",
        "",
    ],
)
def test_s09_another_digest_is_refused(uri: str, provider_key: SigningKey) -> None:
    root = signed_tree(provider_key)
    root.find(f".//{names.ds('DigestMethod')}").set("Algorithm", uri)
    provider = a_provider(key=provider_key)
    assert refusal(read_post, etree.tostring(root), provider) == "signature_algorithm"


def test_s09_genuine_sha1_signatures_are_refused(provider_key: SigningKey) -> None:
    provider = a_provider(key=provider_key)
    weak: tuple[dict[str, Any], ...] = (
        {"signing": constants.TransformRsaSha1},
        {"digest": constants.TransformSha1},
    )
    for named in weak:
        xml = xmlsec_signed(request_xml(), provider_key, **named)
        assert refusal(read_post, xml, provider) == "signature_algorithm"


def test_s09_an_algorithm_of_another_kind_of_key_is_refused(
    provider_key: SigningKey, make_key: MakeKey
) -> None:
    curve = make_key("p-256", "p-256")
    for key, uri in ((provider_key, names.ECDSA_SHA256), (curve, names.RSA_SHA256)):
        provider = a_provider(key=key)
        query = redirect_query(request_xml(), key=key, algorithm=uri)
        assert refusal(read, decode_redirect(query), provider) == ("signature_invalid")
        root = signed_tree(key)
        root.find(f".//{names.ds('SignatureMethod')}").set("Algorithm", uri)
        xml = etree.tostring(root)
        assert refusal(read_post, xml, provider) == "signature_invalid"


@pytest.mark.parametrize(
    "named",
    [
        {"signing": constants.TransformRsaSha1},
        {"digest": constants.TransformSha1},
        {"c14n": constants.TransformInclC14N},
        {"transforms": (constants.TransformEnveloped, constants.TransformInclC14N)},
    ],
)
def test_s07_the_context_refuses_by_itself_what_our_reading_would_overlook(
    named: dict[str, Any], provider_key: SigningKey
) -> None:
    root = etree.fromstring(xmlsec_signed(request_xml(), provider_key, **named))
    context = signatures._context(provider_key.certificate)
    context.register_id(root, "ID")
    with pytest.raises(xmlsec.Error):
        context.verify(the_signature(root))
    plain = xmlsec.SignatureContext()  # one that allows all takes the same message
    plain.key = signatures._key_of(provider_key.certificate.der)
    plain.register_id(root, "ID")
    plain.verify(the_signature(root))


# --- S08: references to elsewhere --------------------------------------------------------


@pytest.mark.parametrize(
    "uri", ["file:///etc/hostname", "http://127.0.0.1:9/x", "#other", "_request1", "#_request1 "]
)
def test_s08_a_reference_to_elsewhere_is_refused(uri: str, provider_key: SigningKey) -> None:
    root = signed_tree(provider_key)
    root.find(f".//{names.ds('Reference')}").set("URI", uri)
    provider = a_provider(key=provider_key)
    assert refusal(read_post, etree.tostring(root), provider) == "signature_malformed"


FILE_REFERENCE = """
import sys
from lxml import etree
import xmlsec
from xmlsec import constants, template
if sys.argv[2] == "with us":
    import saml_idp.saml.signatures
root = etree.Element("a")
signature = template.create(root, constants.TransformExclC14N, constants.TransformHmacSha256)
root.append(signature)
template.add_reference(signature, constants.TransformSha256, uri=sys.argv[1])
context = xmlsec.SignatureContext()
context.key = xmlsec.Key.from_binary_data(constants.KeyDataHmac, b"k" * 32)
try:
    context.sign(signature)
except xmlsec.Error:
    sys.exit(3)
"""


def test_s08_no_file_is_opened_once_our_module_is_loaded(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("secret")

    def run(word: str) -> int:
        return subprocess.run(
            [sys.executable, "-c", FILE_REFERENCE, target.as_uri(), word],
            check=False,
            capture_output=True,
        ).returncode

    assert run("with us") == 3
    assert run("alone") == 0  # what it would do otherwise; the test can fail


# --- S10, S12: keys ----------------------------------------------------------------------


def test_s10_a_key_in_the_message_is_ignored(
    provider_key: SigningKey, other_key: SigningKey
) -> None:
    xml = signed_xml(request_xml(), other_key)
    assert base64.b64encode(other_key.certificate.der) in xml
    provider = a_provider(key=provider_key)
    assert refusal(read_post, xml, provider) == "signature_invalid"


def test_s10_key_info_may_say_anything_or_be_absent(
    provider_key: SigningKey, other_key: SigningKey
) -> None:
    provider = a_provider(key=provider_key)
    root = signed_tree(provider_key)
    info = root.find(f".//{names.ds('KeyInfo')}")
    shown = info.find(f".//{names.ds('X509Certificate')}")
    shown.text = base64.b64encode(other_key.certificate.der).decode()
    assert read_post(etree.tostring(root), provider).was_signed
    info.clear()
    etree.SubElement(info, names.ds("RetrievalMethod"), URI="http://127.0.0.1:9/key")
    assert read_post(etree.tostring(root), provider).was_signed
    the_signature(root).remove(info)
    assert read_post(etree.tostring(root), provider).was_signed


def test_s10_a_provider_without_keys_cannot_send_signatures(provider_key: SigningKey) -> None:
    xml = signed_xml(request_xml(), provider_key)
    assert refusal(read_post, xml, a_provider()) == "signature_unknown_key"
    message = decode_redirect(redirect_query(request_xml(), key=provider_key))
    assert refusal(read, message, a_provider()) == "signature_unknown_key"


def test_s10_an_issuer_is_checked_by_its_own_keys_alone(
    provider_key: SigningKey, other_key: SigningKey
) -> None:
    victim = a_provider(key=provider_key)
    attacker = replace(a_provider(key=other_key), entity_id=EntityId("https://attacker.example"))
    both = {p.entity_id: p for p in (victim, attacker)}
    xml = signed_xml(request_xml(), other_key)  # says it is the victim, signed by the attacker
    message = decode_post(post_body(xml))
    assert refusal(read, message, find_provider=both.get) == "signature_invalid"


def test_s12_every_key_is_tried_in_any_order(
    provider_key: SigningKey, other_key: SigningKey, make_key: MakeKey
) -> None:
    keys = [make_key("p-256", "p-256"), other_key, provider_key]
    xml = signed_xml(request_xml(), provider_key)
    query = redirect_query(request_xml(), key=provider_key)
    for order in (keys, keys[::-1]):
        provider = replace(
            a_provider(), signing_certificates=tuple(key.certificate for key in order)
        )
        assert read_post(xml, provider).was_signed
        assert read(decode_redirect(query), provider).was_signed


def test_s12_an_expired_certificate_with_the_right_key_is_accepted(
    provider_key: SigningKey,
) -> None:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "someone else")])
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    expired = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(provider_key.private.public_key())
        .serial_number(1)
        .not_valid_before(long_ago)
        .not_valid_after(long_ago + timedelta(days=1))
        .sign(provider_key.private, hashes.SHA256())
    )
    der = expired.public_bytes(serialization.Encoding.DER)
    provider = replace(a_provider(), signing_certificates=(Certificate(der),))
    assert read_post(signed_xml(request_xml(), provider_key), provider).was_signed
    query = redirect_query(request_xml(), key=provider_key)
    assert read(decode_redirect(query), provider).was_signed


# --- S11, R01: what a verification gives back --------------------------------------------


def test_r01_s11_the_verified_element_itself_comes_back(provider_key: SigningKey) -> None:
    root = parse(signed_xml(request_xml(), provider_key))
    assert verified(root, [provider_key.certificate]) is root


def test_r01_s11_without_a_signature_nothing_comes_back(provider_key: SigningKey) -> None:
    root = parse(request_xml())
    assert refusal(verified, root, [provider_key.certificate]) == "signature_missing"
    message = decode_redirect(redirect_query(request_xml()))
    assert refusal(verified_redirect, message, [provider_key.certificate]) == ("signature_missing")


def test_r01_there_is_one_parse_call_in_the_way_of_a_request() -> None:
    source = Path(__file__).parents[3] / "saml_idp" / "saml"
    callers = {
        path.name
        for path in source.glob("*.py")
        if any(
            word in path.read_text(encoding="utf-8")
            for word in ("fromstring(", "etree.parse(", "XMLParser(", "etree.XML(")
        )
    }
    assert callers == {"xml.py"}
    assert (source / "requests.py").read_text(encoding="utf-8").count("parse(") == 1


def test_metadata_is_signed_at_its_first_place(provider_key: SigningKey) -> None:
    root = parse(b'<a ID="_a"><b/></a>')
    sign(root, provider_key, position=0)
    octets = serialize(root)
    again = parse(octets, limits=METADATA_LIMITS)
    assert verified(again, [provider_key.certificate], position=0) is again
    assert refusal(verified, again, [provider_key.certificate]) == "signature_malformed"


def test_our_signatures_name_the_algorithm_of_their_key(make_key: MakeKey) -> None:
    expected = {
        "rsa-2048": names.RSA_SHA256, "p-256": names.ECDSA_SHA256, "p-384": names.ECDSA_SHA384
    }  # fmt: skip
    assert {a: algorithm_of(make_key(a, a)) for a in expected} == expected  # type: ignore[arg-type]
