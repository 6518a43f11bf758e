"""The map of the site: every URL in one file.

Every state-changing route is POST with an anti-forgery token, except the SAML endpoints
(protected by the request's own checks and by what a login still demands) and the device API
(each call signed by the device).
"""

from pyramid.config import Configurator

from saml_idp.web.contexts import DeviceContext, LoginContext


def includeme(config: Configurator) -> None:
    """Add every route."""
    config.add_route("home", "/")
    config.add_route("healthz", "/healthz")
    config.add_route("readyz", "/readyz")
    config.add_route("metrics", "/metrics")
    config.add_route("brand.css", "/static/brand.css")

    config.add_route("saml.metadata", "/saml/metadata")
    config.add_route("saml.sso", "/saml/sso")

    login = "/login/{attempt}"
    config.add_route("login.enter", login, factory=LoginContext)
    for page in ("password", "name", "approval", "poll", "finish", "restart", "cancel", "ended"):
        config.add_route(f"login.{page}", f"{login}/{page}", factory=LoginContext)
    config.add_route("login.back", f"{login}/back", factory=LoginContext)

    config.add_route("device.app", "/device/")
    config.add_route("device.worker", "/device/sw.js")
    config.add_route("device.manifest", "/device/manifest.webmanifest")
    config.add_route("device.enrol", "/device/v1/enrol")
    config.add_route("device.approvals", "/device/v1/approvals", factory=DeviceContext)
    config.add_route(
        "device.answer", "/device/v1/approvals/{approval}/answer", factory=DeviceContext
    )
    config.add_route("device.self", "/device/v1/devices/self", factory=DeviceContext)

    config.add_static_view("static", "saml_idp.web:static", cache_max_age=3600)
