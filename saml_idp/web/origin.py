"""Where a request comes from: address and browser, in words a user recognises."""

import ipaddress
import re
from typing import Any, Final

_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_UNSAFE: Final = re.compile(r"[^\w ./-]")


def browser_name(user_agent: str) -> str:
    """Return "Firefox on Windows" for a User-Agent; its first word where it is another."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if browser and system:
        return f"{browser} on {system}"
    return browser or _UNSAFE.sub("", user_agent.split("/", 1)[0])[:40]


def address_of(request: Any) -> str:
    """Return the address of the peer, or of the client that a configured proxy names (H02).

    A header from anybody else, or one that is no address, is ignored.
    """
    peer = str(request.environ.get("REMOTE_ADDR") or "")
    trusted = request.idp.settings.trusted_proxies
    if not trusted or not _is_in(peer, trusted):
        return peer
    # Right to left: the last entry was written by the proxy next to us.
    named: list[str] = [
        part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")
    ]
    for address in reversed(named):
        if not _is_address(address):
            return peer
        if not _is_in(address, trusted):
            return address
    return peer


def _is_address(text: str) -> bool:
    if "%" in text:
        return False  # a zone's name may be any text, and means nothing on another machine
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(address: str, networks: tuple[str, ...]) -> bool:
    if not _is_address(address):
        return False
    parsed = ipaddress.ip_address(address)
    return any(parsed in ipaddress.ip_network(network, strict=False) for network in networks)
