"""HTTP to messages and back: strict, bounded, and one reading only."""

import base64
import contextlib
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.domain.errors import RequestRejected
from saml_idp.domain.service_provider import Binding
from saml_idp.saml import names
from saml_idp.saml.bindings import (
    LARGEST_WIRE,
    PostForm,
    decode_post,
    decode_redirect,
    encode_post_form,
)
from saml_idp.saml.xml import REQUEST_LIMITS
from tests.unit.saml.messages import deflated, post_body, read, redirect_query, request_xml

XML = request_xml()
WIRE = quote(base64.b64encode(deflated(XML)).decode(), safe="")
POSTED = quote(base64.b64encode(XML).decode(), safe="")


def refusal(decode: Callable[..., object], *inputs: object, **named: object) -> str:
    with pytest.raises(RequestRejected) as caught:
        decode(*inputs, **named)
    return caught.value.reason


def test_redirect_gives_message_and_relay_state() -> None:
    message = decode_redirect(redirect_query(XML, relay_state="a/b c"))
    assert (message.xml, message.relay_state) == (XML, "a/b c")
    assert (message.kind, message.binding) == ("SAMLRequest", Binding.REDIRECT)
    assert message.signature is None


def test_post_gives_message_and_relay_state() -> None:
    message = decode_post(post_body(XML, relay_state="a/b c"))
    assert (message.xml, message.relay_state) == (XML, "a/b c")
    assert (message.kind, message.binding) == ("SAMLRequest", Binding.POST)
    assert not message.was_deflated


def test_post_base64_may_be_broken_into_lines() -> None:
    lines = base64.encodebytes(XML).replace(b"\n", b"\r\n").decode()
    assert decode_post(f"SAMLRequest={quote(lines)}".encode()).xml == XML


def test_other_parameters_are_left_alone() -> None:
    assert decode_redirect(f"utm=1&&SAMLRequest={WIRE}&x").xml == XML


def test_r05_the_bounds_themselves_are_allowed() -> None:
    filler = "a" * (LARGEST_WIRE - len(f"SAMLRequest={WIRE}&x="))
    assert decode_redirect(f"SAMLRequest={WIRE}&x={filler}").xml == XML
    longest = b"<" * REQUEST_LIMITS.octets
    assert decode_redirect(redirect_query(longest)).xml == longest
    assert refusal(decode_redirect, redirect_query(longest + b"<")) == "xml_too_large"
    assert decode_redirect("&".join(["x=1"] * 63) + f"&SAMLRequest={WIRE}").xml == XML


def test_the_one_encoding_may_be_named() -> None:
    encoding = quote(names.DEFLATE, safe="")
    assert decode_redirect(f"SAMLRequest={WIRE}&SAMLEncoding={encoding}").xml == XML


def test_a_response_is_told_from_a_request() -> None:
    assert decode_redirect(f"SAMLResponse={WIRE}").kind == "SAMLResponse"


def test_an_empty_relay_state_is_not_an_absent_one() -> None:
    assert decode_redirect(f"SAMLRequest={WIRE}&RelayState=").relay_state == ""
    assert decode_redirect(f"SAMLRequest={WIRE}").relay_state is None


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "message_missing"),
        ("RelayState=x", "message_missing"),
        (f"SAMLRequest={WIRE}&SAMLRequest={WIRE}", "parameter_repeated"),
        (f"SAMLRequest={WIRE}&SAMLResponse={WIRE}", "parameter_repeated"),
        (f"SAMLRequest={WIRE}&RelayState=a&RelayState=b", "parameter_repeated"),
        (f"SAMLRequest={WIRE}&SAMLEncoding=x&SAMLEncoding=x", "parameter_repeated"),
        (f"%53AMLRequest={WIRE}", "parameter_disguised"),
        (f"SAMLRequest={WIRE}&%53AMLRequest={WIRE}", "parameter_disguised"),
        (f"SAMLRequest={WIRE}&+SAMLRequest={WIRE}", "parameter_disguised"),
        (f"SAMLRequest={WIRE}&SAMLRequest%20={WIRE}", "parameter_disguised"),
        (f"SAMLRequest={WIRE}&samlrequest={WIRE}", "parameter_disguised"),
        (f"SAMLRequest={WIRE}&Relay%53tate=x", "parameter_disguised"),
        (f"SAMLRequest={WIRE}&%E2%80%8DSigAlg=x", None),
        ("SAMLRequest", "form_malformed"),
        ("SAMLRequest=", "base64_malformed"),
        ("SAMLRequest=%4", "form_malformed"),
        ("SAMLRequest=%zz", "form_malformed"),
        (f"SAMLRequest={WIRE}&x=%", "form_malformed"),
        (f"SAMLRequest={WIRE}&x=ä", "form_malformed"),
        ("&".join(["x=1"] * 65) + f"&SAMLRequest={WIRE}", "form_malformed"),
        (f"SAMLRequest={WIRE}&x=" + "a" * 65536, "wire_too_large"),
        (f"SAMLRequest=!!{WIRE}", "base64_malformed"),
        (f"SAMLRequest={WIRE}=", "base64_malformed"),
        (f"SAMLRequest=%0A{WIRE}", "base64_malformed"),
        (f"SAMLRequest={WIRE[:40]}+{WIRE[40:]}", "base64_malformed"),
        ("SAMLRequest=AAB%3D", "base64_malformed"),
        ("SAMLRequest=%C3%A4%C3%A4%C3%A4%C3%A4", "base64_malformed"),
        (f"SAMLRequest={POSTED}", "deflate_malformed"),
        (f"SAMLRequest={WIRE}&SAMLEncoding=urn:x", "encoding_unknown"),
        (f"SAMLRequest={WIRE}&Signature=AAAA", "signature_incomplete"),
        (f"SAMLRequest={WIRE}&SigAlg=urn:x", "signature_incomplete"),
        (f"SAMLRequest={WIRE}&SigAlg=urn:x&Signature=!", "base64_malformed"),
        (f"SAMLRequest={WIRE}&RelayState=%FF", "relay_state_malformed"),
        (f"SAMLRequest={WIRE}&RelayState=a%00b", "relay_state_malformed"),
        (f"SAMLRequest={WIRE}&RelayState=a%1Bb", "relay_state_malformed"),
    ],
)
def test_r07_r08_a_crooked_query_is_refused(query: str, reason: str | None) -> None:
    if reason is None:
        assert decode_redirect(query).signature is None
    else:
        assert refusal(decode_redirect, query) == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"SAMLRequest={POSTED}&SAMLRequest={POSTED}", "parameter_repeated"),
        (f"SAMLRequest={POSTED}&SAMLResponse={POSTED}", "parameter_repeated"),
        (f"%53AMLRequest={POSTED}", "parameter_disguised"),
        (f"SAMLRequest={POSTED}&SigAlg=urn:x&Signature=AAAA", "signature_unsupported"),
        (f"SAMLRequest={POSTED}&Signature=AAAA", "signature_unsupported"),
        (f"SAMLRequest={POSTED}&SigAlg=urn:x", "signature_unsupported"),
        (f"SAMLRequest=!!{POSTED}", "base64_malformed"),
        (f"SAMLRequest=%20{POSTED}", "base64_malformed"),
        (f"SAMLRequest={WIRE}", "post_deflated"),
        ("SAMLRequest=AAAA", "xml_not_well_formed"),
        ("SAMLRequest=%2F%2F%2F%2F", "xml_not_well_formed"),
        ("SAMLRequest=", "base64_malformed"),
        (f"SAMLRequest={POSTED}&RelayState=%FF", "relay_state_malformed"),
        ("x=" + "a" * 65536, "wire_too_large"),
    ],
)
def test_r07_r08_a_crooked_form_is_refused(body: str, reason: str) -> None:
    assert refusal(decode_post, body.encode()) == reason


def test_a_form_that_is_not_ascii_is_refused() -> None:
    assert refusal(decode_post, b"SAMLRequest=\xff") == "form_malformed"


@pytest.mark.parametrize(
    "stream",
    [
        deflated(XML) + deflated(XML),
        deflated(XML) + b"\x00",
        deflated(XML)[:-5],
        b"\x78\x9c" + deflated(XML),
    ],
    ids=["two streams", "trailing octet", "unfinished", "zlib header"],
)
def test_r06_only_one_whole_raw_stream_is_inflated(stream: bytes) -> None:
    query = "SAMLRequest=" + quote(base64.b64encode(stream).decode(), safe="")
    assert refusal(decode_redirect, query) == "deflate_malformed"


def test_r05_cve_2023_28119_a_bomb_costs_neither_time_nor_memory() -> None:
    bomb = deflated(b"<" * 30_000_000)
    query = "SAMLRequest=" + quote(base64.b64encode(bomb).decode(), safe="")
    assert len(query) < 65536
    tracemalloc.start()
    began = time.process_time()
    assert refusal(decode_redirect, query) == "xml_too_large"
    spent = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < 0.05
    assert peak < 2_000_000


def test_r07_a_compressed_post_names_the_key_that_would_allow_it() -> None:
    with pytest.raises(RequestRejected, match="deflated_post"):
        decode_post(f"SAMLRequest={WIRE}".encode())


def test_a_compressed_post_is_read_where_some_policy_allows_it() -> None:
    message = decode_post(f"SAMLRequest={WIRE}".encode(), accept_deflated=True)
    assert message.was_deflated
    assert read(message, deflated_allowed=lambda _: True).request_id == "_request1"


def test_r07_a_compressed_post_of_another_provider_is_refused_all_the_same() -> None:
    message = decode_post(f"SAMLRequest={WIRE}".encode(), accept_deflated=True)
    assert refusal(read, message) == "post_deflated"


def test_r05_a_compressed_post_is_bounded_as_well() -> None:
    bomb = quote(base64.b64encode(deflated(b"<" * 10_000_000)).decode(), safe="")
    body = f"SAMLRequest={bomb}".encode()
    assert refusal(decode_post, body, accept_deflated=True) == "xml_too_large"


@given(st.binary(min_size=1, max_size=500), st.none() | st.text(max_size=80))
def test_what_was_encoded_is_decoded_again(xml: bytes, relay_state: str | None) -> None:
    query = "SAMLRequest=" + quote(base64.b64encode(deflated(xml)).decode(), safe="")
    if relay_state is not None:
        query += "&RelayState=" + quote(relay_state.encode("utf-8", "replace"), safe="")
    try:
        message = decode_redirect(query)
    except RequestRejected as refused:
        assert refused.reason == "relay_state_malformed"  # noqa: PT017
    else:
        assert message.xml == xml
        if relay_state is not None:
            assert (message.relay_state or "").encode() == relay_state.encode("utf-8", "replace")


@given(st.text(alphabet="SAMLRequestpon=&%+0aF/", max_size=200) | st.text(max_size=100))
def test_no_query_gives_anything_but_a_message_or_a_refusal(query: str) -> None:
    with contextlib.suppress(RequestRejected):
        decode_redirect(query)


@given(st.binary(max_size=200))
def test_no_form_gives_anything_but_a_message_or_a_refusal(body: bytes) -> None:
    for start in (b"", b"SAMLRequest="):
        with contextlib.suppress(RequestRejected):
            decode_post(start + body, accept_deflated=True)


@dataclass(frozen=True)
class Sent:
    xml: bytes
    destination: str
    relay_state: str | None


def test_a05_a_form_returns_the_relay_state_byte_for_byte() -> None:
    state = 'https://sp/?a=b&c="><script>\r\n  ä'
    form = encode_post_form(Sent(b"<x/>", "https://sp/acs", state))
    assert form == PostForm("https://sp/acs", (("SAMLResponse", "PHgvPg=="), ("RelayState", state)))


def test_a05_no_relay_state_is_invented() -> None:
    form = encode_post_form(Sent(b"<x/>", "https://sp/acs", None))
    assert form.fields == (("SAMLResponse", "PHgvPg=="),)
    assert dict(encode_post_form(Sent(b"<x/>", "https://sp/acs", "")).fields)["RelayState"] == ""
