"""Counters and times of the HTTP front, for Prometheus: of all workers where ``serve`` runs."""

import time
from collections.abc import Callable
from typing import Any, Final

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
    """Tween: count and time each answer by its route."""

    def tween(request: Any) -> Response:
        started = time.perf_counter()
        response = handler(request)
        route = getattr(request.matched_route, "name", None) or "none"
        REQUESTS.labels(route, str(response.status_code)).inc()
        SECONDS.labels(route).observe(time.perf_counter() - started)
        return response

    return tween
