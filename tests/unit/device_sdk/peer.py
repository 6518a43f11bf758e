"""An IdP as a device sees it: in memory, checking every message with the product's own reader.

A ``Transport`` of the SDK; ``served`` puts it behind a real HTTP server on loopback.
"""

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from saml_idp.crypto.device_signatures import (
    claimed_device,
    verified_answer,
    verified_call,
    verified_enrolment,
)
from saml_idp.device_sdk.transport import HttpAnswer, HttpCall
from saml_idp.domain.errors import DeviceMessageRejected

Json = dict[str, Any]
ENTITY_ID = "https://idp.test/saml/metadata"
CODE = "0a1B2c3D4e5F6g7H8i9J0k"
NO_CONTENT = 204


@dataclass
class Peer:
    """One ID, its devices and open approvals. Tests set the fields and read them."""

    base_url: str = "https://idp.test"
    code: str = CODE
    password: str = "quiet lanterns"
    symbols: str = "K3QA"
    trial: bool = True
    trial_is_known: bool = True
    clock_offset: float = 0.0
    devices: dict[str, str] = field(default_factory=dict)
    approvals: list[Json] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    calls: list[HttpCall] = field(default_factory=list)
    interval: float = 1
    next_answer: HttpAnswer | None = None

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.clock_offset)

    def ask(self, **changes: Any) -> Json:
        """Put an approval to the ID."""
        approval: Json = {
            "approval": secrets.token_urlsafe(12),
            "attempt": secrets.token_urlsafe(12),
            "id": "alice",
            "provider": "https://jira.test/sp",
            "provider_name": "Jira",
            "nonce": secrets.token_urlsafe(16),
            "symbols_count": len(self.symbols),
            "place": "192.0.2.1",
            "browser": "Firefox on Linux",
            "requested_at": self.now().isoformat(),
            "expires_at": (self.now() + timedelta(seconds=110)).isoformat(),
            "expires_in": 110,
            "trial": False,
            "other_browser_waiting": False,
        } | changes
        self.approvals.append(approval)
        return approval

    def __call__(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        if self.next_answer is not None:
            answer, self.next_answer = self.next_answer, None
            return answer
        date = {"date": format_datetime(self.now().replace(microsecond=0), usegmt=True)}
        path = call.url.removeprefix(self.base_url)
        try:
            status, value = self._routed(call, path)
        except DeviceMessageRejected as rejected:
            status, value = 400, {"title": "refused", "status": 400, "code": rejected.reason}
        if isinstance(value, str):
            return HttpAnswer(status, date, value.encode())
        return HttpAnswer(status, date, b"" if status == NO_CONTENT else json.dumps(value).encode())

    def _routed(self, call: HttpCall, path: str) -> tuple[int, Any]:
        if (call.method, path) == ("GET", "/device/"):
            return 200, (
                f'<!doctype html><body class="device" data-entity-id="{ENTITY_ID}" '
                'data-idp-name="Example &amp; Co">'
            )
        body = json.loads(call.body) if call.body else {}
        if (call.method, path) == ("POST", "/device/v1/enrol"):
            return self._enrol(body)
        device_id = self._recognised(call)
        match call.method, path.removeprefix("/device/v1/").split("/"):
            case "GET", ["approvals"]:
                return 200, {"approvals": self.approvals, "interval": self.interval}
            case "POST", ["approvals", approval_id, "answer"]:
                return 200, {"result": self._answer(device_id, approval_id, body["message"])}
            case "DELETE", ["devices", "self"]:
                del self.devices[device_id]
                return NO_CONTENT, None
        return 404, {"code": "not_found"}

    def _enrol(self, body: Json) -> tuple[int, Any]:
        message = verified_enrolment(body["message"], expected_audience=ENTITY_ID, now=self.now())
        if message.code != self.code:
            raise DeviceMessageRejected("no such code", reason="code_invalid")
        if body["password"] != self.password:
            raise DeviceMessageRejected("wrong password", reason="wrong_password")
        device_id = secrets.token_urlsafe(9)
        self.devices[device_id] = message.public_key
        self.code = ""
        trial = self.ask(trial=True, attempt="", symbols_count=0) if self.trial else None
        return 201, {
            "device_id": device_id,
            "identity": "alice",
            "idp_name": "Example & Co",
            "entity_id": ENTITY_ID,
            "trial": trial,
        }

    def _recognised(self, call: HttpCall) -> str:
        scheme, _, message = call.headers["Authorization"].partition(" ")
        device_id = claimed_device(message, typ="device+jws")
        if scheme != "Device" or device_id not in self.devices:
            raise DeviceMessageRejected("no such device", reason="unknown_device")
        found = verified_call(
            message,
            public_key=self.devices[device_id],
            expected_audience=ENTITY_ID,
            expected_method=call.method,
            expected_url=call.url,
            now=self.now(),
        )
        if found.jti in self.used:
            raise DeviceMessageRejected("used before", reason="replayed")
        self.used.add(found.jti)
        return device_id

    def _answer(self, device_id: str, approval_id: str, message: str) -> str:
        answer = verified_answer(
            message,
            public_key=self.devices[device_id],
            expected_audience=ENTITY_ID,
            now=self.now(),
        )
        found = [a for a in self.approvals if a["approval"] == approval_id]
        if not self.trial_is_known:
            raise DeviceMessageRejected("no such approval", reason="not_found")
        if not found or answer.nonce != found[0]["nonce"] or answer.device_id != device_id:
            return "over"
        self.approvals.remove(found[0])
        self.answers.append(answer)
        if answer.verdict != "approve":
            return "denied"
        expected = "" if found[0]["trial"] else self.symbols
        return "granted" if answer.symbols == expected else "failed"


@contextmanager
def served(peer: Peer) -> Iterator[str]:
    """Serve *peer* on loopback; give its base URL, which becomes the peer's."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            call = HttpCall(
                self.command,
                peer.base_url + self.path,
                dict(self.headers),
                self.rfile.read(length) if length else None,
            )
            answer = peer(call)
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._do
            raise AttributeError(name)

        def log_message(self, *args: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    peer.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield peer.base_url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
