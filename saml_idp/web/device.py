"""The device channel: enrol, look, answer, retire; and the phone page that speaks it.

What protects it instead of an anti-forgery token: each call carries a message signed by the
device over this very method and URL, once.
"""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from saml_idp.domain.approval import Approval
from saml_idp.domain.errors import DeviceMessageRejected
from saml_idp.domain.ids import ApprovalId

POLL_SECONDS = 3
LARGEST_MESSAGE = 16 * 1024


@view_config(route_name="device.app", request_method="GET", renderer="templates/device/app.jinja2")
def app(request: Any) -> dict[str, object]:
    """Show the shell of the phone page."""
    settings = request.idp.settings
    return {
        "entity_id": settings.entity_id,
        "base_url": settings.base_url,
        "idp_name": settings.organisation_name,
    }


@view_config(route_name="device.worker", request_method="GET")
def worker(request: Any) -> Response:
    """Serve the service worker from its scope."""
    octets = resources.files("saml_idp.web").joinpath("static", "device", "sw.js").read_bytes()
    return Response(body=octets, content_type="text/javascript")


@view_config(
    route_name="device.manifest", request_method="GET", renderer="templates/device/manifest.jinja2"
)
def manifest(request: Any) -> dict[str, object]:
    """Serve the manifest that makes the page installable."""
    request.response.content_type = "application/manifest+json"
    return {}


@view_config(route_name="device.enrol", request_method="POST", renderer="json")
def enrol(request: Any) -> dict[str, object]:
    """Bind a device by its invitation."""
    request.rates.count("enrol", request.origin.address)
    body = _body(request)
    enrolled = request.idp.enrol_device(
        _text(body, "message"), password=_text(body, "password"), origin=request.origin
    )
    request.response.status_code = 201
    settings = request.idp.settings
    return {
        "device_id": enrolled.device.device_id,
        "identity": enrolled.device.identity,
        "idp_name": settings.organisation_name,
        "entity_id": settings.entity_id,
        "trial": _shown(request, enrolled.trial) if enrolled.trial is not None else None,
    }


@view_config(route_name="device.approvals", request_method="GET", renderer="json")
def approvals(request: Any) -> dict[str, object]:
    """Show the open approvals of the device's ID."""
    device = request.context.device
    request.rates.count("device", device.device_id)
    found = request.idp.list_approvals(device)
    return {"approvals": [_shown(request, a) for a in found], "interval": POLL_SECONDS}


@view_config(route_name="device.answer", request_method="POST", renderer="json")
def answer(request: Any) -> dict[str, str]:
    """Take the answer to one approval."""
    device = request.context.device
    request.rates.count("device", device.device_id)
    result = request.idp.answer_approval(
        device,
        ApprovalId(request.matchdict["approval"]),
        _text(_body(request), "message"),
        origin=request.origin,
    )
    return {"result": str(result)}


@view_config(route_name="device.self", request_method="DELETE")
def retire(request: Any) -> Response:
    """Retire the calling device."""
    request.idp.retire_device(request.context.device.device_id, origin=request.origin)
    return Response(status=204)


def _shown(request: Any, approval: Approval) -> dict[str, object]:
    """Return what a device may see of an approval: never the symbols."""
    now = request.idp.clock.now()
    return {
        "approval": approval.approval_id,
        "attempt": approval.attempt_id or "",
        "id": approval.identity,
        "provider": approval.provider,
        "provider_name": approval.provider_name,
        "nonce": approval.nonce,
        "symbols_count": approval.symbols_count,
        "place": approval.place,
        "browser": approval.browser,
        "requested_at": approval.created_at.isoformat(),
        "expires_at": approval.expires_at.isoformat(),
        "expires_in": max(0, int((approval.expires_at - now).total_seconds())),
        "trial": approval.attempt_id is None,
        "other_browser_waiting": approval.other_browser_waiting,
    }


def _body(request: Any) -> Mapping[str, object]:
    if request.content_type != "application/json" or len(request.body) > LARGEST_MESSAGE:
        raise DeviceMessageRejected("send JSON of at most 16 KiB", reason="malformed")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise DeviceMessageRejected("the body is not JSON", reason="malformed") from None
    if not isinstance(body, dict):
        raise DeviceMessageRejected("the body is not an object", reason="malformed")
    return body


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise DeviceMessageRejected(f"{name} is not a string", reason="malformed")
    return value
