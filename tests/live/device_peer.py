"""The server's side of the device protocol, for tests of the phone web app without an IdP.

Checks what the app signs with nothing but ``cryptography``: a second reading of the protocol.
"""

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

Json = dict[str, Any]

_ANSWER_CLAIMS = {"aud", "iat", "jti", "iss", "exp", "approval", "attempt", "id"} | {
    "provider", "provider_name", "nonce", "verdict", "symbols",
}  # fmt: skip


class Problem(Exception):
    """An error answer (RFC 9457)."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.value = {"type": "about:blank", "title": code, "status": status, "code": code}


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _key(jwk: Json) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(_bytes(jwk[name]), "big") for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


@dataclass
class DevicePeer:
    """One ID with its devices and open approvals. Tests set its fields and read ``answers``."""

    entity_id: str = "https://idp.test/metadata"
    code: str = "0123456789abcdef0123456789"
    password: str = "correct horse"
    identity: str = "alice"
    symbols: str = "K3QA"
    devices: dict[str, Json] = field(default_factory=dict)
    approvals: list[Json] = field(default_factory=list)
    answers: list[Json] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    trial: bool = True
    online: bool = True

    def ask(self, **changes: object) -> Json:
        """Put an approval to the ID and return it."""
        now = datetime.now(UTC)
        approval: Json = {
            "approval": secrets.token_urlsafe(12),
            "attempt": secrets.token_urlsafe(12),
            "id": self.identity,
            "provider": "https://jira.test/sp",
            "provider_name": "Jira",
            "nonce": secrets.token_urlsafe(16),
            "symbols_count": len(self.symbols),
            "place": "203.0.113.9 (Hamburg)",
            "browser": "Firefox on Windows",
            "requested_at": now.isoformat(),
            "expires_at": (now + timedelta(seconds=110)).isoformat(),
            "expires_in": 110,
            "trial": False,
            "other_browser_waiting": False,
        } | changes
        self.approvals.append(approval)
        return approval

    def call(self, method: str, path: str, auth: str, body: str, base: str) -> tuple[int, Any]:
        """Return status and JSON of a call to the device API.

        Raises:
            Problem: the call is refused.
        """
        if not self.online:
            raise Problem(503, "store_unavailable")
        if (method, path) == ("POST", "/device/v1/enrol"):
            return self._enrol(json.loads(body))
        if not path.startswith("/device/v1/"):
            raise Problem(404, "not_found")
        device_id = self._authenticated(auth, method, base + path)
        match method, path.removeprefix("/device/v1/").split("/"):
            case "GET", ["approvals"]:
                return 200, {"approvals": self.approvals, "interval": 1}
            case "POST", ["approvals", approval_id, "answer"]:
                return self._answer(device_id, approval_id, json.loads(body))
            case "DELETE", ["devices", "self"]:
                del self.devices[device_id]
                return 204, None
        raise Problem(404, "not_found")

    def _enrol(self, body: Json) -> tuple[int, Any]:
        header = json.loads(_bytes(body["message"].split(".")[0]))
        if set(header) != {"alg", "typ", "jwk"} or set(header["jwk"]) != {"kty", "crv", "x", "y"}:
            raise Problem(400, "malformed")
        claims = self._read(body["message"], "enrol+jws", header["jwk"], with_jwk=True)
        if set(claims) != {"aud", "iat", "jti", "code", "device_name"}:
            raise Problem(400, "malformed")
        if claims["code"] != self.code:
            raise Problem(403, "code_invalid")
        if body["password"] != self.password:
            raise Problem(403, "wrong_password")
        device_id = secrets.token_urlsafe(9)
        self.devices[device_id] = header["jwk"] | {"name": claims["device_name"]}
        trial = self.ask(trial=True, symbols_count=0) if self.trial else None
        return 201, {
            "device_id": device_id,
            "identity": self.identity,
            "idp_name": "Example Organisation",
            "entity_id": self.entity_id,
            "trial": trial,
        }

    def _authenticated(self, auth: str, method: str, url: str) -> str:
        kind, _, message = auth.partition(" ")
        if kind != "Device":
            raise Problem(401, "unauthenticated")
        device_id = json.loads(_bytes(message.split(".")[1]))["iss"]
        if device_id not in self.devices:
            raise Problem(401, "unknown_device")
        claims = self._read(message, "device+jws", self.devices[device_id])
        if set(claims) != {"aud", "iat", "jti", "iss", "htm", "htu"}:
            raise Problem(401, "malformed")
        if (claims["htm"], claims["htu"]) != (method, url):
            raise Problem(401, "wrong_target")
        return str(device_id)

    def _answer(self, device_id: str, approval_id: str, body: Json) -> tuple[int, Any]:
        found = [a for a in self.approvals if a["approval"] == approval_id]
        if not found:
            return 200, {"result": "over"}
        claims = self._read(body["message"], "answer+jws", self.devices[device_id])
        if set(claims) != _ANSWER_CLAIMS:
            raise Problem(400, "malformed")
        for name in ("approval", "attempt", "id", "provider", "provider_name", "nonce"):
            if claims[name] != found[0][name]:
                raise Problem(400, "not_what_was_asked")
        if claims["exp"] != claims["iat"] + 60 or claims["iss"] != device_id:
            raise Problem(400, "malformed")
        self.approvals.remove(found[0])
        self.answers.append(claims)
        expected = self.symbols if found[0]["symbols_count"] else ""
        if claims["verdict"] != "approve":
            return 200, {"result": "denied"}
        return 200, {"result": "granted" if claims["symbols"] == expected else "failed"}

    def _read(self, message: str, typ: str, jwk: Json, *, with_jwk: bool = False) -> Json:
        header_text, claims_text, signature_text = message.split(".")
        header = json.loads(_bytes(header_text))
        expected = {"alg": "ES256", "typ": typ} | ({"jwk": header.get("jwk")} if with_jwk else {})
        if header != expected:
            raise Problem(401, "malformed")
        raw = _bytes(signature_text)
        if len(raw) != 64:
            raise Problem(401, "bad_signature")
        signature = utils.encode_dss_signature(
            int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        )
        try:
            _key(jwk).verify(signature, f"{header_text}.{claims_text}".encode(), ec.ECDSA(SHA256()))
        except InvalidSignature:
            raise Problem(401, "bad_signature") from None
        claims: Json = json.loads(_bytes(claims_text))
        if claims["aud"] != self.entity_id or claims["jti"] in self.used:
            raise Problem(401, "replayed")
        if not isinstance(claims["iat"], int) or abs(time.time() - claims["iat"]) > 60:
            raise Problem(401, "out_of_date")
        self.used.add(claims["jti"])
        return claims
