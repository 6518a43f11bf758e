"""Requests as providers send them, and as attackers do: built here, signed here, wrapped here."""

import base64
import zlib
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote

from saml_idp.crypto.keys import KeyAlgorithm, SigningKey
from saml_idp.domain.request import AuthnRequest
from saml_idp.domain.service_provider import Binding, ServiceProvider
from saml_idp.saml import names
from saml_idp.saml.bindings import decode_post, decode_redirect
from saml_idp.saml.requests import read_authn_request
from saml_idp.saml.signatures import algorithm_of, sign
from saml_idp.saml.xml import parse, serialize
from tests import build
from tests.build import ACS, NOW, PROVIDER

SSO = "https://idp.example.org/saml/sso"
POST = str(Binding.POST)


class MakeKey(Protocol):
    def __call__(self, name: str, algorithm: KeyAlgorithm = "rsa-2048") -> SigningKey: ...


def a_provider(*, key: SigningKey | None = None, **changes: Any) -> ServiceProvider:
    """Return the provider of ``tests.build``, with *key* to sign its requests by."""
    certificates = () if key is None else (key.certificate,)
    return build.a_provider(**({"signing_certificates": certificates} | changes))


def request_xml(
    *,
    attributes: str = "",
    without: tuple[str, ...] = (),
    issuer: str = f"<saml:Issuer>{PROVIDER}</saml:Issuer>",
    rest: str = "",
    root: str = "samlp:AuthnRequest",
    **given: str,
) -> bytes:
    """Return an AuthnRequest; *given* attributes replace the usual ones, *without* leaves out."""
    usual = {
        "ID": "_request1",
        "Version": "2.0",
        "IssueInstant": "2026-05-04T12:00:00Z",
        "Destination": SSO,
        "AssertionConsumerServiceURL": ACS,
        "ProtocolBinding": POST,
    } | given
    written = " ".join(f'{name}="{text}"' for name, text in usual.items() if name not in without)
    return (
        f'<{root} xmlns:samlp="{names.PROTOCOL}" xmlns:saml="{names.ASSERTION}" '
        f"{written} {attributes}>{issuer}{rest}</{root}>"
    ).encode()


def deflated(xml: bytes) -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeezer.compress(xml) + squeezer.flush()


def redirect_query(
    xml: bytes,
    *,
    relay_state: str | None = None,
    key: SigningKey | None = None,
    quoted: Callable[[str], str] = lambda text: quote(text, safe=""),
    algorithm: str | None = None,
) -> str:
    pairs = [("SAMLRequest", base64.b64encode(deflated(xml)).decode())]
    if relay_state is not None:
        pairs.append(("RelayState", relay_state))
    if key is not None:
        pairs.append(("SigAlg", algorithm_of(key) if algorithm is None else algorithm))
    query = "&".join(f"{name}={quoted(value)}" for name, value in pairs)
    if key is not None:
        query += "&Signature=" + quoted(base64.b64encode(key.sign(query.encode())).decode())
    return query


def post_body(xml: bytes, *, relay_state: str | None = None) -> bytes:
    body = "SAMLRequest=" + quote(base64.b64encode(xml).decode(), safe="")
    if relay_state is not None:
        body += "&RelayState=" + quote(relay_state, safe="")
    return body.encode()


def signed_xml(xml: bytes, key: SigningKey) -> bytes:
    root = parse(xml)
    sign(root, key)
    return serialize(root)


def read(message: Any, provider: ServiceProvider | None = None, **changes: Any) -> AuthnRequest:
    """Read *message* as the service does; *provider* is the only one we know."""
    known = a_provider() if provider is None else provider
    settings: dict[str, Any] = {
        "find_provider": lambda entity: known if entity == known.entity_id else None,
        "expected_destination": SSO,
        "require_signed": lambda _: False,
        "now": NOW,
    } | changes
    return read_authn_request(message, **settings)


def read_post(xml: bytes, provider: ServiceProvider | None = None, **changes: Any) -> AuthnRequest:
    return read(decode_post(post_body(xml)), provider, **changes)


def read_redirect(
    xml: bytes, provider: ServiceProvider | None = None, **changes: Any
) -> AuthnRequest:
    return read(decode_redirect(redirect_query(xml)), provider, **changes)


BINDINGS = {"post": read_post, "redirect": read_redirect}
