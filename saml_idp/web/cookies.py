"""The cookies: browser mark, session, opened login, remembered name, language; all HttpOnly.

``__Host-`` and Secure wherever the service runs on https; a development server on loopback
http has neither, since not every client keeps Secure cookies there.
"""

from datetime import timedelta
from typing import Any, Final

from pyramid.response import Response

from saml_idp.domain.browser import Browser, read, written
from saml_idp.domain.ids import Digest, digest_of

_MARK_LIFETIME: Final = timedelta(days=400)  # the longest that browsers keep
_OPENED_LIFETIME: Final = timedelta(minutes=10)
_LONGEST_VALUE: Final = 512


def browser_of(request: Any) -> Browser:
    """Return the browser by its mark, or a new one; ``has_mark`` tells which."""
    found = read(_value(request, "browser"), request.idp.cookie_key)
    return found if found is not None else Browser(request.idp.entropy.token(160))


def session_secret_of(request: Any) -> Digest | None:
    """Return the hash of the session cookie, None without one."""
    value = _value(request, "session")
    return digest_of(value) if value else None


def opened_secret_of(request: Any) -> Digest | None:
    """Return the digest that a login opened by a cross-site POST is bound to."""
    value = _value(request, "opened")
    return Browser(value).digest if value else None


def remembered_name_of(request: Any) -> str:
    """Return the user name this browser was asked to remember, "" without one."""
    return _value(request, "name")


def keep_browser(request: Any, response: Response, browser: Browser) -> None:
    """Set the browser's mark."""
    _set(request, response, "browser", written(browser, request.idp.cookie_key), _MARK_LIFETIME)


def keep_session(request: Any, response: Response, secret: str) -> None:
    """Set the session cookie; it ends with the browser, the session ends by itself before."""
    _set(request, response, "session", secret, None)


def keep_opened(request: Any, response: Response, browser: Browser) -> None:
    """Set the one-time secret of a login that a cross-site POST opened."""
    _set(request, response, "opened", browser.mark, _OPENED_LIFETIME)


def keep_name(request: Any, response: Response, name: str | None) -> None:
    """Remember *name*, or forget it."""
    if name and name.isascii() and len(name) <= 128:
        _set(request, response, "name", name, _MARK_LIFETIME)
    elif _value(request, "name"):
        _set(request, response, "name", "", timedelta(0))


def chosen_language_of(request: Any) -> str:
    """Return the language chosen before in this browser, "" without one."""
    return _value(request, "language")


def keep_language(request: Any, response: Response, language: str) -> None:
    """Remember the language chosen by a link."""
    _set(request, response, "language", language, _MARK_LIFETIME)


def _name(request: Any, name: str) -> str:
    return f"__Host-idp-{name}" if _is_https(request) else f"idp-{name}"


def _is_https(request: Any) -> bool:
    return str(request.idp.settings.base_url).startswith("https://")


def _value(request: Any, name: str) -> str:
    value = request.cookies.get(_name(request, name), "")
    return value if len(value) <= _LONGEST_VALUE and value.isascii() else ""


def _set(
    request: Any, response: Response, name: str, value: str, lifetime: timedelta | None
) -> None:
    response.set_cookie(
        _name(request, name),
        value,
        max_age=lifetime,
        path="/",
        secure=_is_https(request),
        httponly=True,
        samesite="Lax",
    )
