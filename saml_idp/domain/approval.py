"""The question put to an ID and what counts as its answer (docs/device-protocol.md).

    pending ──► fetched ──► granted ──► spent
       │           ├──────► denied        (also: "not me")
       │           ├──────► failed        (wrong symbols, bad signature of a live device)
       └───────────┴──────► expired | cancelled | superseded

Storage moves a state by one conditional update that changes one row or nothing.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from saml_idp.domain.device import Device
from saml_idp.domain.errors import DeviceMessageRejected
from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import ApprovalId, ApprovalIdentity, AttemptId, DeviceId, EntityId, UserId

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # RFC 4648 Base32: one character a symbol


class ApprovalState(StrEnum):
    """Where an approval stands."""

    PENDING = "pending"
    FETCHED = "fetched"  # a live device has seen it
    GRANTED = "granted"
    SPENT = "spent"  # an assertion's receipt refers to it
    DENIED = "denied"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


OPEN: Final = frozenset({ApprovalState.PENDING, ApprovalState.FETCHED})
SUCCESSORS: Final = {
    ApprovalState.PENDING: frozenset(ApprovalState) - {ApprovalState.PENDING, ApprovalState.SPENT},
    ApprovalState.FETCHED: frozenset(ApprovalState)
    - {ApprovalState.PENDING, ApprovalState.FETCHED, ApprovalState.SPENT},
    ApprovalState.GRANTED: frozenset({ApprovalState.SPENT, ApprovalState.CANCELLED}),
}


@dataclass(frozen=True, slots=True)
class Approval:
    """One question put to an ID.

    ``attempt_id`` None: a trial approval after enrolment, which belongs to no login.
    ``user_id`` None: a decoy for a name that nobody has; no device ever sees it.
    ``symbols``: sealed for its approval, never in the clear. ``nonce``: 128 bits, base64url.
    ``answer``: the device's message as received, ``public_key``: the key it verified with;
    both set when a device answered.
    """

    approval_id: ApprovalId
    attempt_id: AttemptId | None
    user_id: UserId | None
    identity: ApprovalIdentity
    provider: EntityId
    provider_name: str
    place: str
    browser: str
    nonce: str
    symbols: str = field(repr=False)
    symbols_count: int
    methods: frozenset[Method]
    state: ApprovalState
    known_browser: bool
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None = None
    device_id: DeviceId | None = None
    answer: str | None = None
    public_key: str | None = None
    other_browser_waiting: bool = False

    def state_at(self, now: datetime) -> ApprovalState:
        """Return the state as of *now*: an open approval past its time is expired."""
        if self.state in OPEN and now >= self.expires_at:
            return ApprovalState.EXPIRED
        return self.state


class Verdict(StrEnum):
    """What the user said. Anything but the exact word ``approve`` means no (D07)."""

    APPROVE = "approve"
    DENY = "deny"
    NOT_ME = "not-me"


@dataclass(frozen=True, slots=True)
class Answer:
    """The claims of an ``answer+jws`` whose signature verified with the device's key."""

    device_id: DeviceId
    approval_id: ApprovalId
    attempt_id: str
    identity: str
    provider: str
    provider_name: str
    nonce: str
    verdict: str
    symbols: str = field(repr=False)
    method: Method
    user_verified: bool
    expires_at: datetime
    message: str = field(repr=False)  # as received: the stored evidence


class Judgement(StrEnum):
    """What an answer amounts to."""

    GRANTED = "granted"
    DENIED = "denied"
    NOT_ME = "not_me"
    WRONG_SYMBOLS = "wrong_symbols"


def judge(
    approval: Approval,
    answer: Answer,
    *,
    expected_symbols: str,
    device: Device,
    require_user_verification: bool,
    now: datetime,
) -> Judgement:
    """Return what *answer* amounts to for *approval*.

    Args:
        expected_symbols: the row that the login page shows; characters of ``ALPHABET``.
        device: the device whose key verified the answer, as stored.
        require_user_verification: the policy asks for fingerprint, face or PIN.
        now: the present instant, aware, UTC.

    Raises:
        DeviceMessageRejected: the answer is not for this approval, this device may not
            answer it, or it is too late. ``reason`` is a stable problem code.
    """
    _refuse_foreign_device(approval, device, answer)
    _refuse_differing(approval, answer)
    # A clock that was set back adds nothing to a lifetime: no answer is older than its question.
    if approval.state_at(now) not in OPEN or not approval.created_at <= now < answer.expires_at:
        raise DeviceMessageRejected("the approval is over", reason="over")
    if answer.method not in approval.methods:
        raise DeviceMessageRejected("this kind of device may not answer", reason="method")
    if answer.verdict != Verdict.APPROVE:
        return Judgement.NOT_ME if answer.verdict == Verdict.NOT_ME else Judgement.DENIED
    if require_user_verification and not answer.user_verified:
        raise DeviceMessageRejected("user verification is required", reason="user_verification")
    if not hmac.compare_digest(answer.symbols.encode(), expected_symbols.encode()):
        return Judgement.WRONG_SYMBOLS
    return Judgement.GRANTED


def _refuse_foreign_device(approval: Approval, device: Device, answer: Answer) -> None:
    """D05: another user's, a revoked, or a later enrolled device may not answer."""
    allowed = (
        approval.user_id is not None
        and device.is_live
        and device.device_id == answer.device_id
        and device.user_id == approval.user_id
        and device.identity == approval.identity
        and (approval.attempt_id is None or device.enrolled_at <= approval.created_at)
    )
    if not allowed:
        raise DeviceMessageRejected("this device may not answer", reason="not_found")


def _refuse_differing(approval: Approval, answer: Answer) -> None:
    """D04: what the user saw is what is signed; each field must be that of the question."""
    pairs: Sequence[tuple[str, str, str]] = (
        ("approval", answer.approval_id, approval.approval_id),
        ("attempt", answer.attempt_id, approval.attempt_id or ""),
        ("id", answer.identity, approval.identity),
        ("provider", answer.provider, approval.provider),
        ("provider_name", answer.provider_name, approval.provider_name),
        ("nonce", answer.nonce, approval.nonce),
    )
    for name, given, expected in pairs:
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise DeviceMessageRejected(f"{name} is not that of the approval", reason="mismatch")
