"""What every answer carries and every form must bring: headers, host check, anti-forgery."""

import hmac
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from pyramid.response import Response

from saml_idp.domain.browser import form_token
from saml_idp.domain.errors import RequestRejected

LARGEST_BODY: Final = 256 * 1024  # H05
MOST_FIELDS: Final = 64
_FORM: Final = "application/x-www-form-urlencoded"
_FREE_OF_HOST_CHECK: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class Forbidden(RequestRejected):
    """A form without its token, or from another site."""

    code = "forbidden"


def check_form(request: Any) -> None:
    """Refuse a form that our own page in this browser did not send (L06).

    The token is bound to the browser's mark; Origin and Sec-Fetch-Site are checked where the
    browser sends them. ``Origin: null`` is what ``no-referrer`` makes of a same-origin form.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None and site != "same-origin":
        raise Forbidden("the form came from another site", reason="cross_site")
    if site is None and origin not in (None, "null", _origin(request.idp.settings.base_url)):
        raise Forbidden("the form came from another origin", reason="cross_origin")
    if not _is_plain_form(request) or len(request.POST) > MOST_FIELDS:
        raise Forbidden("what came is no form of ours", reason="no_form")
    expected = form_token(request.browser, request.idp.cookie_key)
    given = request.POST.get("csrf_token", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise Forbidden("the form has no valid token", reason="csrf")


def guard(handler: Callable[[Any], Response], registry: Any) -> Callable[[Any], Response]:
    """Tween: refuse what no view should see, and put the headers on whatever comes back."""
    settings = registry.idp.settings
    hosts = frozenset(settings.allowed_hosts)
    is_https = settings.base_url.startswith("https://")

    def tween(request: Any) -> Response:
        # A body may hold a password: it stays in memory, and a full disk stops no login.
        request.request_body_tempfile_limit = LARGEST_BODY
        if not _has_readable_path(request):
            response = Response(status=400, content_type="text/plain", text="malformed path\n")
        elif request.host not in hosts and request.path_info not in _FREE_OF_HOST_CHECK:
            response = Response(status=421, content_type="text/plain", text="unknown host\n")
        elif (request.content_length or 0) > LARGEST_BODY:
            response = Response(status=413, content_type="text/plain", text="too large\n")
        elif "Transfer-Encoding" in request.headers and request.content_length is None:
            response = Response(status=411, content_type="text/plain", text="length required\n")
        else:
            response = handler(request)
        _put_headers(request, response, is_https=is_https)
        return response

    return tween


def _has_readable_path(request: Any) -> bool:
    """False for a path that is no UTF-8: everything behind would stumble over it (H08)."""
    try:
        return bool(request.path_info is not None)
    except UnicodeDecodeError:
        return False


def _is_plain_form(request: Any) -> bool:
    """True for what a browser makes of our forms. A file in place of a text, or a charset of
    the sender's choice, is nobody's honest form and not given to WebOb to read.
    """
    media_type, _, parameters = request.headers.get("Content-Type", "").lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    return media_type.strip() == _FORM and charset in ("", "utf-8")


def allow_form_to(request: Any, url: str) -> None:
    """Let the page that answers *request* submit to the origin of *url* and nowhere else."""
    request.form_action = _origin(url)


def _put_headers(request: Any, response: Response, *, is_https: bool) -> None:
    headers = response.headers
    form_action = getattr(request, "form_action", None) or "'self'"
    script = f"'self' 'nonce-{request.csp_nonce}'" if "csp_nonce" in request.__dict__ else "'self'"
    headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"script-src {script}; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
        f"form-action {form_action}; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Request-Id"] = request.reference
    if is_https:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    if not request.environ.get("PATH_INFO", "").startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
