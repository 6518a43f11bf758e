"""The links that open a device: what they carry stands after ``#`` and reaches no server."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

from saml_idp.device_sdk.errors import LinkInvalid

_CODE: Final = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)
_APPROVAL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_SYMBOLS: Final = re.compile(r"[A-Z2-7]{1,6}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PAGE: Final = "/device/"


@dataclass(frozen=True, slots=True)
class EnrolmentLink:
    """``BASE/device/#enrol=CODE``. ``base_url``: BASE, without a slash at its end."""

    base_url: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApprovalLink:
    """``BASE/device/#approval=ID&symbols=ROW``: reading it is the transfer of the symbols."""

    base_url: str
    approval: str
    symbols: str = field(repr=False)


def parse_enrolment_link(text: str) -> EnrolmentLink:
    """Return what *text* carries.

    Raises:
        LinkInvalid: it is not an enrolment link.
    """
    base, members = _parts(text)
    code = members.get("enrol", "")
    if not _CODE.fullmatch(code):
        raise LinkInvalid("not an enrolment link: BASE/device/#enrol=CODE")
    return EnrolmentLink(base, code)


def parse_approval_link(text: str) -> ApprovalLink:
    """Return what *text* carries.

    Raises:
        LinkInvalid: it is not the link of an approval.
    """
    base, members = _parts(text)
    approval, symbols = members.get("approval", ""), members.get("symbols", "")
    if not _APPROVAL.fullmatch(approval) or not _SYMBOLS.fullmatch(symbols):
        raise LinkInvalid("not the link of an approval: BASE/device/#approval=ID&symbols=ROW")
    return ApprovalLink(base, approval, symbols)


def checked_base_url(text: str) -> str:
    """Return *text* without a slash at its end, when a device may talk to it.

    Raises:
        LinkInvalid: not https (http is for the own machine only), or more than a base URL.
    """
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        raise LinkInvalid("not a URL") from None
    if not host or "@" in url.netloc or url.query or url.fragment or not text.isascii():
        raise LinkInvalid("not the base URL of an IdP")
    if re.search(r"[\x00-\x20\x7f]", text):
        raise LinkInvalid("white space in a URL")
    own_machine = host in _LOOPBACK or host.endswith(".localhost")
    if url.scheme != "https" and not (url.scheme == "http" and own_machine):
        raise LinkInvalid("not https")
    return text.rstrip("/")


def _parts(text: str) -> tuple[str, dict[str, str]]:
    page, _, fragment = text.strip().partition("#")
    if not page.endswith(_PAGE):
        raise LinkInvalid("not a link of the device page, BASE/device/#…")
    try:
        members = parse_qs(fragment, strict_parsing=True, max_num_fields=8)
    except ValueError:
        raise LinkInvalid("the link carries nothing after #") from None
    base = checked_base_url(page.removesuffix(_PAGE))
    return base, {name: values[0] for name, values in members.items() if len(values) == 1}
