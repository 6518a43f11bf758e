"""The three messages that a device signs, and the question that one of them answers."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from saml_idp.device_sdk.errors import ServerUnreachable
from saml_idp.device_sdk.keys import DeviceKey, base64url, signed

ANSWER_LIFETIME_SECONDS: Final = 60


class Verdict(StrEnum):
    """What the user says."""

    APPROVE = "approve"
    DENY = "deny"
    NOT_ME = "not-me"


@dataclass(frozen=True, slots=True)
class OpenApproval:
    """A question to the ID, as the IdP sent it. Show it; what was shown is what is signed.

    ``attempt``: empty for a trial, which belongs to no login. ``symbols_count``: how many
    access symbols the login page shows, 0 for a trial. ``expires_in``: seconds, when sent.
    """

    approval: str
    attempt: str
    identity: str
    provider: str
    provider_name: str
    nonce: str
    symbols_count: int
    place: str
    browser: str
    requested_at: datetime
    expires_at: datetime
    expires_in: int
    trial: bool
    other_browser_waiting: bool

    @classmethod
    def read(cls, value: object) -> Self:
        """Return the approval in *value*, JSON of the IdP; members not known here are left out.

        Raises:
            ServerUnreachable: a member is missing or of another type.
        """
        if not isinstance(value, Mapping):
            raise ServerUnreachable("the answer holds no approval")
        fields = {**value, "identity": value.get("id")}
        try:
            fields["requested_at"] = datetime.fromisoformat(fields["requested_at"])
            fields["expires_at"] = datetime.fromisoformat(fields["expires_at"])
            given = {name: fields[name] for name in cls.__annotations__}
        except (KeyError, TypeError, ValueError):
            raise ServerUnreachable("the answer holds no complete approval") from None
        for name, kind in cls.__annotations__.items():
            if type(given[name]) is not kind:
                raise ServerUnreachable(f"{name!r} of the approval is of another type")
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Messages:
    """Makes messages of one device for one IdP. *audience*: the entity ID of the IdP.

    ``now`` is in whole seconds since 1970, UTC; the IdP accepts a message for 60 seconds.
    """

    key: DeviceKey
    audience: str

    def enrolment(self, code: str, device_name: str, *, now: int) -> str:
        """Return an ``enrol+jws``: binds the key to the ID that *code* invites."""
        header = self._header("enrol+jws") | {"jwk": self.key.public_jwk()}
        claims = {**self._common(now), "code": code, "device_name": device_name}
        return signed(header, claims, self.key)

    def call(self, device_id: str, method: str, url: str, *, now: int) -> str:
        """Return a ``device+jws`` for one call. *url*: absolute, without query and fragment."""
        claims = {**self._common(now), "iss": device_id, "htm": method, "htu": url}
        return signed(self._header("device+jws"), claims, self.key)

    def answer(
        self,
        device_id: str,
        approval: OpenApproval,
        verdict: Verdict,
        *,
        symbols: str = "",
        now: int,
    ) -> str:
        """Return an ``answer+jws``. *symbols*: as the user entered them; none unless approving."""
        claims = {
            **self._common(now),
            "iss": device_id,
            "approval": approval.approval,
            "attempt": approval.attempt,
            "id": approval.identity,
            "provider": approval.provider,
            "provider_name": approval.provider_name,
            "nonce": approval.nonce,
            "verdict": str(verdict),
            "symbols": symbols if verdict is Verdict.APPROVE else "",
            "exp": now + ANSWER_LIFETIME_SECONDS,
        }
        return signed(self._header("answer+jws"), claims, self.key)

    def _header(self, typ: str) -> dict[str, object]:
        return {"alg": self.key.algorithm, "typ": typ}

    def _common(self, now: int) -> dict[str, object]:
        return {"aud": self.audience, "iat": now, "jti": base64url(secrets.token_bytes(16))}
