"""Send the browser on: to the page of a login's state, or with an answer to its provider."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.renderers import render_to_response
from pyramid.response import Response

from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.ids import EntityId, digest_of
from saml_idp.domain.request import AuthnRequest
from saml_idp.saml.bindings import OutboundMessage, encode_post_form
from saml_idp.saml.refusals import status_for, write_refusal
from saml_idp.web import cookies
from saml_idp.web.security import allow_form_to

_PAGES = {
    State.OPENED: "login.enter",
    State.AWAITING_PASSWORD: "login.password",
    State.AWAITING_NAME: "login.name",
    State.AWAITING_APPROVAL: "login.approval",
    State.CHAIN_COMPLETE: "login.enter",
    State.DONE: "login.ended",
    State.REFUSED: "login.ended",
    State.EXPIRED: "login.ended",
}


def page_of(request: Any, attempt: LoginAttempt) -> str:
    """Return the path of the page that shows *attempt*. The only place that maps the two."""
    return str(request.route_path(_PAGES[attempt.state], attempt=attempt.attempt_id))


def see_page_of(request: Any, attempt: LoginAttempt) -> Response:
    """Return the redirect to the page of *attempt*."""
    response = HTTPSeeOther(page_of(request, attempt))
    cookies.keep_browser(request, response, request.browser)
    return response


def provider_name(request: Any, entity_id: EntityId) -> str:
    """Return the name of the provider to show, in the reader's language."""
    provider = request.idp.providers.find(entity_id)
    return provider.display_name(request.lang) if provider is not None else entity_id


def finish(request: Any, attempt: LoginAttempt, *, is_stored: bool) -> Response:
    """Return the page that carries the assertion *attempt* has earned to its provider."""
    secret = request.idp.entropy.token(256)
    finished = request.idp.finish_login(
        attempt,
        is_stored=is_stored,
        session_secret=request.session_secret,
        new_session_secret=digest_of(secret),
        origin=request.origin,
    )
    response = answer(request, finished.response, attempt.request.issuer, granted=True)
    if finished.session_started:
        cookies.keep_session(request, response, secret)
    known = request.browser.after_login(finished.person.user_id)
    if known != request.browser:
        cookies.keep_browser(request, response, known)
    return response


def refuse(request: Any, refused: AuthnRequest, reason: str) -> Response:
    """Return the page that carries a SAML status, never an assertion, to the provider."""
    message = write_refusal(
        refused,
        issuer=request.idp.settings.entity_id,
        status=status_for(reason),
        issued_at=request.idp.clock.now(),
        new_id=request.idp.entropy.xml_id,
    )
    return answer(request, message, refused.issuer, granted=False)


def answer(request: Any, message: OutboundMessage, issuer: EntityId, *, granted: bool) -> Response:
    """Return the page whose form carries *message* to the provider's ACS (Bindings 3.5)."""
    form = encode_post_form(message)
    allow_form_to(request, form.action)
    fields = dict(form.fields)
    values = {
        "action": form.action,
        "SAMLResponse": fields["SAMLResponse"],
        "RelayState": fields.get("RelayState"),
        "provider_name": provider_name(request, issuer),
        "granted": granted,
    }
    return render_to_response("templates/login/respond.jinja2", values, request=request)
