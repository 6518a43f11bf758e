"""Addresses and names that a setting may be: acceptors, as in ``kinds``."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from saml_idp.toml import kinds
from saml_idp.toml.reading import Accept, Unsuitable

_NODE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_E_MAIL: Final = re.compile(r"[^@\s<>\"]{1,64}@[A-Za-z0-9.-]{1,253}")


def base_url(*, development: bool) -> Accept[str]:
    """Accept the address of this product: https, or http to this machine in *development*."""

    def accept(value: object) -> str:
        url = kinds.text(500)(value).removesuffix("/")
        scheme, host = _parts(url)
        if scheme == "http" and not (development and _is_loopback(host)):
            problem = "http is for this machine alone, in development"
            raise Unsuitable(problem, "write https://…, or development = true with a loopback host")
        if urlsplit(url).path or "?" in url or "#" in url:
            mend = "leave scheme and host alone: this product has a host name of its own"
            raise Unsuitable("the address has a path, a query or a fragment", mend)
        return url.lower().removesuffix(":443" if scheme == "https" else ":80")

    return accept


def web_address(value: object) -> str:
    """Accept an https address for a link."""
    url = kinds.text(500)(value)
    if _parts(url)[0] != "https":
        raise Unsuitable("the address is not https", "write https://…")
    return url


def network(value: object) -> str:
    """Accept an address or a network; return the network."""
    text = kinds.text(50)(value)
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise Unsuitable(f'"{text}" is no address or network', 'write "10.0.0.0/8"') from None


def node(value: object) -> str:
    """Accept the name of a node."""
    return _matching(value, _NODE, "letters, digits, dot, hyphen, underscore; at most 64")


def colour(value: object) -> str:
    """Accept a colour."""
    return _matching(value, _COLOUR, "#rrggbb")


def e_mail(value: object) -> str:
    """Accept an e-mail address."""
    return _matching(value, _E_MAIL, "name@host")


def _parts(url: str) -> tuple[str, str]:
    """Return scheme and host of an absolute http address; it names no user."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Unsuitable("this is no web address", "write https://host.name") from None
    if not host or port == 0 or parts.scheme not in {"http", "https"} or not url.isascii():
        raise Unsuitable("this is no web address", "write https://host.name")
    if "@" in parts.netloc or "\\" in url:
        raise Unsuitable("the address names a user", "remove it")
    return parts.scheme, host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _matching(value: object, pattern: re.Pattern[str], wanted: str) -> str:
    text = kinds.text(320)(value)
    if not pattern.fullmatch(text):
        raise Unsuitable(f'"{text[:60]}" has not the right form', f"write {wanted}")
    return text
