"""Other people's service providers, set up from our live metadata as their operators would."""

import base64
import sys
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import xmlsec
from lxml import etree, html
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.client import Saml2Client
from saml2.config import SPConfig
from saml2.metadata import entity_descriptor

from saml_idp.crypto.keys import new_signing_key
from saml_idp.domain.service_provider import Binding
from tests.live.peer import BrowserPeer, Page
from tests.live.serving import RunningIdp
from tests.unit.saml.conftest import MADE_AT

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_XMLSEC1 = Path(__file__).parents[1] / "unit" / "saml" / "xmlsec1.py"


@dataclass(frozen=True)
class Read:
    """What a library made of a response it accepted."""

    name_id: str
    attributes: dict[str, list[str]]


def write_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """Write an RSA key and its certificate; return the two files."""
    pair = new_signing_key("rsa-2048", common_name=name, days=300, now=MADE_AT)
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    key.write_bytes(pair.key)
    certificate.write_bytes(pair.certificate)
    return key, certificate


def _one_line(pem: Path) -> str:
    return "".join(line for line in pem.read_text().splitlines() if "-----" not in line)


@dataclass
class Toolkit:
    """python3-saml in strict mode, the family of Atlassian's toolkit."""

    entity_id: str
    settings: dict[str, Any]

    @classmethod
    def made(
        cls, entity_id: str, idp: RunningIdp, pair: tuple[Path, Path] | None = None
    ) -> "Toolkit":
        """Read the IdP's live metadata. With *pair* it signs and wants its answers encrypted."""
        read = OneLogin_Saml2_IdPMetadataParser.parse_remote(f"{idp.base_url}/saml/metadata")
        sp = {
            "entityId": entity_id,
            "assertionConsumerService": {"url": f"{entity_id}/acs", "binding": str(Binding.POST)},
            "NameIDFormat": UNSPECIFIED,
        }
        if pair is not None:
            sp |= {"privateKey": pair[0].read_text(), "x509cert": _one_line(pair[1])}
        security = {
            "wantAssertionsSigned": True,
            "wantMessagesSigned": True,
            "wantAssertionsEncrypted": pair is not None,
            "authnRequestsSigned": pair is not None,
            "signatureAlgorithm": RSA_SHA256,
            "digestAlgorithm": SHA256,
            "requestedAuthnContext": False,
            "rejectDeprecatedAlgorithm": True,
        }
        return cls(entity_id, {"strict": True, "sp": sp, "idp": read["idp"], "security": security})

    @property
    def metadata(self) -> bytes:
        """Return the metadata that the library writes of itself."""
        settings = OneLogin_Saml2_Settings(self.settings, sp_validation_only=True)
        xml = settings.get_sp_metadata()
        return xml.encode() if isinstance(xml, str) else bytes(xml)

    def request(self) -> tuple[str, str]:
        """Return a request by Redirect: its URL and its ID."""
        auth = self._auth({})
        return str(auth.login(return_to=f"{self.entity_id}/home?a=b&c")), auth.get_last_request_id()

    def start(self, browser: BrowserPeer) -> tuple[Page, str]:
        """Send *browser* to the IdP; return its page and the ID of the request."""
        url, request_id = self.request()
        return browser.get(url), request_id

    def read(self, page: Page, request_id: str) -> Read:
        """Return what the response on *page* says.

        Raises:
            ValueError: the library refuses it, with its reason.
        """
        action, fields = page.form("respond")
        if action != f"{self.entity_id}/acs":
            raise ValueError(f"sent to {action}")
        return self.consume(fields["SAMLResponse"], request_id)

    def consume(self, response: str, request_id: str) -> Read:
        """Return what *response* (base64) says; ``ValueError`` as ``read``."""
        auth = self._auth({"SAMLResponse": response})
        auth.process_response(request_id=request_id)
        if auth.get_errors():
            raise ValueError(auth.get_last_error_reason())
        return Read(auth.get_nameid(), auth.get_attributes())

    def _auth(self, form: dict[str, str]) -> Any:
        data = {
            "https": "on",
            "http_host": urlsplit(self.entity_id).netloc,
            "script_name": "/acs",
            "get_data": {},
            "post_data": form,
        }
        return OneLogin_Saml2_Auth(data, self.settings)


@dataclass
class Pysaml2:
    """pysaml2 as a provider: signs its requests, reads our metadata over HTTP, verified."""

    entity_id: str
    client: Saml2Client

    @classmethod
    def made(
        cls, entity_id: str, idp: RunningIdp, folder: Path, metadata_certificate: Path
    ) -> "Pysaml2":
        """Set the library up; *metadata_certificate* is what our metadata is verified with."""
        binary = folder / "xmlsec1"
        binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{_XMLSEC1}" "$@"\n')
        binary.chmod(0o755)
        key, certificate = map(str, write_pair(folder, "pysaml2"))
        config = SPConfig().load(
            {
                "entityid": entity_id,
                "service": {
                    "sp": {
                        "endpoints": {
                            "assertion_consumer_service": [(f"{entity_id}/acs", BINDING_HTTP_POST)]
                        },
                        "authn_requests_signed": True,
                        "want_response_signed": True,
                        "want_assertions_signed": True,
                        "allow_unsolicited": False,
                        "name_id_policy_format": None,
                        "signing_algorithm": RSA_SHA256,
                        "digest_algorithm": SHA256,
                    }
                },
                "metadata": {
                    "remote": [
                        {"url": f"{idp.base_url}/saml/metadata", "cert": str(metadata_certificate)}
                    ]
                },
                "key_file": key,
                "cert_file": certificate,
                "encryption_keypairs": [{"key_file": key, "cert_file": certificate}],
                "xmlsec_binary": str(binary),
                "allow_unknown_attributes": True,
            }
        )
        return cls(entity_id, Saml2Client(config=config))

    @property
    def metadata(self) -> bytes:
        """Return the metadata that the library writes of itself."""
        return str(entity_descriptor(self.client.config)).encode()

    def start(self, browser: BrowserPeer, *, by_post: bool = False) -> tuple[Page, str]:
        """Send *browser* to the IdP; return its page and the ID of the request."""
        (idp,) = self.client.metadata.with_descriptor("idpsso")
        if not by_post:
            request_id, http = self.client.prepare_for_authenticate(
                entityid=idp, relay_state="a b/c?", binding=BINDING_HTTP_REDIRECT
            )
            location = dict(http["headers"])["Location"]
            assert "Signature" in parse_qs(urlsplit(location).query)
            return browser.get(location), str(request_id)
        # Signed inside the XML; pysaml2 would run xmlsec1 for it, which our stand-in does not do.
        url = f"{browser.base_url}/saml/sso"
        request_id, request = self.client.create_authn_request(url, sign=False)
        return browser.post(url, self._form(sign_enveloped(self.client, str(request)), url)), str(
            request_id
        )

    def _form(self, xml: str, url: str) -> dict[str, str]:
        made = self.client.apply_binding(BINDING_HTTP_POST, xml, url, relay_state="a b/c?")
        form = html.fromstring("".join(made["data"])).forms[0]
        return {name: unescape(value) for name, value in form.fields.items() if value}

    def read(self, page: Page, request_id: str) -> Read:
        """Return what the response on *page* says; raises as the library does."""
        return self.consume(page.saml_response, request_id)

    def consume(self, response: str, request_id: str) -> Read:
        """Return what *response* (base64) says; raises as the library does."""
        read = self.client.parse_authn_request_response(
            response, BINDING_HTTP_POST, outstanding={request_id: "/"}
        )
        return Read(read.get_subject().text, {k: list(v) for k, v in read.ava.items()})


def sign_enveloped(client: Saml2Client, xml: str) -> str:
    """Return *xml* with an enveloped signature of the client's key (Core 5.4)."""
    root = etree.fromstring(xml)
    template = xmlsec.template.create(
        root, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformRsaSha256
    )
    issuer = root.find("{urn:oasis:names:tc:SAML:2.0:assertion}Issuer")
    issuer.addnext(template)
    reference = xmlsec.template.add_reference(
        template, xmlsec.constants.TransformSha256, uri=f"#{root.get('ID')}"
    )
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(client.config.key_file, xmlsec.constants.KeyDataFormatPem)
    context.register_id(root, "ID")
    context.sign(template)
    return str(etree.tostring(root, encoding="unicode"))


def text_of(response: str) -> bytes:
    """Return the octets of a base64 response."""
    return base64.b64decode(response)
