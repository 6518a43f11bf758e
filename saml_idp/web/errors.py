"""IdpError → page, problem document or SAML status. The only place that translates."""

import json
from collections.abc import Callable
from typing import Any, Final

import structlog
from pyramid.httpexceptions import HTTPException, HTTPSeeOther
from pyramid.renderers import render_to_response
from pyramid.response import Response
from pyramid.view import exception_view_config, notfound_view_config
from webob.request import DisconnectionError

from saml_idp.domain.errors import (
    Busy,
    ChainIncomplete,
    Conflict,
    DeviceMessageRejected,
    IdpError,
    LoginRefused,
    NotFound,
    RequestRejected,
    StoreUnavailable,
    Throttled,
    TransitionNotAllowed,
)
from saml_idp.domain.request import RefusedAtOnce
from saml_idp.web.answering import refuse
from saml_idp.web.contexts import LoginContext
from saml_idp.web.security import Forbidden

_log = structlog.get_logger("saml_idp.web")

# Class → (status, kind of page). The first that fits counts.
_TABLE: Final[tuple[tuple[type[IdpError], int, str], ...]] = (
    (Forbidden, 403, "forbidden"),
    (RequestRejected, 400, "request_rejected"),
    (NotFound, 404, "no_login"),
    (Throttled, 429, "throttled"),
    (Busy, 503, "busy"),
    (StoreUnavailable, 503, "store_unavailable"),
    (TransitionNotAllowed, 409, "no_login"),
    (LoginRefused, 403, "not_allowed"),
    (ChainIncomplete, 403, "not_allowed"),
    (DeviceMessageRejected, 400, "request_rejected"),
    (Conflict, 409, "request_rejected"),
)
_DEVICE_STATUS: Final = {
    "unauthenticated": 401,
    "unknown_device": 401,
    "bad_signature": 401,
    "replayed": 401,
    "out_of_date": 401,
    "wrong_target": 401,
    "wrong_audience": 401,
    "mismatch": 409,
    "too_large": 413,
    "not_found": 404,
    "over": 410,
    "wrong_password": 403,
    "code_invalid": 403,
}
_UNKNOWN_SERVICE: Final = "issuer_unknown"


def outermost(handler: Callable[[Any], Response], registry: Any) -> Callable[[Any], Response]:
    """Tween: whatever nobody expected ends the login with a page and a log line (P03)."""

    def tween(request: Any) -> Response:
        try:
            return handler(request)
        except (IdpError, HTTPException):
            raise
        except DisconnectionError:  # the body ended before its length: nobody waits for a page
            return Response(status=400, content_type="text/plain", text="incomplete\n")
        except Exception as error:
            _log.exception("fault", reference=request.reference, path=request.path_info)
            request.idp.record_fault(type(error).__name__, origin=request.origin)
            return _told(request, 500, "internal", "internal", "an error of ours")

    return tween


@exception_view_config(RefusedAtOnce)
def refused_at_once(refused: RefusedAtOnce, request: Any) -> Response:
    """Answer the provider with a SAML status."""
    _note(request, refused)
    return refuse(request, refused.request, refused.reason)


@exception_view_config(IdpError)
def idp_error(error: IdpError, request: Any) -> Response:
    """Show what happened, what to do and the reference that the audit trail resolves."""
    _note(request, error)
    if _moves_on(request, error):
        return HTTPSeeOther(
            request.route_path("login.enter", attempt=request.context.attempt.attempt_id)
        )
    status, kind = next(
        ((status, kind) for cls, status, kind in _TABLE if isinstance(error, cls)),
        (500, "internal"),
    )
    if error.reason == _UNKNOWN_SERVICE:
        kind = "unknown_service"
    if isinstance(error, DeviceMessageRejected):
        status = _DEVICE_STATUS.get(error.reason, 400)
    response = _told(request, status, kind, error.reason, str(error))
    if isinstance(error, Throttled):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    elif status == 503:
        response.headers["Retry-After"] = "5"
    return response


@notfound_view_config()
def not_found(request: Any) -> Response:
    """Say that there is no such page."""
    return _told(request, 404, "not_found", "not_found", "there is no such page")


@exception_view_config(HTTPException)
def http_error(error: Any, request: Any) -> Response:
    """Let Pyramid's own answers through: redirects, wrong method, wrong media type."""
    response: Response = error
    return response


def _moves_on(request: Any, error: IdpError) -> bool:
    """True when the login's own page tells best what became of it: a form sent twice, or a
    login that was refused and stored as such.
    """
    return (
        isinstance(getattr(request, "context", None), LoginContext)
        and request.method == "POST"
        and isinstance(error, TransitionNotAllowed | ChainIncomplete | LoginRefused)
    )


def _told(request: Any, status: int, kind: str, code: str, detail: str) -> Response:
    if request.path_info.startswith("/device/v1/"):
        return _problem(request, status, code, detail)
    values = {"kind": kind, "title": None, "explanation": None, "what_to_do": None}
    response = render_to_response("templates/error.jinja2", values, request=request)
    response.status_code = status
    return response


def _problem(request: Any, status: int, code: str, detail: str) -> Response:
    """Return a problem document (RFC 9457) with a stable ``code``."""
    body = {
        "type": "about:blank",
        "title": code.replace("_", " "),
        "status": status,
        "detail": detail,
        "code": code,
        "reference": request.reference,
    }
    return Response(
        body=json.dumps(body).encode(), status=status, content_type="application/problem+json"
    )


def _note(request: Any, error: IdpError) -> None:
    _log.info(
        "refused",
        reference=request.reference,
        code=error.code,
        reason=error.reason,
        message=str(error),
        path=request.path_info,
    )
