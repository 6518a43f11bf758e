"""Whose address counts, and what a browser is called (H02)."""

import pytest

from saml_idp.web.origin import address_of, browser_name
from tests.unit.web.calls import a_call

PROXY = "10.0.0.1"
TRUSTED = ("10.0.0.0/8", "fd00::/8")


def address(forwarded: str | None, *, peer: str = PROXY, trusted: tuple[str, ...] = TRUSTED) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = a_call(headers=headers, environ={"REMOTE_ADDR": peer}, trusted_proxies=trusted)
    return address_of(request)


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.2", "203.0.113.9"),  # two proxies of ours
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the left one is the client's own word
        ("10.0.0.9, 203.0.113.9", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:db8::1, fd00::2", "2001:db8::1"),
    ],
)
def test_a_configured_proxy_names_the_client(forwarded: str, expected: str) -> None:
    assert address(forwarded) == expected


@pytest.mark.parametrize(
    "forwarded",
    [None, "", " ", ",", "a", "unknown", "203.0.113.9,", "203.0.113.9, x", "203.0.113.9:443",
     "[2001:db8::1]", "203.0.113.999", "203.0.113.9/32", "10.0.0.2", "10.0.0.2, 10.0.0.3",
     "fe80::1%<script>", "1" * 10_000, "203.0.113.9\x00"],
)  # fmt: skip
def test_h02_cve_2024_47070_a_bad_value_is_ignored_and_no_exception(forwarded: str | None) -> None:
    assert address(forwarded) == PROXY


@pytest.mark.parametrize("peer", ["192.0.2.7", "11.0.0.1", "::1", "", "unix:", "10.0.0.1.evil"])
def test_h02_cve_2023_4612_nobody_else_names_an_address(peer: str) -> None:
    assert address("203.0.113.9", peer=peer) == peer
    assert address("203.0.113.9", peer=peer, trusted=()) == peer


@pytest.mark.parametrize("name", ["Forwarded", "X-Real-IP", "Client-IP", "X-Client-IP", "Via"])
def test_h02_no_other_header_is_read(name: str) -> None:
    request = a_call(
        headers={name: "203.0.113.9"}, environ={"REMOTE_ADDR": PROXY}, trusted_proxies=TRUSTED
    )
    assert address_of(request) == PROXY


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl"),
        ("", ""),
        ("<script>alert(1)</script>", "scriptalert1"),
        ("x\r\nSet-Cookie: y", "xSet-Cookie y"),
        ("y" * 1000, "y" * 40),
    ],
)
def test_a_browser_has_a_short_harmless_name(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name
