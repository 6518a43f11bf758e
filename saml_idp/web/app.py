"""WSGI factory: settings in, routes and views listed, application out."""

import gc
import threading
from typing import Any

from pyramid.config import Configurator
from pyramid.events import BeforeRender
from pyramid.tweens import EXCVIEW

import saml_idp
from saml_idp.bootstrap import Idp, build
from saml_idp.domain.audit import Origin
from saml_idp.logs import configure_logs
from saml_idp.settings import load_settings_here
from saml_idp.web import cookies, pages
from saml_idp.web.origin import address_of, browser_name
from saml_idp.web.rates import Rates

_VIEWS = ("sso", "login", "device", "site", "errors")


def application() -> Any:
    """Return the WSGI application of a server process, its housekeeping running beside it."""
    settings = load_settings_here(None)
    configure_logs(settings.log_level)
    idp = build(settings)
    idp.watch_files()
    threading.Thread(target=idp.run_housekeeping, name="housekeeping", daemon=True).start()
    served = make_application(idp)
    # What lives as long as the process is not looked through again at every collection.
    gc.collect()
    gc.freeze()
    return served


def make_application(idp: Idp) -> Any:
    """Return the WSGI application around *idp*."""
    config = Configurator(settings={"pyramid.reload_templates": False})
    config.registry.idp = idp
    rates = Rates(idp.settings.calls_per_minute)
    config.registry.version = saml_idp.__version__
    config.include("pyramid_jinja2")
    config.add_jinja2_search_path("saml_idp.web:templates")
    config.add_request_method(lambda request: request.registry.idp, "idp", reify=True)
    config.add_request_method(lambda request: idp.entropy.token(80), "reference", reify=True)
    config.add_request_method(lambda request: idp.entropy.token(128), "csp_nonce", reify=True)
    config.add_request_method(cookies.browser_of, "browser", reify=True)
    config.add_request_method(cookies.session_secret_of, "session_secret", reify=True)
    config.add_request_method(cookies.opened_secret_of, "opened_secret", reify=True)
    config.add_request_method(pages.language_of, "lang", reify=True)
    config.add_request_method(_origin, "origin", reify=True)
    config.add_request_method(lambda request: rates, "rates", reify=True)
    config.add_subscriber(pages.add_globals, BeforeRender)
    config.include("saml_idp.web.routes")
    config.add_tween("saml_idp.web.security.guard", over=EXCVIEW)
    config.add_tween("saml_idp.web.metrics.measured", over="saml_idp.web.security.guard")
    config.add_tween("saml_idp.web.errors.outermost", under=EXCVIEW)
    for name in _VIEWS:
        config.scan(f"saml_idp.web.{name}")
    return config.make_wsgi_app()


def _origin(request: Any) -> Origin:
    return Origin(
        reference=request.reference,
        address=address_of(request),
        actor="browser",
        browser=browser_name(request.user_agent or ""),
    )
