"""The SAML endpoints and our metadata.

The endpoint is open to any site by design: what protects it is the reader of the request, and
what a login still demands of the user.
"""

from hashlib import sha256
from typing import Any

from pyramid.httpexceptions import HTTPSeeOther, HTTPUnsupportedMediaType
from pyramid.response import Response
from pyramid.view import view_config

from saml_idp.domain.attempt import State
from saml_idp.domain.browser import Browser
from saml_idp.saml.bindings import decode_post, decode_redirect
from saml_idp.web import cookies
from saml_idp.web.answering import finish, page_of, see_page_of


@view_config(route_name="saml.sso", request_method="GET")
def redirect_binding(request: Any) -> Response:
    """Take an AuthnRequest by HTTP-Redirect."""
    attempt = request.idp.begin_login(
        lambda: decode_redirect(request.environ.get("QUERY_STRING", "")),
        endpoint=f"{request.idp.settings.base_url}/saml/sso",
        browser=request.browser,
        session_secret=request.session_secret,
        cookies_were_sent=True,
        origin=request.origin,
    )
    if attempt.state is State.CHAIN_COMPLETE:
        return finish(request, attempt, is_stored=False)
    request.rates.count("request", request.origin.address)
    return see_page_of(request, attempt)


@view_config(route_name="saml.sso", request_method="POST")
def post_binding(request: Any) -> Response:
    """Take an AuthnRequest by HTTP-POST.

    A cross-site POST brings no Lax cookies (E02): the checked request is stored and the
    browser sent to a GET, with which it brings them.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise HTTPUnsupportedMediaType
    opened = Browser(request.idp.entropy.token(160))
    attempt = request.idp.begin_login(
        lambda: decode_post(request.body, accept_deflated=True),
        endpoint=f"{request.idp.settings.base_url}/saml/sso",
        browser=opened,
        session_secret=None,
        cookies_were_sent=False,
        origin=request.origin,
    )
    response = HTTPSeeOther(page_of(request, attempt))
    cookies.keep_opened(request, response, opened)
    return response


@view_config(route_name="saml.metadata", request_method="GET")
def metadata(request: Any) -> Response:
    """Show our signed metadata."""
    octets = request.idp.metadata()
    response = Response(body=octets, content_type="application/samlmetadata+xml")
    response.etag = sha256(octets).hexdigest()[:32]
    response.cache_control.max_age = 3600
    response.conditional_response = True
    return response
