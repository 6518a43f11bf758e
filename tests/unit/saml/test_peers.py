"""Other people's service providers accept what we issue and send what we read.

python3-saml in strict mode stands in for Atlassian's toolkit; pysaml2 is the other family. Both
ask their own clock, so these messages carry the present time.
"""

import base64
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization

from saml_idp.crypto.keys import SigningKey
from saml_idp.domain.ids import EntityId
from saml_idp.domain.policy import Encryption, NameIdFormat, Policy, Signing
from saml_idp.domain.service_provider import AssertionConsumer, Certificate, ServiceProvider
from saml_idp.saml import names
from saml_idp.saml.bindings import decode_post, decode_redirect
from saml_idp.saml.idp_metadata import Described, write_idp_metadata
from saml_idp.saml.issuer import Issuer, SignedResponse
from saml_idp.saml.refusals import Status, write_refusal
from saml_idp.saml.requests import read_authn_request
from saml_idp.saml.sp_metadata import read_metadata
from tests.build import IDP, a_person
from tests.unit.saml.messages import POST, SSO, MakeKey, a_provider
from tests.unit.saml.proofs import a_proof, a_release, an_accepted_request, counted_ids, present

BASE = "https://jira.example.com"
CONSUMER = f"{BASE}/plugins/servlet/samlconsumer"
GROUPS = ("jira-users", "staff")
XMLSEC1 = Path(__file__).with_name("xmlsec1.py")


def pem_of(certificate: Certificate) -> str:
    text = base64.encodebytes(certificate.der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


def private_pem(key: SigningKey) -> str:
    return key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture(scope="session")
def idp_key(make_key: MakeKey) -> SigningKey:
    return make_key("idp")


@pytest.fixture(scope="session")
def sp_key(make_key: MakeKey) -> SigningKey:
    return make_key("jira")


def jira(**changes: Any) -> ServiceProvider:
    return a_provider(
        entity_id=EntityId(BASE),
        consumers=(AssertionConsumer(CONSUMER, POST, 0, is_default=True),),
        **changes,
    )


@pytest.fixture
def answer(idp_key: SigningKey) -> Callable[..., SignedResponse]:
    """Return a maker of answers to Jira, as of now."""

    def act(
        *,
        provider: ServiceProvider | None = None,
        request_id: str | None = "ONELOGIN_1",
        key: SigningKey = idp_key,
        sign: Signing = Signing.BOTH,
        encrypt: Encryption = Encryption.WHEN_POSSIBLE,
        name_id_format: NameIdFormat = NameIdFormat.UNSPECIFIED,
    ) -> SignedResponse:
        policy = Policy(
            sign=sign,
            encrypt=encrypt,
            name_id_format=name_id_format,
            name_id_attribute="username",
            attributes={"email": "email", "groups": "groups", "urn:oid:2.5.4.3": "name"},
        )
        proof = a_proof(
            provider=provider or jira(),
            request=an_accepted_request(
                request_id=request_id, issuer=EntityId(BASE), reply_to=CONSUMER
            ),
            policy=policy,
            person=a_person(groups=GROUPS),
            now=present() - timedelta(seconds=30),
        )
        return Issuer(IDP, key).issue(
            proof, a_release(proof), issued_at=present(), new_id=counted_ids()
        )

    return act


Answer = Callable[..., SignedResponse]

# --- python3-saml --------------------------------------------------------------------------


def toolkit_settings(idp: SigningKey, sp: SigningKey | None = None, **security: Any) -> Any:
    settings: dict[str, Any] = {
        "strict": True,
        "sp": {
            "entityId": BASE,
            "assertionConsumerService": {"url": CONSUMER, "binding": POST},
            "NameIDFormat": names.FORMAT_UNSPECIFIED,
        },
        "idp": {
            "entityId": IDP,
            "singleSignOnService": {"url": SSO},
            "x509cert": base64.b64encode(idp.certificate.der).decode(),
        },
        "security": {
            "wantXMLValidation": True,
            "rejectDeprecatedAlgorithm": True,
            "requestedAuthnContext": True,
        }
        | security,
    }
    if sp is not None:
        settings["sp"] |= {
            "x509cert": base64.b64encode(sp.certificate.der).decode(),
            "privateKey": private_pem(sp),
        }
    return settings


HTTP = {"https": "on", "http_host": "jira.example.com", "script_name": ""}


def toolkit_reads(response: SignedResponse, settings: Any, request_id: str | None) -> Any:
    from onelogin.saml2.response import OneLogin_Saml2_Response
    from onelogin.saml2.settings import OneLogin_Saml2_Settings

    wire = base64.b64encode(response.xml).decode()
    read = OneLogin_Saml2_Response(OneLogin_Saml2_Settings(settings), wire)
    http = HTTP | {"script_name": "/plugins/servlet/samlconsumer", "post_data": {}}
    read.is_valid(http, request_id=request_id, raise_exceptions=True)
    return read


@pytest.mark.parametrize("sign", list(Signing))
def test_t05_the_atlassian_toolkit_accepts_what_we_sign(
    sign: Signing, answer: Answer, idp_key: SigningKey
) -> None:
    read = toolkit_reads(answer(sign=sign), toolkit_settings(idp_key), "ONELOGIN_1")
    assert read.get_nameid() == "alice"
    assert read.get_nameid_format() == names.FORMAT_UNSPECIFIED
    assert read.get_attributes() == {
        "email": ["alice@example.org"],
        "groups": list(GROUPS),
        "urn:oid:2.5.4.3": ["Alice Example"],
    }
    assert read.get_session_index() == "_session1"


@pytest.mark.parametrize("algorithm", ["rsa-3072", "p-256"])
def test_t05_the_toolkit_accepts_other_kinds_of_key(
    algorithm: Any, answer: Answer, make_key: MakeKey
) -> None:
    key = make_key("idp", algorithm)
    read = toolkit_reads(answer(key=key), toolkit_settings(key), "ONELOGIN_1")
    assert read.get_nameid() == "alice"


def test_t05_the_toolkit_accepts_an_unsolicited_answer(answer: Answer, idp_key: SigningKey) -> None:
    response = answer(request_id=None)
    assert toolkit_reads(response, toolkit_settings(idp_key), None).get_nameid() == "alice"


def test_t05_the_toolkit_demands_both_signatures_and_encryption_and_is_content(
    answer: Answer, idp_key: SigningKey, sp_key: SigningKey
) -> None:
    response = answer(provider=jira(encryption_certificates=(sp_key.certificate,)))
    assert b"alice" not in response.xml
    settings = toolkit_settings(
        idp_key,
        sp_key,
        wantAssertionsSigned=True,
        wantMessagesSigned=True,
        wantAssertionsEncrypted=True,
    )
    assert toolkit_reads(response, settings, "ONELOGIN_1").get_nameid() == "alice"


def test_a08_the_toolkit_of_another_provider_refuses_it(
    answer: Answer, idp_key: SigningKey
) -> None:
    from onelogin.saml2.errors import OneLogin_Saml2_ValidationError

    settings = toolkit_settings(idp_key)
    settings["sp"]["entityId"] = "https://confluence.example.com"
    with pytest.raises(OneLogin_Saml2_ValidationError, match="audience"):
        toolkit_reads(answer(), settings, "ONELOGIN_1")


def test_the_toolkit_refuses_it_by_another_key(answer: Answer, sp_key: SigningKey) -> None:
    from onelogin.saml2.errors import OneLogin_Saml2_ValidationError

    with pytest.raises(OneLogin_Saml2_ValidationError, match="ignature"):
        toolkit_reads(answer(), toolkit_settings(sp_key), "ONELOGIN_1")


def test_a_refusal_is_read_as_one_by_the_toolkit(idp_key: SigningKey) -> None:
    from onelogin.saml2.errors import OneLogin_Saml2_ValidationError

    refusal = write_refusal(
        an_accepted_request(request_id="ONELOGIN_1", reply_to=CONSUMER),
        issuer=IDP,
        status=Status.NO_PASSIVE,
        issued_at=present(),
        new_id=counted_ids(),
    )
    with pytest.raises(OneLogin_Saml2_ValidationError, match="NoPassive"):
        toolkit_reads(refusal, toolkit_settings(idp_key), "ONELOGIN_1")  # type: ignore[arg-type]


@pytest.mark.parametrize("signed", [False, True])
def test_requests_of_the_toolkit_are_read(
    signed: bool,  # noqa: FBT001
    idp_key: SigningKey,
    sp_key: SigningKey,
) -> None:
    from onelogin.saml2.auth import OneLogin_Saml2_Auth

    settings = toolkit_settings(
        idp_key,
        sp_key,
        authnRequestsSigned=signed,
        signatureAlgorithm=names.RSA_SHA256,
    )
    http: dict[str, Any] = HTTP | {"get_data": {}, "post_data": {}}
    url = OneLogin_Saml2_Auth(http, settings).login(return_to=f"{BASE}/browse/ABC-1?x=y&z")
    request = read_authn_request(
        decode_redirect(urlsplit(url).query),
        find_provider={EntityId(BASE): jira(signing_certificates=(sp_key.certificate,))}.get,
        expected_destination=SSO,
        require_signed=lambda _: signed,
        now=present(),
    )
    assert (request.issuer, request.reply_to, request.was_signed) == (BASE, CONSUMER, signed)
    assert request.relay_state == f"{BASE}/browse/ABC-1?x=y&z"
    assert request.requested_context is not None


def test_our_metadata_is_read_by_the_toolkit(idp_key: SigningKey, make_key: MakeKey) -> None:
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser

    xml = our_metadata(idp_key, make_key("metadata"))
    read = OneLogin_Saml2_IdPMetadataParser.parse(xml)
    assert read["idp"]["entityId"] == IDP
    assert read["idp"]["singleSignOnService"]["url"] == SSO
    assert read["idp"]["x509cert"] == base64.b64encode(idp_key.certificate.der).decode()


def our_metadata(key: SigningKey, metadata_key: SigningKey) -> bytes:
    return write_idp_metadata(
        Described(IDP, SSO, (key.certificate,), wants_signed=True),
        key=metadata_key,
        valid_until=present() + timedelta(days=7),
        cache_duration=timedelta(hours=1),
    )


# --- pysaml2 -------------------------------------------------------------------------------


@pytest.fixture
def pysaml2_client(
    tmp_path: Path, idp_key: SigningKey, sp_key: SigningKey, make_key: MakeKey
) -> Any:
    """Return pysaml2 as a provider that demands both signatures, with our metadata."""
    from saml2.client import Saml2Client
    from saml2.config import SPConfig

    binary = tmp_path / "xmlsec1"
    binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{XMLSEC1}" "$@"\n')
    binary.chmod(0o755)
    key, certificate, metadata = (tmp_path / name for name in ("sp.key", "sp.crt", "idp.xml"))
    key.write_text(private_pem(sp_key))
    certificate.write_text(pem_of(sp_key.certificate))
    metadata.write_bytes(our_metadata(idp_key, make_key("metadata")))
    config = SPConfig().load(
        {
            "entityid": BASE,
            "service": {
                "sp": {
                    "endpoints": {"assertion_consumer_service": [(CONSUMER, POST)]},
                    "authn_requests_signed": True,
                    "want_response_signed": True,
                    "want_assertions_signed": True,
                    "allow_unsolicited": False,
                    "name_id_policy_format": None,
                    "signing_algorithm": names.RSA_SHA256,
                    "digest_algorithm": names.SHA256,
                }
            },
            "metadata": {"local": [str(metadata)]},
            "key_file": str(key),
            "cert_file": str(certificate),
            "encryption_keypairs": [{"key_file": str(key), "cert_file": str(certificate)}],
            "xmlsec_binary": str(binary),
            "allow_unknown_attributes": True,
        }
    )
    return Saml2Client(config=config)


@pytest.mark.parametrize("encrypted", [False, True])
def test_t05_pysaml2_accepts_what_we_issue(
    encrypted: bool,  # noqa: FBT001
    pysaml2_client: Any,
    answer: Answer,
    sp_key: SigningKey,
) -> None:
    from saml2 import BINDING_HTTP_POST

    certificates = (sp_key.certificate,) if encrypted else ()
    response = answer(
        provider=jira(encryption_certificates=certificates),
        request_id="id-1",
        name_id_format=NameIdFormat.PERSISTENT,
    )
    read = pysaml2_client.parse_authn_request_response(
        base64.b64encode(response.xml).decode(), BINDING_HTTP_POST, outstanding={"id-1": "/"}
    )
    assert read.get_subject().text == "pairwise-of-u-alice"
    assert read.ava["groups"] == list(GROUPS)
    assert read.in_response_to == "id-1"
    assert read.assertion.authn_statement[0].session_index == "_session1"


def test_pysaml2_refuses_a_changed_response(pysaml2_client: Any, answer: Answer) -> None:
    from saml2 import BINDING_HTTP_POST
    from saml2.sigver import SignatureError

    xml = answer(request_id="id-1").xml.replace(b">alice<", b">mallory<")
    with pytest.raises(SignatureError):
        pysaml2_client.parse_authn_request_response(
            base64.b64encode(xml).decode(), BINDING_HTTP_POST, outstanding={"id-1": "/"}
        )


def test_requests_of_pysaml2_are_read(pysaml2_client: Any, sp_key: SigningKey) -> None:
    from saml2 import BINDING_HTTP_REDIRECT

    _, http = pysaml2_client.prepare_for_authenticate(
        entityid=IDP, relay_state="a b/c?", binding=BINDING_HTTP_REDIRECT
    )
    query = urlsplit(dict(http["headers"])["Location"]).query
    assert "Signature" in parse_qs(query)
    request = read_authn_request(
        decode_redirect(query),
        find_provider={EntityId(BASE): jira(signing_certificates=(sp_key.certificate,))}.get,
        expected_destination=SSO,
        require_signed=lambda _: True,
        now=present(),
    )
    assert (request.reply_to, request.relay_state, request.was_signed) == (
        CONSUMER, "a b/c?", True,
    )  # fmt: skip


def test_metadata_of_pysaml2_is_read(pysaml2_client: Any, sp_key: SigningKey) -> None:
    from saml2.metadata import entity_descriptor

    xml = str(entity_descriptor(pysaml2_client.config)).encode()
    read = read_metadata(xml, file="sp.xml", allow_http_loopback=False, now=present())
    assert read.faults == ()
    (provider,) = read.providers
    assert provider.entity_id == BASE
    assert provider.consumers[0].location == CONSUMER
    assert provider.signs_requests
    assert {c.der for c in provider.signing_certificates} == {sp_key.certificate.der}
    assert {c.der for c in provider.encryption_certificates} == {sp_key.certificate.der}


def test_metadata_of_the_toolkit_is_read(idp_key: SigningKey, sp_key: SigningKey) -> None:
    from onelogin.saml2.settings import OneLogin_Saml2_Settings

    settings = OneLogin_Saml2_Settings(toolkit_settings(idp_key, sp_key), sp_validation_only=True)
    xml = settings.get_sp_metadata()
    octets = xml.encode() if isinstance(xml, str) else xml
    read = read_metadata(octets, file="sp.xml", allow_http_loopback=False, now=present())
    assert read.faults == ()
    (provider,) = read.providers
    assert (provider.entity_id, provider.consumers[0].location) == (BASE, CONSUMER)


def test_a_form_of_pysaml2_is_read(pysaml2_client: Any, sp_key: SigningKey) -> None:
    from saml2 import BINDING_HTTP_POST

    _, request = pysaml2_client.create_authn_request(SSO, sign=False)
    form = pysaml2_client.apply_binding(BINDING_HTTP_POST, str(request), SSO, relay_state="r")
    from bs4 import BeautifulSoup

    fields = {
        str(tag["name"]): str(tag["value"])
        for tag in BeautifulSoup("".join(form["data"]), "html.parser").find_all("input")
        if tag.get("name")
    }
    from urllib.parse import urlencode

    read = read_authn_request(
        decode_post(urlencode(fields).encode()),
        find_provider={EntityId(BASE): jira()}.get,
        expected_destination=SSO,
        require_signed=lambda _: False,
        now=present(),
    )
    assert (read.reply_to, read.relay_state) == (CONSUMER, "r")
