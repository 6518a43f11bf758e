"""Who stands behind a base URL: its device page says so."""

from dataclasses import dataclass
from html.parser import HTMLParser

from saml_idp.device_sdk.errors import ServerUnreachable
from saml_idp.device_sdk.links import checked_base_url
from saml_idp.device_sdk.transport import HttpCall, Transport, UrllibTransport


@dataclass(frozen=True, slots=True)
class IdpDescription:
    """Who stands behind a base URL."""

    entity_id: str
    idp_name: str


def discover(base_url: str, *, transport: Transport | None = None) -> IdpDescription:
    """Return who stands behind *base_url*, as its device page says.

    Raises:
        LinkInvalid: not a base URL that a device may talk to.
        ServerUnreachable: no device page there.
    """
    call = HttpCall("GET", f"{checked_base_url(base_url)}/device/", {"Accept": "text/html"})
    answer = (transport or UrllibTransport())(call)
    page = _DevicePage()
    page.feed(answer.body.decode("utf-8", errors="replace"))
    if answer.status != 200 or not page.entity_id:
        raise ServerUnreachable(f"no device page at {call.url!r}")
    return IdpDescription(page.entity_id, page.idp_name)


class _DevicePage(HTMLParser):
    """Reads ``<body data-entity-id data-idp-name>``."""

    entity_id = ""
    idp_name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            given = dict(attrs)
            self.entity_id = given.get("data-entity-id") or ""
            self.idp_name = given.get("data-idp-name") or ""
