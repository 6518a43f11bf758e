"""The calls of the device protocol. Every call but the enrolment is signed by the device's key."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from saml_idp.device_sdk.answers import ClockWrong, accepted, text_of
from saml_idp.device_sdk.errors import ServerUnreachable
from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.links import checked_base_url
from saml_idp.device_sdk.messages import Messages, OpenApproval, Verdict
from saml_idp.device_sdk.transport import HttpCall, Transport, UrllibTransport

_CALLS: Final = "/device/v1"


class Result(StrEnum):
    """What an answer came to."""

    GRANTED = "granted"
    DENIED = "denied"
    FAILED = "failed"  # wrong symbols
    OVER = "over"  # answered elsewhere, cancelled or too late


@dataclass(frozen=True, slots=True)
class EnrolledId:
    """An ID that this device may answer for, and what it needs to do so."""

    base_url: str
    entity_id: str
    idp_name: str
    identity: str
    device_id: str
    device_name: str
    key: DeviceKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An ID that was just enrolled, and the trial approval that follows, if there is one."""

    enrolled: EnrolledId
    trial: OpenApproval | None


@dataclass(frozen=True, slots=True)
class OpenApprovals:
    """The questions to the ID now. ``interval``: seconds until it is polite to ask again."""

    approvals: tuple[OpenApproval, ...]
    interval: float


@dataclass(slots=True)
class DeviceClient:
    """Speaks with one IdP. ``entity_id``: of the IdP, the audience of every message.

    ``clock``: seconds since 1970. Where it is wrong the IdP's own time is used after its first
    refusal: a device's clock often is, and it is the IdP that the time protects.
    """

    base_url: str
    entity_id: str
    transport: Transport = field(default_factory=UrllibTransport, kw_only=True)
    clock: Callable[[], float] = field(default=time.time, kw_only=True)
    _offset: float = field(default=0.0, init=False, repr=False)

    def __post_init__(self) -> None:
        self.base_url = checked_base_url(self.base_url)

    def enrol(self, code: str, *, key: DeviceKey, device_name: str, password: str) -> Enrolment:
        """Bind *key* to the ID that *code* invites. *password*: the user's, "" where none is set.

        Raises:
            CallFailed: ``code_invalid``, ``wrong_password``, ``throttled`` and others.
            ServerUnreachable: no answer. The code may be used by now: keep the key and look.
        """

        def make() -> HttpCall:
            message = Messages(key, self.entity_id).enrolment(code, device_name, now=self._now())
            return self._call("POST", "/enrol", body={"message": message, "password": password})

        answer = self._sent(make)
        trial = answer.get("trial")
        enrolled = EnrolledId(
            base_url=self.base_url,
            entity_id=self.entity_id,
            idp_name=text_of(answer, "idp_name"),
            identity=text_of(answer, "identity"),
            device_id=text_of(answer, "device_id"),
            device_name=device_name,
            key=key,
        )
        return Enrolment(enrolled, None if trial is None else OpenApproval.read(trial))

    def approvals(self, own: EnrolledId) -> OpenApprovals:
        """Return the questions to the ID of *own*.

        Raises:
            CallFailed: ``unknown_device`` when this device was removed, and others.
            ServerUnreachable: no answer.
        """
        answer = self._sent(lambda: self._authorised(own, "GET", "/approvals"))
        found, interval = answer.get("approvals"), answer.get("interval")
        if not isinstance(found, list) or not isinstance(interval, int | float):
            raise ServerUnreachable("the answer is not a list of approvals")
        return OpenApprovals(tuple(OpenApproval.read(each) for each in found), float(interval))

    def answer(
        self, own: EnrolledId, approval: OpenApproval, verdict: Verdict, *, symbols: str = ""
    ) -> Result:
        """Sign *verdict* with the *symbols* that the user entered; return what it came to.

        Raises:
            CallFailed: the IdP refused the answer.
            ServerUnreachable: no answer. It may have counted: look at the approvals again.
        """
        path = f"/approvals/{quote(approval.approval, safe='')}/answer"

        def make() -> HttpCall:
            message = Messages(own.key, self.entity_id).answer(
                own.device_id, approval, verdict, symbols=symbols, now=self._now()
            )
            return self._authorised(own, "POST", path, body={"message": message})

        word = text_of(self._sent(make), "result")
        try:
            return Result(word)
        except ValueError:
            raise ServerUnreachable("a result that this device does not know") from None

    def retire(self, own: EnrolledId) -> None:
        """Take this device off its ID, at once and for good.

        Raises:
            CallFailed: ``lock_out`` for the last device of the last administrator, and others.
            ServerUnreachable: no answer.
        """
        self._sent(lambda: self._authorised(own, "DELETE", "/devices/self"))

    def _now(self) -> int:
        return int(self.clock() + self._offset)

    def _call(
        self,
        method: str,
        path: str,
        *,
        authorization: str = "",
        body: Mapping[str, str] | None = None,
    ) -> HttpCall:
        headers = {"Accept": "application/json, application/problem+json"}
        if authorization:
            headers["Authorization"] = authorization
        if body is None:
            return HttpCall(method, f"{self.base_url}{_CALLS}{path}", headers)
        headers["Content-Type"] = "application/json"
        octets = json.dumps(body).encode()
        return HttpCall(method, f"{self.base_url}{_CALLS}{path}", headers, octets)

    def _authorised(
        self, own: EnrolledId, method: str, path: str, *, body: Mapping[str, str] | None = None
    ) -> HttpCall:
        url = f"{self.base_url}{_CALLS}{path}"
        message = Messages(own.key, self.entity_id).call(
            own.device_id, method, url, now=self._now()
        )
        return self._call(method, path, authorization=f"Device {message}", body=body)

    def _sent(self, make: Callable[[], HttpCall]) -> Mapping[str, object]:
        """Send what *make* returns; once more when only our clock was wrong."""
        try:
            return accepted(self.transport(make()))
        except ClockWrong as wrong:
            self._offset = wrong.server_time - self.clock()
        return accepted(self.transport(make()))
