"""Which addresses a browser may be sent to with an assertion."""

import pytest

from saml_idp.saml.consumers import is_safe_location

SAFE = [
    "https://sp.example.org/acs",
    "https://sp.example.org",
    "https://sp.example.org:8443/acs?x=1&y=%20",
    "https://[2001:db8::1]/acs",
    "HTTPS://sp.example.org/acs",
]
UNSAFE = [
    "",
    "https://",
    "https:///acs",
    "https:sp.example.org",
    "//sp.example.org/acs",
    "/acs",
    "acs",
    "http://sp.example.org/acs",
    "javascript:alert(1)",
    "JavaScript://sp.example.org/%0aalert(1)",
    "data:text/html,x",
    "ftp://sp.example.org/acs",
    "file:///etc/passwd",
    "https://user@sp.example.org/acs",
    "https://user:word@sp.example.org/acs",
    "https://@sp.example.org/acs",
    "https://sp.example.org/acs#fragment",
    "https://sp.example.org:port/acs",
    "https://sp.example.org:99999/acs",
    "https://[::1/acs",
    "https://sp.example.org/a b",
    " https://sp.example.org/acs",
    "https://sp.example.org/acs\n",
    "https://sp.exam\tple.org/acs",
    'https://sp.example.org/"><script>',
    "https://sp.example.org/'a`b",
    "https://sp.example.org\\@attacker.example/",
    "https://sp.exämple.org/acs",
    "https://sp.example.org/acs\x00",
]


@pytest.mark.parametrize("location", SAFE)
def test_a03_an_https_address_is_safe(location: str) -> None:
    assert is_safe_location(location, allow_http_loopback=False)


@pytest.mark.parametrize("location", UNSAFE)
def test_a03_cve_2023_45683_every_other_address_is_not(location: str) -> None:
    assert not is_safe_location(location, allow_http_loopback=False)
    assert not is_safe_location(location, allow_http_loopback=True)


@pytest.mark.parametrize(
    "location", ["http://localhost:8000/acs", "http://127.0.0.1/acs", "http://[::1]:1/acs"]
)
def test_a03_http_is_safe_on_this_machine_alone_and_by_permission(location: str) -> None:
    assert is_safe_location(location, allow_http_loopback=True)
    assert not is_safe_location(location, allow_http_loopback=False)


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost.attacker.example/acs",
        "http://127.0.0.2/acs",
        "http://localhost@x/acs",
        "ftp://localhost/acs",
        "javascript://localhost/%0aalert(1)",
        "//localhost/acs",
    ],
)
def test_a03_what_looks_like_this_machine_is_not_it(location: str) -> None:
    assert not is_safe_location(location, allow_http_loopback=True)
