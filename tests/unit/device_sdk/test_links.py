"""What a link may carry, and whom a device may talk to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.device_sdk.errors import LinkInvalid
from saml_idp.device_sdk.links import (
    checked_base_url,
    parse_approval_link,
    parse_enrolment_link,
)

CODE = "0a1B2c3D4e5F6g7H8i9J0k"


@pytest.mark.parametrize(
    ("text", "base"),
    [
        (f"https://idp.example.org/device/#enrol={CODE}", "https://idp.example.org"),
        (f" https://idp.example.org/device/#enrol={CODE}\n", "https://idp.example.org"),
        (f"https://example.org/login/device/#enrol={CODE}", "https://example.org/login"),
        (f"https://idp.example.org:8443/device/#enrol={CODE}", "https://idp.example.org:8443"),
        (f"http://localhost:8000/device/#enrol={CODE}", "http://localhost:8000"),
        (f"http://idp.localhost/device/#enrol={CODE}", "http://idp.localhost"),
        (f"http://[::1]:8000/device/#enrol={CODE}", "http://[::1]:8000"),
    ],
)
def test_an_enrolment_link_carries_base_and_code(text: str, base: str) -> None:
    link = parse_enrolment_link(text)
    assert (link.base_url, link.code) == (base, CODE)
    assert CODE not in repr(link)


@pytest.mark.parametrize(
    "text",
    [
        "",
        CODE,
        f"#enrol={CODE}",
        f"http://idp.example.org/device/#enrol={CODE}",
        f"http://localhost.example.org/device/#enrol={CODE}",
        f"http://127.0.0.1.example.org/device/#enrol={CODE}",
        f"https://idp.example.org/device#enrol={CODE}",
        f"https://idp.example.org/device/?enrol={CODE}",
        f"https://idp.example.org/device/?a=b#enrol={CODE}",
        f"https://user@idp.example.org/device/#enrol={CODE}",
        f"https://idp.example.org@attacker.example/device/#enrol={CODE}",
        f"https:///device/#enrol={CODE}",
        f"javascript:alert(1)//device/#enrol={CODE}",
        f"file:///device/#enrol={CODE}",
        f"https://idp.example.org/device/#enrol={CODE}&enrol={CODE}",
        f"https://idp.example.org:x/device/#enrol={CODE}",
        f"https://[::1/device/#enrol={CODE}",
        f"https://idp.exämple.org/device/#enrol={CODE}",
        f"https://idp.example.org\r\nX: y/device/#enrol={CODE}",
        "https://idp.example.org/device/#enrol=",
        "https://idp.example.org/device/#enrol=short",
        f"https://idp.example.org/device/#enrol={CODE}%0A",
        "https://idp.example.org/device/#approval=a&symbols=K3QA",
        "https://idp.example.org/device/#",
    ],
)
def test_anything_else_is_no_enrolment_link(text: str) -> None:
    with pytest.raises(LinkInvalid):
        parse_enrolment_link(text)


def test_the_link_of_an_approval_carries_the_symbols() -> None:
    link = parse_approval_link("https://idp.example.org/device/#approval=abc_-1&symbols=K3QA")
    assert (link.base_url, link.approval, link.symbols) == (
        "https://idp.example.org",
        "abc_-1",
        "K3QA",
    )
    assert "K3QA" not in repr(link)


@pytest.mark.parametrize(
    "fragment",
    [
        "approval=abc",
        "symbols=K3QA",
        "approval=abc&symbols=k3qa",
        "approval=abc&symbols=K3QA7777",
        "approval=a/b&symbols=K3QA",
        "approval=&symbols=K3QA",
        "approval=abc&approval=abd&symbols=K3QA",
    ],
)
def test_anything_else_is_no_link_of_an_approval(fragment: str) -> None:
    with pytest.raises(LinkInvalid):
        parse_approval_link(f"https://idp.example.org/device/#{fragment}")


@given(st.text())
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    for parse in (parse_enrolment_link, parse_approval_link, checked_base_url):
        for given_text in (text, f"https://{text}/device/#enrol={CODE}"):
            try:
                parse(given_text)
            except LinkInvalid:
                continue
