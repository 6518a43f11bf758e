"""The pages around the logins: home, brand, health, metrics."""

import re
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST
from pyramid.httpexceptions import HTTPForbidden
from pyramid.response import Response
from pyramid.view import view_config

from saml_idp.web import metrics

_COLOUR: Final = re.compile(r"#[0-9A-Fa-f]{6}")


@view_config(route_name="home", request_method="GET", renderer="templates/home.jinja2")
def home(request: Any) -> dict[str, object]:
    """Show what this site is for."""
    return {"services": [], "device_url": request.route_path("device.app"), "admin_url": None}


@view_config(route_name="brand.css", request_method="GET")
def brand(request: Any) -> Response:
    """Serve the organisation's accent colour as a custom property."""
    colour = request.idp.settings.organisation_colour
    text = f":root {{ --accent: {colour}; }}\n" if _COLOUR.fullmatch(colour or "") else ""
    response = Response(text=text, content_type="text/css")
    response.cache_control.max_age = 300
    return response


@view_config(route_name="healthz", request_method="GET")
def healthz(request: Any) -> Response:
    """Say that the process answers."""
    return Response(text="ok\n", content_type="text/plain")


@view_config(route_name="readyz", request_method="GET")
def readyz(request: Any) -> Response:
    """Say whether this node can sign people in: 200 or 503 with the reasons."""
    problems = request.idp.is_not_ready()
    text = "".join(f"{problem}\n" for problem in problems) or "ready\n"
    return Response(text=text, status=503 if problems else 200, content_type="text/plain")


@view_config(route_name="metrics", request_method="GET")
def show_metrics(request: Any) -> Response:
    """Serve the metrics to a scraper on this host; a proxy does not pass them on."""
    direct = "X-Forwarded-For" not in request.headers
    if request.environ.get("REMOTE_ADDR") not in ("127.0.0.1", "::1") or not direct:
        raise HTTPForbidden
    return Response(body=metrics.collected(), headerlist=[("Content-Type", CONTENT_TYPE_LATEST)])
