"""Our own metadata."""

from dataclasses import replace
from datetime import timedelta
from importlib import resources
from typing import Any

import pytest
from lxml import etree

from saml_idp.crypto.keys import SigningKey
from saml_idp.domain.service_provider import Binding
from saml_idp.saml import names
from saml_idp.saml.idp_metadata import Described, write_idp_metadata
from saml_idp.saml.signatures import verified
from saml_idp.saml.xml import METADATA_LIMITS, parse
from tests.build import IDP, NOW
from tests.unit.saml.messages import SSO, MakeKey


@pytest.fixture(scope="session")
def metadata_key(make_key: MakeKey) -> SigningKey:
    return make_key("metadata")


@pytest.fixture
def described(provider_key: SigningKey, other_key: SigningKey) -> Described:
    return Described(
        IDP,
        SSO,
        (provider_key.certificate, other_key.certificate),
        display_names=(("en", "Example <&> login"), ("de", "Anmeldung")),
        logo="https://idp.example.org/logo.svg",
        error_url="https://idp.example.org/error",
        contact="help@example.org",
    )


def write(described: Described, key: SigningKey, **changes: Any) -> bytes:
    settings: dict[str, Any] = {
        "valid_until": NOW + timedelta(days=7),
        "cache_duration": timedelta(hours=1),
    } | changes
    return write_idp_metadata(described, key=key, **settings)


@pytest.fixture(scope="session")
def metadata_schema() -> etree.XMLSchema:
    folder = resources.files("onelogin.saml2") / "schemas"
    with resources.as_file(folder) as path:
        return etree.XMLSchema(etree.parse(path / "saml-schema-metadata-2.0.xsd"))


def test_it_says_who_we_are_where_and_with_which_keys(
    described: Described, metadata_key: SigningKey
) -> None:
    root: Any = parse(write(described, metadata_key), limits=METADATA_LIMITS)
    assert root.get("entityID") == IDP
    assert (root.get("validUntil"), root.get("cacheDuration")) == (
        "2026-05-11T12:00:00Z",
        "PT3600S",
    )
    role = root.find(names.metadata("IDPSSODescriptor"))
    assert role.get("WantAuthnRequestsSigned") == "false"
    assert role.get("errorURL") == "https://idp.example.org/error"
    assert [
        (e.get("Binding"), e.get("Location"))
        for e in role.iter(names.metadata("SingleSignOnService"))
    ] == [(Binding.REDIRECT, SSO), (Binding.POST, SSO)]
    descriptors = list(role.iter(names.metadata("KeyDescriptor")))
    assert [d.get("use") for d in descriptors] == ["signing", "signing"]
    assert [e.text for e in role.iter(names.metadata("NameIDFormat"))] == [
        names.FORMAT_PERSISTENT, names.FORMAT_TRANSIENT, names.FORMAT_EMAIL,
        names.FORMAT_UNSPECIFIED,
    ]  # fmt: skip
    shown = list(role.iter(f"{{{names.MDUI}}}DisplayName"))
    assert [e.text for e in shown] == ["Example <&> login", "Anmeldung"]
    assert b"mailto:help@example.org" in write(described, metadata_key)


def test_k03_it_is_signed_by_the_metadata_key(
    described: Described, metadata_key: SigningKey
) -> None:
    root = parse(write(described, metadata_key), limits=METADATA_LIMITS)
    assert verified(root, [metadata_key.certificate], position=0) is root


def test_equal_input_gives_equal_octets(described: Described, make_key: MakeKey) -> None:
    for key in (make_key("metadata"), make_key("metadata", "p-256")):
        assert write(described, key) == write(described, key)
        later = write(described, key, valid_until=NOW + timedelta(days=8))
        assert later != write(described, key)
    one, two = (
        parse(write(d, make_key("metadata")), limits=METADATA_LIMITS).get("ID")
        for d in (described, replace(described, contact=""))
    )
    assert one != two


def test_every_form_of_it_is_valid_by_the_schema(
    described: Described, metadata_key: SigningKey, metadata_schema: etree.XMLSchema
) -> None:
    bare = replace(described, display_names=(), logo="", error_url="", contact="")
    forms = (
        described,
        bare,
        replace(bare, logo="https://x/y"),
        replace(described, logo=""),
        replace(bare, contact="a@b"),
    )
    for form in forms:
        metadata_schema.assertValid(etree.fromstring(write(form, metadata_key)))


def test_it_says_which_algorithms_we_verify(described: Described, metadata_key: SigningKey) -> None:
    root = parse(write(described, metadata_key), limits=METADATA_LIMITS)
    told = [
        e.get("Algorithm", "")
        for e in root.iter(f"{{{names.ALG}}}DigestMethod", f"{{{names.ALG}}}SigningMethod")
    ]
    assert set(told) >= {names.SHA256, names.RSA_SHA256, names.ECDSA_SHA256}
    assert not [uri for uri in told if uri.endswith("sha1")]


def test_a_name_or_a_logo_alone_is_shown(described: Described, metadata_key: SigningKey) -> None:
    assert b"DisplayName" in write(replace(described, logo=""), metadata_key)
    assert b"mdui:Logo" in write(replace(described, display_names=()), metadata_key)


def test_what_is_empty_is_left_out(described: Described, metadata_key: SigningKey) -> None:
    bare = replace(described, display_names=(), logo="", error_url="", contact="")
    xml = write(bare, metadata_key)
    for word in (b"UIInfo", b"errorURL", b"ContactPerson"):
        assert word not in xml


def test_no_private_key_is_in_it(described: Described, metadata_key: SigningKey) -> None:
    assert b"PRIVATE" not in write(described, metadata_key)
    assert "private" not in repr(metadata_key)
