"""A request as a view meets it, without an application around it."""

from types import SimpleNamespace
from typing import Any, Final

from pyramid.request import Request

from saml_idp.domain.browser import Browser
from tests.fakes import FakeEntropy

COOKIE_KEY: Final = b"k" * 32
MARK: Final = "m" * 27
HTTPS: Final = "https://login.example.test"
HTTP: Final = "http://localhost"


def a_call(
    path: str = "/",
    *,
    base_url: str = HTTPS,
    trusted_proxies: tuple[str, ...] = (),
    environ: dict[str, str] | None = None,
    **blank: Any,
) -> Any:
    """Return a request to an IdP at *base_url*, from a browser with a mark."""
    request: Any = Request.blank(path, base_url=base_url, environ=environ, **blank)
    settings = SimpleNamespace(
        base_url=base_url,
        trusted_proxies=trusted_proxies,
        allowed_hosts=(base_url.partition("://")[2],),
    )
    request.idp = SimpleNamespace(settings=settings, cookie_key=COOKIE_KEY, entropy=FakeEntropy())
    request.browser = Browser(MARK)
    request.reference = "reference"
    return request
