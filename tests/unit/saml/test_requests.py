"""Reading a request: what is accepted means what it says. Refusals are mostly in the vectors."""

from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saml_idp.domain.errors import RequestRejected
from saml_idp.domain.ids import EntityId
from saml_idp.domain.request import Comparison, NameIdPolicy, RequestedContext
from saml_idp.domain.service_provider import AssertionConsumer, Binding
from saml_idp.saml import names
from saml_idp.saml.bindings import InboundMessage, decode_post, decode_redirect
from saml_idp.saml.requests import AnswerableRefusal
from tests.build import ACS, NOW, PROVIDER
from tests.unit.saml.messages import (
    BINDINGS,
    POST,
    a_provider,
    post_body,
    read,
    read_post,
    redirect_query,
    request_xml,
)

EVERYTHING = request_xml(
    attributes='ForceAuthn="1" IsPassive="true" Consent="urn:x" ProviderName="P" '
    'AttributeConsumingServiceIndex="1"',
    rest=(
        "<samlp:Extensions><x/></samlp:Extensions>"
        "<saml:Subject><saml:NameID>alice</saml:NameID></saml:Subject>"
        '<samlp:NameIDPolicy Format="urn:f" SPNameQualifier="q" AllowCreate="1"/>'
        '<samlp:RequestedAuthnContext Comparison="minimum">'
        "<saml:AuthnContextClassRef>urn:a</saml:AuthnContextClassRef>"
        "<saml:AuthnContextClassRef>\n urn:b </saml:AuthnContextClassRef>"
        "</samlp:RequestedAuthnContext>"
    ),
)


def refusal(message: Any, **named: Any) -> str:
    with pytest.raises(RequestRejected) as caught:
        read(message, **named)
    return caught.value.reason


@pytest.mark.parametrize("binding", BINDINGS)
def test_r19_every_value_is_read_from_either_binding(binding: str) -> None:
    request = BINDINGS[binding](EVERYTHING)
    assert request.request_id == "_request1"
    assert (request.issuer, request.reply_to) == (PROVIDER, ACS)
    assert (request.force_authn, request.is_passive) == (True, True)
    assert request.subject_name_id == "alice"
    assert request.name_id_policy == NameIdPolicy("urn:f", "q", allow_create=True)
    assert request.requested_context == RequestedContext(Comparison.MINIMUM, ("urn:a", "urn:b"))
    assert (request.was_signed, request.received_at) == (False, NOW)
    assert request.relay_state is None


@pytest.mark.parametrize("binding", BINDINGS)
def test_r14_what_is_left_out_has_its_defined_meaning(binding: str) -> None:
    request = BINDINGS[binding](
        request_xml(
            without=("Destination", "AssertionConsumerServiceURL", "ProtocolBinding"),
        )
    )
    assert request.reply_to == ACS
    assert (request.force_authn, request.is_passive) == (False, False)
    assert request.requested_context is None
    assert request.name_id_policy is None
    assert request.subject_name_id is None


OPTIONAL = ("Destination", "AssertionConsumerServiceURL", "ProtocolBinding")


@pytest.mark.parametrize("left_out", [*combinations(OPTIONAL, 1), *combinations(OPTIONAL, 2)])
def test_r14_leaving_out_any_optional_attribute_changes_nothing_else(left_out: Any) -> None:
    assert read_post(request_xml(without=left_out)) == read_post(request_xml())


def test_r14_defaults_of_elements_are_those_of_the_schema() -> None:
    request = read_post(
        request_xml(
            rest="<samlp:NameIDPolicy/><samlp:RequestedAuthnContext><saml:AuthnContextClassRef>"
            "urn:a</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"
        )
    )
    assert request.name_id_policy == NameIdPolicy(None, None, allow_create=False)
    assert request.requested_context == RequestedContext(Comparison.EXACT, ("urn:a",))


def test_an_unspecified_format_is_no_format() -> None:
    xml = request_xml(rest=f'<samlp:NameIDPolicy Format="{names.FORMAT_UNSPECIFIED}"/>')
    policy = read_post(xml).name_id_policy
    assert policy is not None
    assert policy.format is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("1", True), ("false", False), ("0", False), (" true ", True)],
)
def test_p06_every_spelling_of_a_boolean_is_read(text: str, expected: bool) -> None:  # noqa: FBT001
    assert read_post(request_xml(ForceAuthn=text)).force_authn is expected
    assert read_post(request_xml(IsPassive=text)).is_passive is expected


def test_a_response_at_the_request_endpoint_is_refused() -> None:
    message = decode_post(post_body(request_xml()).replace(b"SAMLRequest", b"SAMLResponse"))
    assert refusal(message) == "wrong_message"


# --- relay state -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state", ["", "a" * 1024, "ä" * 512, "https://sp/x?a=b&c=d#e", "a\r\nb", '"><script>']
)
def test_a05_relay_state_is_kept_byte_for_byte(state: str) -> None:
    assert read(decode_post(post_body(request_xml(), relay_state=state))).relay_state == state
    query = redirect_query(request_xml(), relay_state=state)
    assert read(decode_redirect(query)).relay_state == state


@pytest.mark.parametrize("state", ["a" * 1025, "ä" * 513])
def test_a05_a_longer_relay_state_is_refused(state: str) -> None:
    message = decode_post(post_body(request_xml(), relay_state=state))
    assert refusal(message) == "relay_state_too_long"
    short = decode_post(post_body(request_xml(), relay_state="a" * 81))
    assert refusal(short, relay_state_limit=80) == "relay_state_too_long"


# --- destination, time -------------------------------------------------------------------


def test_r12_a_signed_request_names_its_destination(provider_key: Any) -> None:
    provider = a_provider(key=provider_key)
    xml = request_xml(without=("Destination",))
    message = decode_redirect(redirect_query(xml, key=provider_key))
    assert refusal(message, provider=provider) == "destination_differs"
    assert read(decode_redirect(redirect_query(xml)), provider).request_id == "_request1"


def test_r11_the_skew_is_what_the_settings_say() -> None:
    xml = request_xml(IssueInstant="2026-05-04T12:04:00Z")
    assert read_post(xml, clock_skew=timedelta(minutes=4)).request_id
    message = decode_post(post_body(xml))
    assert refusal(message) == "request_too_new"


# --- where the answer goes ---------------------------------------------------------------

OTHER = "https://sp.example.org/acs2"


def consumers(*rows: tuple[str, int, bool | None, str]) -> tuple[AssertionConsumer, ...]:
    return tuple(AssertionConsumer(url, binding, i, d) for url, i, d, binding in rows)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(ACS, 1, None, POST), (OTHER, 0, None, POST)], OTHER),
        ([(ACS, 1, True, POST), (OTHER, 0, None, POST)], ACS),
        ([(ACS, 1, None, POST), (OTHER, 0, False, POST)], ACS),
        ([(ACS, 1, False, POST), (OTHER, 0, False, POST)], OTHER),
        ([(ACS, 2, True, POST), (OTHER, 1, True, POST)], OTHER),
        ([(ACS, 0, True, str(Binding.ARTIFACT)), (OTHER, 1, None, POST)], OTHER),
        ([(ACS, 0, True, str(Binding.PAOS)), (OTHER, 9, False, POST)], OTHER),
    ],
)
def test_a01_without_a_wish_the_default_is_taken_then_the_lowest_index(
    rows: Any, expected: str
) -> None:
    provider = a_provider(consumers=consumers(*rows))
    xml = request_xml(without=("AssertionConsumerServiceURL", "ProtocolBinding"))
    assert read_post(xml, provider).reply_to == expected
    with_binding = request_xml(without=("AssertionConsumerServiceURL",))
    assert read_post(with_binding, provider).reply_to == expected


def test_a01_a_url_or_an_index_is_a_wish() -> None:
    provider = a_provider(
        consumers=consumers((ACS, 0, True, POST), (OTHER, 7, None, POST)),
    )
    assert read_post(request_xml(AssertionConsumerServiceURL=OTHER), provider).reply_to == OTHER
    xml = request_xml(without=("AssertionConsumerServiceURL",), AssertionConsumerServiceIndex="7")
    assert read_post(xml, provider).reply_to == OTHER


def test_a02_a_consumer_of_another_binding_gets_nothing() -> None:
    provider = a_provider(
        consumers=consumers((ACS, 0, True, POST), (OTHER, 1, None, str(Binding.ARTIFACT)))
    )
    for wish in (
        request_xml(AssertionConsumerServiceURL=OTHER),
        request_xml(without=("AssertionConsumerServiceURL",), AssertionConsumerServiceIndex="1"),
        request_xml(
            without=("AssertionConsumerServiceURL", "ProtocolBinding"),
            AssertionConsumerServiceIndex="1",
        ),
    ):
        message = decode_post(post_body(wish))
        assert refusal(message, provider=provider) == "binding_unsupported"


def test_a01_another_providers_acs_is_unknown() -> None:
    mine = a_provider()
    theirs = replace(
        a_provider(),
        entity_id=EntityId("https://b.example"),
        consumers=consumers((OTHER, 0, True, POST)),
    )
    known = {p.entity_id: p for p in (mine, theirs)}
    message = decode_post(post_body(request_xml(AssertionConsumerServiceURL=OTHER)))
    assert refusal(message, find_provider=known.get) == "acs_unknown"


# --- what is accepted but not served -----------------------------------------------------


def test_r15_a_refusal_carries_the_accepted_request() -> None:
    xml = request_xml(rest="<saml:Conditions/>")
    with pytest.raises(AnswerableRefusal) as caught:
        read_post(xml)
    assert caught.value.reason == "request_unsupported"
    assert caught.value.request == read_post(request_xml())


def test_an_idp_list_that_names_us_has_no_effect() -> None:
    listed = '<samlp:IDPList><samlp:IDPEntry ProviderID="https://idp/x"/></samlp:IDPList>'
    xml = request_xml(rest=f"<samlp:Scoping>{listed}</samlp:Scoping>")
    assert read_post(xml, known_as={"https://idp/x"}) == read_post(request_xml())
    with pytest.raises(AnswerableRefusal):
        read_post(xml, known_as={"https://idp/y"})


def test_a14_nothing_is_answered_before_the_request_is_accepted(other_key: Any) -> None:
    provider = a_provider(signs_requests=True, key=other_key)
    xml = request_xml(rest="<saml:Conditions/>")
    message = decode_post(post_body(xml))
    assert refusal(message, provider=provider) == "signature_missing"
    wrong_acs = request_xml(rest="<saml:Conditions/>", AssertionConsumerServiceURL="https://x/")
    assert refusal(decode_post(post_body(wrong_acs))) == "acs_unknown"


# --- whatever comes, nothing but a request or a refusal ------------------------------------

PIECES = st.sampled_from(
    ["<", ">", "/", "samlp:AuthnRequest", "saml:Issuer", " ID='_a'", " Version='2.0'", PROVIDER,
     "<saml:Issuer>", "</saml:Issuer>", "<samlp:NameIDPolicy/>", "&#10;", "&amp;", "<![CDATA[",
     "]]>", "<!--", "-->", "<?x?>", "xmlns:saml='urn:x'", "<ds:Signature/>", "\u2028", "ä"]
)  # fmt: skip


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.lists(PIECES, max_size=12).map(lambda p: "".join(p).encode()))
def test_no_octets_give_anything_but_a_request_or_a_refusal(octets: bytes) -> None:
    for binding in (Binding.POST, Binding.REDIRECT):
        message = InboundMessage(octets, binding, "SAMLRequest", None)
        with pytest.raises(RequestRejected):
            read(message)


@settings(max_examples=300)
@given(st.data())
def test_no_change_to_a_request_gives_anything_but_a_request_or_a_refusal(
    data: st.DataObject,
) -> None:
    at = data.draw(st.integers(0, len(EVERYTHING)))
    length = data.draw(st.integers(0, 40))
    piece = data.draw(PIECES).encode()
    message = InboundMessage(
        EVERYTHING[:at] + piece + EVERYTHING[at + length :], Binding.POST, "SAMLRequest", None
    )
    try:
        request = read(message)
    except (RequestRejected, AnswerableRefusal):
        return
    assert (request.issuer, request.reply_to) == (PROVIDER, ACS)
