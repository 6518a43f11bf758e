"""What every template has at hand: texts, language, brand, nonce, token, static URLs."""

from typing import Any, Final
from urllib.parse import parse_qs

from saml_idp.domain.browser import form_token
from saml_idp.web import cookies
from saml_idp.web.texts.table import LANGUAGES, translator

LANGUAGE_NAMES: Final = {"en": "English", "de": "Deutsch"}


def add_globals(event: Any) -> None:
    """Put the common names into a template's values (a BeforeRender subscriber)."""
    request = event.get("request")
    if request is None:
        return
    settings = request.idp.settings
    event.setdefault("lang", request.lang)
    event.setdefault("t", translator(request.lang))
    event.setdefault(
        "brand",
        {"name": settings.organisation_name, "logo_url": settings.organisation_logo or None},
    )
    event.setdefault("csp_nonce", request.csp_nonce)
    event.setdefault("csrf_token", form_token(request.browser, request.idp.cookie_key))
    event.setdefault("static", lambda path: f"/static/{path}?v={request.registry.version}")
    event.setdefault("reference", request.reference)
    event.setdefault("language_links", _language_links(request))


def language_of(request: Any) -> str:
    """Return the language to answer in: chosen now or before, else the browser's, else English."""
    chosen: str = parse_qs(request.query_string).get("lang", [""])[-1]
    if chosen in LANGUAGES:
        request.add_response_callback(
            lambda request, response: cookies.keep_language(request, response, chosen)
        )
        return chosen
    before = cookies.chosen_language_of(request)
    if before in LANGUAGES:
        return before
    header = request.accept_language
    return str(header.lookup(LANGUAGES, default="en")) if header else "en"


def _language_links(request: Any) -> list[dict[str, str]]:
    """Return the links to this page in each language; none on an answer to a form."""
    if request.method != "GET" or request.path_info == "/saml/sso":
        return []
    return [
        {"language": language, "name": LANGUAGE_NAMES[language], "url": f"?lang={language}"}
        for language in LANGUAGES
    ]
