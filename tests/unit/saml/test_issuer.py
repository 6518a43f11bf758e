"""Issuing: everything is read off the proof, in the schema's order, signed by our key."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from saml_idp.crypto.keys import SigningKey
from saml_idp.domain.authn_context import (
    MOBILE_ONE_FACTOR,
    PASSWORD_PROTECTED_TRANSPORT,
    REFEDS_MFA,
)
from saml_idp.domain.errors import LoginRefused
from saml_idp.domain.policy import Encryption, NameIdFormat, Policy, Signing
from saml_idp.domain.proof import CompletedChain
from saml_idp.domain.release import NameId, Release
from saml_idp.domain.request import Comparison, RequestedContext
from saml_idp.domain.service_provider import AssertionConsumer, Binding
from saml_idp.saml import names
from saml_idp.saml.encryption import encrypted_assertion
from saml_idp.saml.issuer import Issuer, SignedResponse
from saml_idp.saml.signatures import verified
from saml_idp.saml.xml import parse, serialize
from tests.build import ACS, IDP, NOW, PROVIDER, a_person
from tests.unit.saml.messages import MakeKey, a_provider
from tests.unit.saml.proofs import a_proof, a_release, an_accepted_request, counted_ids

ISSUED_AT = NOW + timedelta(seconds=40)
RELEASING = Policy(
    attributes={"email": "email", "groups": "groups", "urn:oid:2.5.4.3": "name", "phone": "phone"}
)


@pytest.fixture(scope="session")
def idp_key(make_key: MakeKey) -> SigningKey:
    return make_key("idp")


@pytest.fixture
def issue(idp_key: SigningKey) -> Callable[..., SignedResponse]:
    def act(
        proof: CompletedChain | None = None,
        release: Release | None = None,
        *,
        key: SigningKey = idp_key,
        issued_at: datetime = ISSUED_AT,
    ) -> SignedResponse:
        proof = proof or a_proof(policy=RELEASING)
        return Issuer(IDP, key).issue(
            proof, release or a_release(proof), issued_at=issued_at, new_id=counted_ids()
        )

    return act


Issue = Callable[..., SignedResponse]


def tree_of(response: SignedResponse) -> Any:
    return parse(response.xml)


def assertion_of(response: SignedResponse) -> Any:
    return tree_of(response).find(names.assertion("Assertion"))


def find(element: Any, *path: str) -> Any:
    (found,) = element.findall("/".join(names.assertion(name) for name in path))
    return found


# --- the shape -----------------------------------------------------------------------------


def test_a07_a_response_holds_what_the_profile_asks_for(issue: Issue) -> None:
    response = issue()
    root = tree_of(response)
    assert [child.tag for child in root] == [
        names.assertion("Issuer"),
        names.ds("Signature"),
        names.protocol("Status"),
        names.assertion("Assertion"),
    ]
    assert dict(root.attrib) == {
        "ID": "_new1",
        "Version": "2.0",
        "IssueInstant": "2026-05-04T12:00:40Z",
        "Destination": ACS,
        "InResponseTo": "_request1",
    }
    assert root[0].text == IDP
    assert root[2][0].get("Value") == names.STATUS_SUCCESS
    assertion = assertion_of(response)
    assert [etree.QName(child).localname for child in assertion] == [
        "Issuer", "Signature", "Subject", "Conditions", "AuthnStatement", "AttributeStatement",
    ]  # fmt: skip
    assert find(assertion, "Issuer").text == IDP
    assert find(assertion, "Subject", "NameID").text == "alice"
    assert find(assertion, "Subject", "SubjectConfirmation").get("Method") == names.BEARER
    data = find(assertion, "Subject", "SubjectConfirmation", "SubjectConfirmationData")
    assert dict(data.attrib) == {
        "NotOnOrAfter": "2026-05-04T12:05:40Z",
        "Recipient": ACS,
        "InResponseTo": "_request1",
    }


def test_a08_the_audience_is_the_provider_and_no_one_else(issue: Issue) -> None:
    assertion = assertion_of(issue())
    assert find(assertion, "Conditions", "AudienceRestriction", "Audience").text == PROVIDER


def test_a09_conditions_begin_in_the_past_and_end_soon(issue: Issue) -> None:
    conditions = find(assertion_of(issue()), "Conditions")
    assert dict(conditions.attrib) == {
        "NotBefore": "2026-05-04T11:59:40Z",
        "NotOnOrAfter": "2026-05-04T12:05:40Z",
    }
    short = a_proof(policy=Policy(assertion_lifetime=timedelta(seconds=60)))
    assert find(assertion_of(issue(short)), "Conditions").get("NotOnOrAfter") == (
        "2026-05-04T12:01:40Z"
    )


def test_a09_no_policy_can_make_an_assertion_live_longer(issue: Issue) -> None:
    long = a_proof(policy=Policy(assertion_lifetime=timedelta(hours=1)))
    assert find(assertion_of(issue(long)), "Conditions").get("NotOnOrAfter") == (
        "2026-05-04T12:05:40Z"
    )


def test_the_statement_says_when_how_and_until_when(issue: Issue) -> None:
    statement = find(assertion_of(issue()), "AuthnStatement")
    assert statement.get("AuthnInstant") == "2026-05-04T12:00:10Z"  # of the oldest step
    assert statement.get("SessionIndex") == "_session1"
    assert statement.get("SessionNotOnOrAfter") == "2026-05-05T00:00:30Z"
    assert find(statement, "AuthnContext", "AuthnContextClassRef").text == REFEDS_MFA


@pytest.mark.parametrize(
    ("policy", "wanted", "stated"),
    [
        (Policy(), None, REFEDS_MFA),
        (Policy(), PASSWORD_PROTECTED_TRANSPORT, PASSWORD_PROTECTED_TRANSPORT),
        (Policy(two_step=False), None, MOBILE_ONE_FACTOR),
        (Policy(access_symbols=3), None, MOBILE_ONE_FACTOR),
    ],
)
def test_p05_the_class_is_that_of_the_proof(
    policy: Policy, wanted: str | None, stated: str, issue: Issue
) -> None:
    context = RequestedContext(Comparison.EXACT, (wanted,)) if wanted else None
    proof = a_proof(policy=policy, request=an_accepted_request(requested_context=context))
    found = find(
        assertion_of(issue(proof)), "AuthnStatement", "AuthnContext", "AuthnContextClassRef"
    )
    assert found.text == stated


def test_a16_one_attribute_for_each_name_with_all_its_values(issue: Issue) -> None:
    statement = find(assertion_of(issue()), "AttributeStatement")
    found = [(a.get("Name"), a.get("NameFormat"), [value.text for value in a]) for a in statement]
    assert found == [
        ("email", names.ATTRIBUTE_BASIC, ["alice@example.org"]),
        ("groups", names.ATTRIBUTE_BASIC, ["jira-users", "staff"]),
        ("urn:oid:2.5.4.3", names.ATTRIBUTE_URI, ["Alice Example"]),
    ]


def test_a16_nothing_is_released_by_default(issue: Issue) -> None:
    assertion = assertion_of(issue(a_proof(policy=Policy())))
    assert assertion.find(names.assertion("AttributeStatement")) is None
    assert b"alice@example.org" not in issue(a_proof(policy=Policy())).xml


def test_a_persistent_name_has_both_qualifiers(issue: Issue) -> None:
    proof = a_proof(policy=Policy(name_id_format=NameIdFormat.PERSISTENT))
    name_id = find(assertion_of(issue(proof)), "Subject", "NameID")
    assert dict(name_id.attrib) == {
        "Format": names.FORMAT_PERSISTENT,
        "NameQualifier": IDP,
        "SPNameQualifier": PROVIDER,
    }


def test_a15_an_unsolicited_answer_names_no_request(issue: Issue) -> None:
    proof = a_proof(request=an_accepted_request(request_id=None, relay_state=None))
    response = issue(proof)
    assert b"InResponseTo" not in response.xml
    assert response.relay_state is None


def test_what_is_returned_tells_what_was_signed(issue: Issue, idp_key: SigningKey) -> None:
    response = issue()
    assert (response.destination, response.relay_state) == (ACS, "state")
    assert (response.assertion_id, response.response_id) == ("_assertion1", "_new1")
    digest = hashes.Hash(hashes.SHA256())
    digest.update(response.xml)
    assert response.sha256 == digest.finalize().hex()
    assert response.key_id == idp_key.key_id
    assert assertion_of(response).get("ID") == "_assertion1"


@pytest.mark.parametrize("sign", list(Signing))
@pytest.mark.parametrize("name_id_format", list(NameIdFormat))
def test_every_response_is_valid_by_the_schema(
    sign: Signing, name_id_format: NameIdFormat, issue: Issue, protocol_schema: etree.XMLSchema
) -> None:
    for attributes in ({}, {"email": "email", "groups": "groups"}):
        policy = Policy(
            sign=sign,
            name_id_format=name_id_format,
            attributes=attributes,
            name_id_attribute="email",
        )
        for request in (an_accepted_request(), an_accepted_request(request_id=None)):
            response = issue(a_proof(policy=policy, request=request))
            protocol_schema.assertValid(etree.fromstring(response.xml))


def test_an_encrypted_response_is_valid_by_the_schema(
    issue: Issue, protocol_schema: etree.XMLSchema, other_key: SigningKey
) -> None:
    proof = a_proof(provider=a_provider(encryption_certificates=(other_key.certificate,)))
    protocol_schema.assertValid(etree.fromstring(issue(proof).xml))


# --- signatures ----------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["rsa-2048", "rsa-3072", "p-256", "p-384"])
def test_a06_response_and_assertion_verify_alone(
    algorithm: Any, issue: Issue, make_key: MakeKey
) -> None:
    key = make_key("idp", algorithm)
    response = issue(key=key)
    assertion = parse(serialize(assertion_of(response)))
    # The response holds two signatures; each is verified as a document of its own.
    assert verified(assertion, [key.certificate]) is assertion
    assert xmlsec_verifies(response.xml, key)


def xmlsec_verifies(xml: bytes, key: SigningKey) -> bool:
    """Verify the root's signature by xmlsec alone, without our own reading."""
    import xmlsec
    from xmlsec import constants

    root = etree.fromstring(xml)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key.certificate.der, constants.KeyDataFormatCertDer)
    context.register_id(root, "ID")
    context.verify(root.find(names.ds("Signature")))
    return True


@pytest.mark.parametrize(
    ("sign", "places"),
    [
        (Signing.BOTH, ["Response", "Assertion"]),
        (Signing.RESPONSE, ["Response"]),
        (Signing.ASSERTION, ["Assertion"]),
    ],
)
def test_a06_policy_chooses_what_is_signed(
    sign: Signing, places: list[str], issue: Issue, idp_key: SigningKey
) -> None:
    response = issue(a_proof(policy=Policy(sign=sign)))
    found = [
        etree.QName(signature.getparent()).localname
        for signature in etree.fromstring(response.xml).iter(names.ds("Signature"))
    ]
    assert found == places
    if sign is Signing.RESPONSE:
        root = tree_of(response)
        assert verified(root, [idp_key.certificate]) is root


def test_a06_a_changed_response_does_not_verify(issue: Issue, idp_key: SigningKey) -> None:
    import xmlsec

    xml = issue().xml.replace(b">alice<", b">mallory<")
    with pytest.raises(xmlsec.Error):
        xmlsec_verifies(xml, idp_key)


def test_threads_may_sign_with_one_key_at_once(issue: Issue, idp_key: SigningKey) -> None:
    proof = a_proof()
    release = a_release(proof)

    def act(_: int) -> bool:
        return xmlsec_verifies(issue(proof, release).xml, idp_key)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(act, range(200)))


# --- encryption ------------------------------------------------------------------------------


def decrypted(xml: bytes, key: SigningKey) -> bytes:
    """Decrypt by hand, without xmlsec: RSA-OAEP, then AES-GCM."""
    root = etree.fromstring(xml)
    wrapped, content = (
        base64.b64decode(value.text) for value in root.iter(names.xenc("CipherValue"))
    )
    scheme = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    content_key = key.private.decrypt(wrapped, scheme)  # type: ignore[union-attr]
    return AESGCM(content_key).decrypt(content[:12], content[12:], None)


def xmlsec_decrypted(xml: bytes, key: SigningKey) -> bytes:
    import xmlsec
    from xmlsec import constants

    pem = key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(pem, constants.KeyDataFormatPem))
    root = etree.fromstring(xml)
    found = xmlsec.EncryptionContext(manager).decrypt(
        root.find(f".//{names.xenc('EncryptedData')}")
    )
    return bytes(etree.tostring(found))


def test_a12_an_encrypted_assertion_stands_alone_and_is_signed_inside(
    issue: Issue, idp_key: SigningKey, other_key: SigningKey
) -> None:
    proof = a_proof(
        policy=RELEASING,
        provider=a_provider(encryption_certificates=(other_key.certificate,)),
    )
    response = issue(proof)
    assert b"alice" not in response.xml
    assert xmlsec_verifies(response.xml, idp_key)
    methods = [
        m.get("Algorithm")
        for m in etree.fromstring(response.xml).iter(names.xenc("EncryptionMethod"))
    ]
    assert methods == [names.AES256_GCM, names.RSA_OAEP_MGF1P]
    digest = etree.fromstring(response.xml).find(
        f".//{names.xenc('EncryptedKey')}/{names.xenc('EncryptionMethod')}/{names.ds('DigestMethod')}"
    )
    assert digest.get("Algorithm") == names.SHA1_DIGEST  # said aloud, for readers that insist
    alone = parse(decrypted(response.xml, other_key))
    assert verified(alone, [idp_key.certificate]) is alone
    by_xmlsec = parse(xmlsec_decrypted(response.xml, other_key))
    assert find(by_xmlsec, "Subject", "NameID").text == "alice"


@pytest.mark.parametrize(
    ("listed", "chosen"),
    [
        ((), names.AES256_GCM),
        ((names.RSA_OAEP_MGF1P,), names.AES256_GCM),
        ((names.AES128_GCM,), names.AES128_GCM),
        ((names.XENC + "aes128-cbc", names.AES128_GCM, names.AES256_GCM), names.AES256_GCM),
        ((names.XENC + "tripledes-cbc", names.RSA_1_5, names.AES128_GCM), names.AES128_GCM),
        ((names.XENC + "aes256-cbc",), None),
        ((names.XENC + "tripledes-cbc", names.RSA_1_5), None),
    ],
)
def test_a12_cve_2017_1000246_the_provider_may_choose_among_strong_ciphers_alone(
    listed: tuple[str, ...], chosen: str | None, issue: Issue, other_key: SigningKey
) -> None:
    certificate = replace(other_key.certificate, ciphers=listed)
    proof = a_proof(provider=a_provider(encryption_certificates=(certificate,)))
    if chosen is None:
        with pytest.raises(LoginRefused) as caught:
            issue(proof)
        assert caught.value.reason == "cannot_encrypt"
        return
    xml = issue(proof).xml
    methods = etree.fromstring(xml).iter(names.xenc("EncryptionMethod"))
    assert [m.get("Algorithm") for m in methods] == [chosen, names.RSA_OAEP_MGF1P]
    assert b"alice" in decrypted(xml, other_key)
    assert b"alice" in xmlsec_decrypted(xml, other_key)


def test_a11_what_is_not_usable_is_not_encrypted_to(
    make_key: MakeKey, other_key: SigningKey
) -> None:
    curve = make_key("p-256", "p-256").certificate
    cbc = replace(other_key.certificate, ciphers=(names.XENC + "aes128-cbc",))
    for certificate in (curve, cbc):
        with pytest.raises(ValueError, match=r"RSA key|cipher of ours"):
            encrypted_assertion(b"<a/>", certificate)


def test_a12_key_and_nonce_are_fresh_each_time(issue: Issue, other_key: SigningKey) -> None:
    proof = a_proof(provider=a_provider(encryption_certificates=(other_key.certificate,)))
    release = a_release(proof)
    values = {
        value.text[:16]
        for _ in range(20)
        for value in etree.fromstring(issue(proof, release).xml).iter(names.xenc("CipherValue"))
    }
    assert len(values) == 40


def test_a11_always_without_a_key_fails_and_shows_nothing(issue: Issue) -> None:
    proof = a_proof(policy=Policy(encrypt=Encryption.ALWAYS))
    with pytest.raises(LoginRefused) as caught:
        issue(proof)
    assert caught.value.reason == "cannot_encrypt"


def test_a11_a_key_that_cannot_be_encrypted_to_never_means_plain(
    issue: Issue, make_key: MakeKey, other_key: SigningKey
) -> None:
    curve = make_key("p-256", "p-256").certificate
    for encrypt in (Encryption.ALWAYS, Encryption.WHEN_POSSIBLE):
        proof = a_proof(
            policy=Policy(encrypt=encrypt), provider=a_provider(encryption_certificates=(curve,))
        )
        with pytest.raises(LoginRefused) as caught:
            issue(proof)
        assert caught.value.reason == "cannot_encrypt"
    both = a_provider(encryption_certificates=(curve, other_key.certificate))
    assert b"alice" not in issue(a_proof(provider=both)).xml


def test_never_encrypts_nothing(issue: Issue, other_key: SigningKey) -> None:
    proof = a_proof(
        policy=Policy(encrypt=Encryption.NEVER),
        provider=a_provider(encryption_certificates=(other_key.certificate,)),
    )
    assert assertion_of(issue(proof)) is not None


# --- what cannot be issued -------------------------------------------------------------------


class Lookalike:
    """Has every attribute of a proof and is none."""

    def __init__(self, proof: CompletedChain) -> None:
        for name in CompletedChain.__slots__:
            setattr(self, name, getattr(proof, name))


def test_only_a_completed_chain_is_made_into_an_assertion(issue: Issue) -> None:
    proof = a_proof()
    with pytest.raises(TypeError, match="completed chain"):
        issue(Lookalike(proof), a_release(proof))


@pytest.mark.parametrize("value", ["a\x00b", "\x1b", "\ufffe", "\ud800", "a\x0bb"])
def test_a13_a_value_that_xml_cannot_hold_is_refused(value: str, issue: Issue) -> None:
    proof = a_proof()
    name_id = NameId("alice", names.FORMAT_UNSPECIFIED)
    for release in (
        Release(NameId(value, names.FORMAT_UNSPECIFIED), ()),
        Release(name_id, (("email", (value,)),)),
        Release(name_id, ((value, ("x",)),)),
        Release(NameId("a", names.FORMAT_PERSISTENT, value, "q"), ()),
        Release(NameId("a", names.FORMAT_PERSISTENT, "q", value), ()),
    ):
        with pytest.raises(LoginRefused) as caught:
            issue(proof, release)
        assert caught.value.reason == "value_not_xml"


@pytest.mark.parametrize("crooked", ["1abc", "a b", "", "a:b", '"><x'])
def test_a10_an_id_that_is_no_xs_id_is_refused(
    crooked: str, issue: Issue, idp_key: SigningKey
) -> None:
    with pytest.raises(LoginRefused):
        issue(a_proof(assertion_id=crooked))
    with pytest.raises(LoginRefused):
        issue(a_proof(request=an_accepted_request(request_id=crooked)))
    proof = a_proof()
    with pytest.raises(LoginRefused):
        Issuer(IDP, idp_key).issue(
            proof, a_release(proof), issued_at=ISSUED_AT, new_id=lambda: crooked
        )


@pytest.mark.parametrize("location", ["javascript:alert(1)", "http://sp.example.org/acs", "/acs"])
def test_a03_an_unsafe_reply_address_is_refused_at_sending_too(location: str, issue: Issue) -> None:
    consumer = AssertionConsumer(location, str(Binding.POST), 0)
    proof = a_proof(
        provider=a_provider(consumers=(consumer,)), request=an_accepted_request(reply_to=location)
    )
    with pytest.raises(LoginRefused):
        issue(proof)


@settings(max_examples=60)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_a13_cve_2026_46490_what_was_written_is_read_again_and_nothing_else(
    idp_key: SigningKey, values: list[str]
) -> None:
    proof = a_proof()
    release = Release(NameId(values[0], names.FORMAT_UNSPECIFIED), (("groups", tuple(values)),))
    issuer = Issuer(IDP, idp_key)
    try:
        response = issuer.issue(proof, release, issued_at=ISSUED_AT, new_id=counted_ids())
    except LoginRefused as refused:
        assert refused.reason == "value_not_xml"  # noqa: PT017
        return
    assertion = assertion_of(response)
    assert (find(assertion, "Subject", "NameID").text or "") == values[0]
    (attribute,) = find(assertion, "AttributeStatement")
    assert [value.text or "" for value in attribute] == values
    assert verified(parse(serialize(assertion)), [idp_key.certificate]) is not None


@pytest.mark.parametrize(
    "value", ["</saml:AttributeValue><saml:AttributeValue>admin", "<x/>", "]]>", "&amp;", "&#0;"]
)
def test_a13_injected_markup_stays_text(value: str, issue: Issue) -> None:
    proof = a_proof(policy=RELEASING, person=a_person(attributes={"email": (value,)}))
    statement = find(assertion_of(issue(proof)), "AttributeStatement")
    assert [[v.text for v in a] for a in statement] == [[value], ["jira-users", "staff"]]
