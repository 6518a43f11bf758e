"""A provider's metadata: what is sound is taken, what is not is named and set aside."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.crypto.keys import SigningKey
from saml_idp.domain.errors import Fault
from saml_idp.domain.service_provider import AssertionConsumer, Binding, ServiceProvider
from saml_idp.saml import names
from saml_idp.saml.signatures import sign
from saml_idp.saml.sp_metadata import MetadataRead, read_metadata, write_minimal_metadata
from saml_idp.saml.xml import parse, serialize
from tests.build import ACS, NOW, PROVIDER
from tests.unit.saml.messages import POST, MakeKey

NS = (
    f'xmlns:md="{names.METADATA}" xmlns:ds="{names.DS}" xmlns:mdui="{names.MDUI}" '
    f'xmlns:xml="{names.XML}"'
)
CONSUMER = f'<md:AssertionConsumerService Binding="{POST}" Location="{ACS}" index="0"/>'


def entity(
    *,
    entity_id: str = PROVIDER,
    attributes: str = "",
    role: str = "",
    before: str = "",
    consumers: str = CONSUMER,
    after: str = "",
    rest: str = "",
) -> str:
    return (
        f'<md:EntityDescriptor {NS} entityID="{entity_id}" {attributes}>\n'
        f'<md:SPSSODescriptor protocolSupportEnumeration="{names.PROTOCOL}" {role}>\n'
        f"{before}\n{consumers}\n{after}\n</md:SPSSODescriptor>\n{rest}</md:EntityDescriptor>"
    )


def group(*entities: str, attributes: str = "") -> str:
    inner = "\n".join(entities)
    return f"<md:EntitiesDescriptor {NS} {attributes}>\n{inner}\n</md:EntitiesDescriptor>"


def read(xml: str | bytes, **named: Any) -> MetadataRead:
    octets = xml.encode() if isinstance(xml, str) else xml
    settings: dict[str, Any] = {"allow_http_loopback": False, "now": NOW} | named
    return read_metadata(octets, file="sp.xml", **settings)


def provider_in(xml: str, **named: Any) -> ServiceProvider:
    read_ = read(xml, **named)
    assert read_.faults == ()
    (provider,) = read_.providers
    return provider


def fault_in(xml: str | bytes, **named: Any) -> Fault:
    read_ = read(xml, **named)
    assert read_.providers == ()
    (fault,) = read_.faults
    assert fault.file == "sp.xml"
    assert fault.mend
    return fault


def certificate(key: Any) -> str:
    """Return a self-signed certificate of *key* as base64, whatever the key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sp")])
    signer = rsa.generate_private_key(65537, 2048)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 2, tzinfo=UTC))
        .sign(signer, hashes.SHA256())
    )
    return base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode()


def descriptor(text: str, use: str = "") -> str:
    return (
        f"<md:KeyDescriptor {use}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{text}"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


# --- what is read ------------------------------------------------------------------------


def test_a_whole_entity_is_read(provider_key: SigningKey) -> None:
    text = base64.encodebytes(provider_key.certificate.der).decode()
    provider = provider_in(
        entity(
            role='AuthnRequestsSigned="true" WantAssertionsSigned="1"',
            before="<md:Extensions><mdui:UIInfo>"
            '<mdui:DisplayName xml:lang="en">Jira</mdui:DisplayName>'
            '<mdui:DisplayName xml:lang="de-AT"> Jira\n auf Deutsch </mdui:DisplayName>'
            '<mdui:Logo height="1" width="1">https://sp.example.org/logo.png</mdui:Logo>'
            "</mdui:UIInfo></md:Extensions>"
            + descriptor(text, 'use="signing"')
            + f"<md:NameIDFormat> {names.FORMAT_PERSISTENT} </md:NameIDFormat>",
            consumers=CONSUMER
            + f'<md:AssertionConsumerService Binding="{Binding.ARTIFACT}" isDefault="false" '
            'Location="https://sp.example.org/artifact" index="7"/>',
        )
    )
    assert provider.entity_id == PROVIDER
    assert provider.consumers == (
        AssertionConsumer(ACS, POST, 0, None),
        AssertionConsumer(
            "https://sp.example.org/artifact", str(Binding.ARTIFACT), 7, is_default=False
        ),
    )
    assert [c.der for c in provider.signing_certificates] == [provider_key.certificate.der]
    assert provider.signing_certificates[0].not_after
    assert provider.encryption_certificates == ()
    assert (provider.signs_requests, provider.wants_assertions_signed) == (True, True)
    assert provider.name_id_formats == (names.FORMAT_PERSISTENT,)
    assert provider.display_names == (("en", "Jira"), ("de", "Jira auf Deutsch"))
    assert provider.logo == "https://sp.example.org/logo.png"
    assert (provider.source.file, provider.source.line) == ("sp.xml", 1)


def test_what_is_left_out_has_its_default() -> None:
    provider = provider_in(entity())
    assert (provider.signs_requests, provider.wants_assertions_signed) == (False, False)
    assert provider.signing_certificates == provider.encryption_certificates == ()
    assert (provider.display_names, provider.logo, provider.name_id_formats) == ((), None, ())


def test_s12_a_key_without_use_serves_both(provider_key: SigningKey, other_key: SigningKey) -> None:
    both, other = (
        base64.b64encode(key.certificate.der).decode() for key in (provider_key, other_key)
    )
    provider = provider_in(
        entity(before=descriptor(both) + descriptor(other, 'use="encryption"') + descriptor(both))
    )
    assert [c.der for c in provider.signing_certificates] == [provider_key.certificate.der]
    assert [c.der for c in provider.encryption_certificates] == [
        provider_key.certificate.der, other_key.certificate.der,
    ]  # fmt: skip


def test_ciphers_are_read_beside_their_key(provider_key: SigningKey) -> None:
    text = base64.b64encode(provider_key.certificate.der).decode()
    listed = "".join(
        f'<md:EncryptionMethod Algorithm="{uri}"/>' for uri in (names.AES128_GCM, "urn:x")
    )
    xml = entity(before=descriptor(text).replace("</md:Key", f"{listed}</md:Key"))
    assert [c.ciphers for c in provider_in(xml).encryption_certificates] == [
        (names.AES128_GCM, "urn:x")
    ]


def test_an_elliptic_key_without_use_serves_signatures_alone(make_key: MakeKey) -> None:
    text = base64.b64encode(make_key("p-256", "p-256").certificate.der).decode()
    provider = provider_in(entity(before=descriptor(text)))
    assert len(provider.signing_certificates) == 1
    assert provider.encryption_certificates == ()
    said = provider_in(entity(before=descriptor(text, 'use="encryption"')))
    assert len(said.encryption_certificates) == 1  # and an assertion to it is refused, not sent


def test_names_come_from_the_service_or_the_organization_where_there_is_no_other() -> None:
    organization = (
        '<md:Organization><md:OrganizationName xml:lang="en">o</md:OrganizationName>'
        '<md:OrganizationDisplayName xml:lang="en">Org</md:OrganizationDisplayName>'
        '<md:OrganizationURL xml:lang="en">https://x</md:OrganizationURL></md:Organization>'
    )
    service = (
        '<md:AttributeConsumingService index="0"><md:ServiceName xml:lang="en">Wiki'
        "</md:ServiceName></md:AttributeConsumingService>"
    )
    assert provider_in(entity(rest=organization)).display_names == (("en", "Org"),)
    assert provider_in(entity(rest=organization, after=service)).display_names == (("en", "Wiki"),)


def test_comments_and_instructions_of_the_operator_are_passed_over() -> None:
    xml = "<!-- note -->\n" + entity(before="<!-- note --><?editor state?>")
    assert provider_in(xml).source.line == 2


def test_groups_may_hold_groups_and_other_roles() -> None:
    identity_provider = (
        f'<md:EntityDescriptor {NS} entityID="https://idp"><md:IDPSSODescriptor '
        f'protocolSupportEnumeration="{names.PROTOCOL}"/></md:EntityDescriptor>'
    )
    xml = group(
        entity(entity_id="https://a"), identity_provider, group(entity(entity_id="https://b"))
    )
    assert [p.entity_id for p in read(xml).providers] == ["https://a", "https://b"]
    assert read(xml).faults == ()


def test_a02_response_location_is_not_read() -> None:
    consumer = CONSUMER.replace("index=", 'ResponseLocation="https://attacker.example/" index=')
    assert provider_in(entity(consumers=consumer)).consumers[0].location == ACS


def test_the_bounds_themselves_are_allowed() -> None:
    assert provider_in(entity(entity_id="a" * 1024)).entity_id == "a" * 1024
    provider = provider_in(entity(consumers=CONSUMER.replace('"0"', '"65535"')))
    assert provider.consumers[0].index == 65535
    start = "data:image/png;base64,"
    picture = start + "A" * (64 * 1024 - len(start))
    assert logo_of(picture) == picture


def test_an_attribute_that_is_missing_is_named_as_the_key() -> None:
    assert fault_in(entity(entity_id="")).key == "EntityDescriptor.entityID"
    assert fault_in(entity(consumers=CONSUMER.replace("Binding", "binding"))).key == "Binding"


def test_minimal_metadata_is_laid_out_for_a_reader() -> None:
    assert write_minimal_metadata(PROVIDER, ACS).count(b"\n") > 4


def test_minimal_metadata_reads_as_it_was_written() -> None:
    xml = write_minimal_metadata("https://jira.example.com", "https://jira.example.com/a?b&c")
    provider = provider_in(xml.decode())
    assert provider.entity_id == "https://jira.example.com"
    assert provider.consumers == (
        AssertionConsumer("https://jira.example.com/a?b&c", POST, 0, is_default=True),
    )


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80))
def test_a13_minimal_metadata_keeps_any_entity_id_or_refuses_it(entity_id: str) -> None:
    try:
        xml = write_minimal_metadata(entity_id, ACS)
    except ValueError:
        return
    read_ = read(xml)
    assert [p.entity_id for p in read_.providers] in ([], [entity_id])


# --- what is refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("xml", "line", "words"),
    [
        ("", 1, "not well formed"),
        ("<a>\n<b>", 2, "not well formed"),
        ("<!DOCTYPE md:EntityDescriptor>\n" + entity(), 1, "document type"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n' + entity(), 1, "document"),
        ("<html/>", 1, "no service provider"),
        (group(), 1, "no service provider"),
        (entity().replace(names.PROTOCOL, "urn:oasis:names:tc:SAML:1.1:protocol"), 1, "no service"),
        (entity(entity_id=""), 1, "entityID is missing"),
        (entity(entity_id=" https://x"), 1, "outer blanks"),
        (entity(entity_id="a" * 1025), 1, "too long"),
        (entity(consumers=""), 2, "no AssertionConsumerService with the POST"),
        (entity(consumers=CONSUMER.replace("HTTP-POST", "HTTP-Redirect")), 2, "POST binding"),
        (entity(consumers=CONSUMER.replace('index="0"', "")), 4, "index is missing"),
        (entity(consumers=CONSUMER.replace('"0"', '"x"')), 4, "'x' is no number"),
        (entity(consumers=CONSUMER.replace('"0"', '"-1"')), 4, "no number"),
        (entity(consumers=CONSUMER.replace('"0"', '"65536"')), 4, "no number"),
        (entity(consumers=CONSUMER.replace('"0"', '"\u0660"')), 4, "no number"),
        (entity(consumers=f"{CONSUMER}\n{CONSUMER}"), 5, "index 0 stands twice"),
        (entity(consumers=CONSUMER.replace("Location", "location")), 4, "Location is missing"),
        (entity(consumers=CONSUMER.replace("Binding", "binding")), 4, "Binding is missing"),
        (entity(consumers=CONSUMER.replace("index", 'isDefault="yes" index')), 4, "'yes'"),
        (entity(role='AuthnRequestsSigned="yes"'), 2, "AuthnRequestsSigned"),
        (entity(role='WantAssertionsSigned=""'), 2, "WantAssertionsSigned"),
        (entity(attributes='validUntil="2026-05-04T12:00:00Z"'), 1, "ended"),
        (entity(attributes='validUntil="soon"'), 1, "no UTC time"),
        (entity(role='validUntil="2026-05-04T11:59:59Z"'), 1, "ended"),
        (group(entity(), attributes='validUntil="2001-01-01T00:00:00Z"'), 1, "ended"),
        (group(group(entity(), attributes='validUntil="2001-01-01T00:00:00Z"')), 3, "ended"),
        (entity(before="<md:KeyDescriptor/>"), 3, "without X509Certificate"),
        (entity(before=descriptor("!!")), 3, "no base64"),
        (entity(before=descriptor("AAAA")), 3, "cannot be read"),
        (entity(before=descriptor("AAAA", 'use="both"')), 3, "'both'"),
        (entity(before=descriptor("<x/>")), 3, "more than text"),
        (entity(before="<md:NameIDFormat><x/></md:NameIDFormat>"), 3, "more than text"),
        (entity(before="<md:NameIDFormat>a<!-- -->b</md:NameIDFormat>"), 3, "more than text"),
    ],
)
def test_an_unsound_entity_is_a_fault_with_its_line(xml: str, line: int, words: str) -> None:
    fault = fault_in(xml)
    assert (fault.line, words in fault.problem) == (line, True), fault


@pytest.mark.parametrize(
    "location",
    ["http://sp.example.org/acs", "javascript:alert(1)", "data:text/html,x", "/acs", "https://",
     "https://u@sp.example.org/", "https://sp.example.org/#x", "http://localhost/acs"],
)  # fmt: skip
def test_a03_ghsa_8rmm_gm28_pj8q_an_unsafe_location_is_a_fault(location: str) -> None:
    for binding in (POST, str(Binding.ARTIFACT)):  # of any binding: it may be chosen by index
        consumer = (
            f'<md:AssertionConsumerService Binding="{binding}" Location="{location}" index="1"/>'
        )
        fault = fault_in(entity(consumers=CONSUMER + consumer))
        assert "https" in fault.problem
        assert fault.key == "AssertionConsumerService.Location"


def test_a03_http_on_this_machine_is_a_matter_of_settings() -> None:
    xml = entity(consumers=CONSUMER.replace(ACS, "http://localhost:8001/acs"))
    assert provider_in(xml, allow_http_loopback=True).consumers
    assert "https" in fault_in(xml).problem


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "1024 bits"),
        (lambda: ec.generate_private_key(ec.SECP192R1()), "192 bits"),
        (lambda: ec.generate_private_key(ec.SECP224R1()), "224 bits"),
        (lambda: dsa.generate_private_key(2048), "neither RSA nor EC"),
        (ed25519.Ed25519PrivateKey.generate, "neither RSA nor EC"),
    ],
    ids=["rsa-1024", "p-192", "p-224", "dsa", "ed25519"],
)
def test_s13_a_weak_key_is_a_fault(make: Callable[[], Any], words: str) -> None:
    fault = fault_in(entity(before=descriptor(certificate(make()))))
    assert words in fault.problem
    assert fault.key == "X509Certificate"


def test_s12_an_expired_certificate_is_no_fault() -> None:
    text = certificate(rsa.generate_private_key(65537, 2048))
    assert provider_in(entity(before=descriptor(text))).signing_certificates


def test_m02_one_bad_entity_never_takes_the_others_along() -> None:
    good = [entity(entity_id=f"https://sp{i}") for i in range(59)]
    bad = entity(entity_id="https://bad", consumers=CONSUMER.replace("https:", "http:"))
    read_ = read(group(*good[:30], bad, *good[30:]))
    assert len(read_.providers) == 59
    (fault,) = read_.faults
    assert fault.line == 30 * 7 + 5


def test_m03_of_two_entities_with_one_id_neither_is_taken() -> None:
    read_ = read(group(entity(), entity(entity_id="https://b"), entity()))
    assert [p.entity_id for p in read_.providers] == ["https://b"]
    assert [f.key for f in read_.faults] == ["entityID", "entityID"]
    assert [f.line for f in read_.faults] == [2, 16]


def test_m03_a_second_role_is_a_fault() -> None:
    one = entity()
    role = one[one.index("<md:SPSSO") : one.index("</md:Entity")]
    assert "two service provider roles" in fault_in(entity(rest=role)).problem


def test_m05_the_earliest_end_is_told() -> None:
    xml = group(
        entity(entity_id="https://a", attributes='validUntil="2026-06-01T00:00:00Z"'),
        entity(entity_id="https://b", role='validUntil="2026-05-20T00:00:00Z"'),
        entity(entity_id="https://c", attributes='validUntil="2026-09-01T00:00:00Z"'),
        attributes='validUntil="2026-07-01T00:00:00Z"',
    )
    ends = {entity: until.isoformat()[:10] for entity, until in read(xml).valid_until}
    assert ends == {"https://a": "2026-06-01", "https://b": "2026-05-20", "https://c": "2026-07-01"}
    assert read(entity()).valid_until == ()
    assert len(read(xml, now=NOW + timedelta(days=20)).providers) == 2


# --- M04: signed metadata ------------------------------------------------------------------


def signed(xml: str, key: SigningKey) -> bytes:
    root = parse(xml.encode())
    sign(root, key, position=0)
    return serialize(root)


def test_m04_where_a_key_is_trusted_only_its_signature_counts(
    provider_key: SigningKey, other_key: SigningKey
) -> None:
    trusted = (provider_key.certificate,)
    xml = group(entity(), attributes='ID="_g"')
    good = signed(xml, provider_key)
    assert len(read(good, trusted=trusted).providers) == 1
    assert "no signature" in fault_in(xml, trusted=trusted).problem
    assert "no key" in fault_in(signed(xml, other_key), trusted=trusted).problem
    changed = good.replace(b"sp.example.org/acs", b"attacker.example/x")
    assert "no key" in fault_in(changed, trusted=trusted).problem
    assert len(read(signed(xml, other_key)).providers) == 1  # without a trust key it is not asked


def test_m04_a_signed_entity_in_a_forged_group_is_refused(provider_key: SigningKey) -> None:
    inner = signed(entity(attributes='ID="_e"'), provider_key).decode()
    fault = fault_in(group(inner), trusted=(provider_key.certificate,))
    assert "out of place" in fault.problem


# --- M15: what is shown --------------------------------------------------------------------


def shown(text: str) -> tuple[tuple[str, str], ...]:
    return provider_in(
        entity(
            before="<md:Extensions><mdui:UIInfo><mdui:DisplayName xml:lang='en'>"
            f"{text}</mdui:DisplayName></mdui:UIInfo></md:Extensions>"
        )
    ).display_names


def test_m15_a_display_name_is_one_line_of_text() -> None:
    assert shown("&lt;script&gt;alert(1)&lt;/script&gt;") == (("en", "<script>alert(1)</script>"),)
    assert shown("a&#10;b&#9; c") == (("en", "a b c"),)
    assert shown("pay\u202epal\u200b\u2066\u0085") == (("en", "paypal"),)
    assert shown("  ") == ()
    assert shown("a" * 200) == (("en", "a" * 200),)
    assert shown("a" * 201) == (("en", "a" * 199 + "…"),)


def logo_of(text: str) -> str | None:
    return provider_in(
        entity(
            before="<md:Extensions><mdui:UIInfo><mdui:Logo height='1' width='1'>"
            f"{text}</mdui:Logo></mdui:UIInfo></md:Extensions>"
        )
    ).logo


@pytest.mark.parametrize(
    "text",
    ["https://sp.example.org/logo.svg", "data:image/png;base64,iVBORw0KGgo=",
     " \n https://sp.example.org/logo.svg \n"],
)  # fmt: skip
def test_m15_a_logo_is_https_or_a_small_picture(text: str) -> None:
    assert logo_of(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    ["http://sp.example.org/logo.png", "javascript:alert(1)", "data:text/html;base64,AAAA",
     "data:image/svg+xml;base64,AAAA", "data:image/png,AAAA", "data:image/png;base64,&quot;",
     "//sp.example.org/x", "", "data:image/png;base64," + "A" * 65536],
)  # fmt: skip
def test_m15_another_logo_is_left_out(text: str) -> None:
    assert logo_of(text) is None


@given(st.binary(max_size=200) | st.text(max_size=60).map(str.encode))
def test_no_octets_break_the_reader(octets: bytes) -> None:
    assert read(octets).providers == ()
    assert read(octets).faults


@given(st.integers(0, 2000), st.integers(0, 30), st.sampled_from([b"<", b"", b"x", b'"', b"</"]))
def test_no_change_to_metadata_breaks_the_reader(at: int, length: int, piece: bytes) -> None:
    xml = group(entity(), entity(entity_id="https://b")).encode()
    read_ = read(xml[:at] + piece + xml[at + length :])
    assert all(p.consumers for p in read_.providers)
