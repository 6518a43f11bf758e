"""The browser that signs in. Every view works on the one login of its context."""

from typing import Any

import segno
from pyramid.renderers import render_to_response
from pyramid.response import Response
from pyramid.view import view_config

from saml_idp.domain.asking import ApprovalView
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.errors import Throttled
from saml_idp.domain.evidence import Step
from saml_idp.web import cookies
from saml_idp.web.answering import finish, provider_name, refuse, see_page_of
from saml_idp.web.security import check_form
from saml_idp.web.symbols import row_of

POLL_SECONDS = 2
# Weighing all eight masks would cost four fifths of the page; a reader takes any of them.
_QR_MASK = 2
_NO_WAY_BACK = frozenset({"provider_gone"})


def _urls(request: Any, attempt: LoginAttempt, *names: str) -> dict[str, str]:
    return {
        f"{name}_action": request.route_path(f"login.{name}", attempt=attempt.attempt_id)
        for name in names
    }


@view_config(route_name="login.enter", request_method="GET")
def enter(request: Any) -> Response:
    """Show the page that fits: the way in after a POST, a reload, and the way on."""
    attempt = request.context.attempt
    if attempt.state is State.OPENED:
        attempt = request.idp.resume_session(
            attempt.attempt_id,
            browser=request.browser,
            session_secret=request.session_secret,
            origin=request.origin,
        )
        if attempt.state is State.REFUSED and attempt.request.is_passive:
            return refuse(request, attempt.request, attempt.ended_because or "")
    if attempt.state is State.CHAIN_COMPLETE:
        return finish(request, attempt, is_stored=True)
    return see_page_of(request, attempt)


@view_config(
    route_name="login.password", request_method="GET", renderer="templates/login/password.jinja2"
)
def show_password(request: Any) -> Any:
    """Ask for user name and password."""
    attempt = request.context.attempt
    if attempt.state is not State.AWAITING_PASSWORD:
        return see_page_of(request, attempt)
    return _form(request, attempt, error=None)


@view_config(
    route_name="login.password", request_method="POST", renderer="templates/login/password.jinja2"
)
def submit_password(request: Any) -> Any:
    """Take user name and password."""
    check_form(request)
    request.rates.count("password", request.origin.address)
    username = request.POST.get("username", "")
    try:
        attempt = request.idp.check_password(
            request.context.attempt.attempt_id,
            username=username,
            password=request.POST.get("password", ""),
            browser=request.browser,
            origin=request.origin,
        )
    except Throttled as throttled:
        request.response.status_code = 429
        request.response.headers["Retry-After"] = str(throttled.retry_after_seconds)
        return _form(
            request,
            request.context.attempt,
            error="throttled",
            username=username,
            retry_after=throttled.retry_after_seconds,
        )
    if attempt.state is State.AWAITING_PASSWORD:
        request.response.status_code = 401  # the failure is counted: answer, do not raise
        return _form(request, attempt, error="wrong_name_or_password", username=username)
    response = see_page_of(request, attempt)
    cookies.keep_name(request, response, attempt.entered_name if _remember(request) else None)
    return response


@view_config(route_name="login.name", request_method="GET", renderer="templates/login/name.jinja2")
def show_name(request: Any) -> Any:
    """Ask for the user's ID or user name, where the approval is the whole chain."""
    attempt = request.context.attempt
    if attempt.state is not State.AWAITING_NAME:
        return see_page_of(request, attempt)
    return _form(request, attempt, error=None)


@view_config(route_name="login.name", request_method="POST", renderer="templates/login/name.jinja2")
def submit_name(request: Any) -> Any:
    """Take the user's ID or user name."""
    check_form(request)
    request.rates.count("name", request.origin.address)
    name = request.POST.get("username", "").strip()
    if not name:
        request.response.status_code = 422
        return _form(request, request.context.attempt, error="missing")
    attempt = request.idp.give_name(request.context.attempt.attempt_id, name)
    response = see_page_of(request, attempt)
    cookies.keep_name(request, response, attempt.entered_name if _remember(request) else None)
    return response


@view_config(
    route_name="login.approval", request_method="GET", renderer="templates/login/approval.jinja2"
)
def show_approval(request: Any) -> Any:
    """Show the access symbols; the first approval is asked as soon as its turn has come."""
    return _approval(request, again=False)


@view_config(
    route_name="login.approval", request_method="POST", renderer="templates/login/approval.jinja2"
)
def ask_again(request: Any) -> Any:
    """Ask once more, at the user's wish."""
    check_form(request)
    answer = _approval(request, again=True)
    return answer if isinstance(answer, Response) else see_page_of(request, request.context.attempt)


def _approval(request: Any, *, again: bool) -> Any:
    attempt = request.context.attempt
    if attempt.state is not State.AWAITING_APPROVAL:
        return see_page_of(request, attempt)
    page = request.idp.ask_approval(
        attempt.attempt_id, again=again, browser=request.browser, origin=request.origin
    )
    asked = page.view is ApprovalView.ASKED
    base = f"{request.idp.settings.base_url}/device/"
    link = f"{base}#approval={page.approval_id}&symbols={page.symbols}" if asked else None
    polled = page.view in (ApprovalView.ASKED, ApprovalView.WAITING_OTHER)
    actions = _urls(request, attempt, "finish", "cancel", "restart")
    return {
        **actions,
        "view": str(page.view),
        "symbols": [
            {"character": s.character, "name": s.name(request.lang)} for s in row_of(page.symbols)
        ],
        "seconds_left": page.seconds_left,
        "lifetime": page.lifetime_seconds,
        "poll_url": request.route_path("login.poll", attempt=attempt.attempt_id)
        if polled
        else None,
        "poll_seconds": POLL_SECONDS,
        "retry_action": request.route_path("login.approval", attempt=attempt.attempt_id),
        "qr_svg": _qr(link) if link else None,
        "device_link": link,
        "provider_name": provider_name(request, attempt.request.issuer),
        "provider_logo": _logo(request, attempt),
        "username": attempt.entered_name or "",
        "two_step": Step.PASSWORD in attempt.steps,
    }


@view_config(route_name="login.poll", request_method="GET", renderer="json")
def poll(request: Any) -> dict[str, object]:
    """Tell the waiting browser: pending, decided or over, and when to ask again (D21)."""
    attempt = request.context.attempt
    request.rates.count("poll", attempt.attempt_id)
    return {"status": str(request.idp.watch_login(attempt)), "interval": POLL_SECONDS}


@view_config(route_name="login.finish", request_method="POST")
def finish_login(request: Any) -> Response:
    """Go on to the provider when every step is done, else to the page that fits."""
    check_form(request)
    attempt = request.context.attempt
    if attempt.state is State.CHAIN_COMPLETE:
        return finish(request, attempt, is_stored=True)
    return see_page_of(request, attempt)


@view_config(route_name="login.restart", request_method="POST")
def restart(request: Any) -> Response:
    """Begin anew as another user."""
    check_form(request)
    attempt = request.idp.restart_login(request.context.attempt.attempt_id, origin=request.origin)
    return see_page_of(request, attempt)


@view_config(route_name="login.cancel", request_method="POST")
def cancel(request: Any) -> Response:
    """End the login at the user's wish."""
    check_form(request)
    attempt = request.idp.cancel_login(request.context.attempt.attempt_id, origin=request.origin)
    return see_page_of(request, attempt)


@view_config(route_name="login.ended", request_method="GET")
def show_ended(request: Any) -> Any:
    """Say how the login ended and what to do next."""
    attempt = request.context.attempt
    if not attempt.is_over:
        return see_page_of(request, attempt)
    return _ended(request, attempt)


@view_config(route_name="login.back", request_method="POST")
def go_back(request: Any) -> Response:
    """Tell the provider that the login failed, at the user's wish."""
    check_form(request)
    attempt = request.context.attempt
    if attempt.state not in (State.REFUSED, State.EXPIRED):
        return see_page_of(request, attempt)
    return refuse(request, attempt.request, attempt.ended_because or "expired")


def _ended(request: Any, attempt: LoginAttempt) -> Response:
    name = provider_name(request, attempt.request.issuer)
    if attempt.state is State.DONE:
        values: dict[str, Any] = {"provider_name": name, "provider_url": None}
        return render_to_response("templates/login/moved.jinja2", values, request=request)
    because = attempt.ended_because or "expired"
    back = request.route_path("login.back", attempt=attempt.attempt_id)
    values = {
        "reason": because,
        "provider_name": name,
        "back_action": None if because in _NO_WAY_BACK else back,
        "restart_url": None,
    }
    return render_to_response("templates/login/ended.jinja2", values, request=request)


def _form(request: Any, attempt: LoginAttempt, *, error: str | None, **values: object) -> Any:
    remembered = cookies.remembered_name_of(request)
    page = "password" if attempt.state is State.AWAITING_PASSWORD else "name"
    return {
        "action": request.route_path(f"login.{page}", attempt=attempt.attempt_id),
        **_urls(request, attempt, "cancel"),
        "provider_name": provider_name(request, attempt.request.issuer),
        "provider_logo": _logo(request, attempt),
        "username": attempt.entered_name or remembered,
        "remember": bool(remembered) or _remember(request),
        "error": error,
        "retry_after": 0,
        **values,
    }


def _remember(request: Any) -> bool:
    return bool(request.method == "POST" and request.POST.get("remember") == "1")


def _logo(request: Any, attempt: LoginAttempt) -> str | None:
    """Return the provider's logo if it travels with the page: no request to a third party."""
    provider = request.idp.providers.find(attempt.request.issuer)
    logo = provider.logo if provider is not None else None
    return logo if logo is not None and logo.startswith("data:") else None


def _qr(link: str) -> str:
    return str(
        segno.make(link, error="m", boost_error=False, mask=_QR_MASK).svg_inline(
            scale=1,
            border=4,
            dark="#000",
            light="#fff",
            omitsize=True,
            svgclass=None,
            lineclass=None,
        )
    )
