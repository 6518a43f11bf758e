"""Counters, times and the log of the HTTP front, of all workers together where ``serve`` runs."""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector
from pyramid.response import Response

_log = structlog.get_logger("saml_idp.web")
# Asked over and over by machines; they are counted, and told of when something is refused.
_QUIET: Final = frozenset({"healthz", "readyz", "metrics", "login.poll", "__static/"})

REQUESTS: Final = Counter("saml_idp_requests", "HTTP answers", ("route", "status"))
SECONDS: Final = Histogram(
    "saml_idp_request_seconds",
    "Time to answer",
    ("route",),
    buckets=(0.002, 0.01, 0.05, 0.25, 1, 5),
)


def collected() -> bytes:
    """Return the metrics of every worker in the exposition format."""
    if values.ValueClass.__name__ == "MmapedValue":
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(REGISTRY)


def measured(handler: Callable[[Any], Response], registry: Any) -> Callable[[Any], Response]:
    """Tween: count, time and log each answer by its route; never its query."""

    def tween(request: Any) -> Response:
        started = time.perf_counter()
        response = handler(request)
        route = getattr(request.matched_route, "name", None) or "none"
        REQUESTS.labels(route, str(response.status_code)).inc()
        seconds = time.perf_counter() - started
        SECONDS.labels(route).observe(seconds)
        if route not in _QUIET:
            _log.debug(  # what was refused is logged by its reason; what was issued is audited
                "answered",
                reference=request.reference,
                method=request.method,
                route=route,
                status=response.status_code,
                milliseconds=round(seconds * 1000, 1),
            )
        return response

    return tween
