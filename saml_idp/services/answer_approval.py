"""Second step, second half: a device signed its user's answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saml_idp.crypto.device_signatures import verified_answer
from saml_idp.crypto.symbol_box import open_symbols
from saml_idp.domain.approval import Answer, Approval, ApprovalState, Judgement, judge
from saml_idp.domain.attempt import Event, LoginAttempt
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.chain import SealKey, extend
from saml_idp.domain.device import Device
from saml_idp.domain.errors import DeviceMessageRejected, NotFound, TransitionNotAllowed
from saml_idp.domain.evidence import Evidence, Step
from saml_idp.domain.ids import ApprovalId, EntityId
from saml_idp.domain.person import Person
from saml_idp.domain.policy import UserVerification
from saml_idp.domain.throttle import subject_for
from saml_idp.ports.files import PolicyBook
from saml_idp.ports.people import Notifier
from saml_idp.ports.store import Store, Unit
from saml_idp.ports.system import Clock


class Result(StrEnum):
    """What the device is told."""

    GRANTED = "granted"
    DENIED = "denied"
    FAILED = "failed"
    OVER = "over"


_ENDS = {
    Judgement.DENIED: (ApprovalState.DENIED, Event.APPROVAL_DENIED, AuditEvent.APPROVAL_DENIED),
    Judgement.NOT_ME: (ApprovalState.DENIED, Event.APPROVAL_DENIED, AuditEvent.APPROVAL_NOT_ME),
    Judgement.WRONG_SYMBOLS: (
        ApprovalState.FAILED,
        Event.APPROVAL_FAILED,
        AuditEvent.APPROVAL_FAILED,
    ),
}


@dataclass(frozen=True, slots=True)
class AnswerApproval:
    store: Store
    policies: PolicyBook
    clock: Clock
    notifier: Notifier
    seal_key: SealKey
    entity_id: EntityId

    def __call__(
        self, device: Device, approval_id: ApprovalId, message: str, *, origin: Origin
    ) -> Result:
        """Take the answer of *device* (recognised by its call) to one approval, once.

        The try is counted before the symbols are compared and taken back only when they are
        right (W07); whatever the answer, the approval ends with it (D08).

        Raises:
            DeviceMessageRejected: not for this device or approval, or malformed.
        """
        now = self.clock.now()
        approval, attempt = self._load(approval_id)
        try:
            answer = verified_answer(
                message, public_key=device.public_key, expected_audience=self.entity_id, now=now
            )
            judgement = self._judge(approval, attempt, answer, device, now)
        except DeviceMessageRejected as rejected:
            if rejected.reason == "over":
                return Result.OVER
            self._rejected(approval, device, rejected.reason, origin, now)
            raise
        try:
            return self._decide(approval, attempt, answer, device, judgement, origin, now)
        except TransitionNotAllowed:
            return Result.OVER  # another answer, a cancel or the clock was first

    def _load(self, approval_id: ApprovalId) -> tuple[Approval, LoginAttempt | None]:
        try:
            with self.store.view() as unit:
                approval = unit.approvals.get(approval_id)
                attempt_id = approval.attempt_id
                return approval, unit.attempts.get(attempt_id) if attempt_id else None
        except NotFound:
            raise DeviceMessageRejected("no such approval", reason="not_found") from None

    def _judge(
        self,
        approval: Approval,
        attempt: LoginAttempt | None,
        answer: Answer,
        device: Device,
        now: datetime,
    ) -> Judgement:
        required = (
            attempt is not None
            and self.policies.policy_for(attempt.request.issuer).user_verification
            is UserVerification.REQUIRED
        )
        return judge(
            approval,
            answer,
            expected_symbols=open_symbols(self.seal_key, approval.approval_id, approval.symbols),
            device=device,
            require_user_verification=required,
            now=now,
        )

    def _decide(
        self,
        approval: Approval,
        attempt: LoginAttempt | None,
        answer: Answer,
        device: Device,
        judgement: Judgement,
        origin: Origin,
        now: datetime,
    ) -> Result:
        person: Person | None = None
        with self.store.unit() as unit:
            person = self._still_allowed(unit, approval, device)
            if attempt is not None and judgement in (Judgement.GRANTED, Judgement.WRONG_SYMBOLS):
                subject = _subject(person, approval, attempt)
                if unit.tallies.count_try(subject, now):
                    raise TransitionNotAllowed("the account is locked for now")  # D12
                if judgement is Judgement.GRANTED:
                    unit.tallies.take_back(subject)
            state, event, name = _ENDS.get(
                judgement,
                (ApprovalState.GRANTED, Event.APPROVAL_GRANTED, AuditEvent.APPROVAL_GRANTED),
            )
            unit.approvals.move(
                approval.approval_id,
                to=state,
                at=now,
                device_id=device.device_id,
                answer=answer.message,
                public_key=device.public_key,
            )
            if attempt is not None:
                moved = self._moved(attempt, approval, answer, event, judgement, now)
                unit.attempts.replace(attempt, moved)
            if judgement is Judgement.NOT_ME:
                unit.approvals.add_not_me(approval.identity, now)
            unit.audit.append(_record(name, approval, device, str(judgement), origin, now))
        if judgement is Judgement.NOT_ME:
            self.notifier.tell(person, "not_me", provider=approval.provider_name)
        return Result.FAILED if judgement is Judgement.WRONG_SYMBOLS else _result(state)

    @staticmethod
    def _still_allowed(unit: Unit, approval: Approval, device: Device) -> Person:
        """Read user and device again, inside the unit: revoked or disabled means no (D12)."""
        person = unit.people.get(device.user_id)
        live = unit.devices.get(device.device_id).is_live
        if not live or not person.enabled or person.identity != approval.identity:
            raise TransitionNotAllowed("user or device may not answer any more")
        return person

    def _moved(
        self,
        attempt: LoginAttempt,
        approval: Approval,
        answer: Answer,
        event: Event,
        judgement: Judgement,
        now: datetime,
    ) -> LoginAttempt:
        user_id = attempt.user_id
        if user_id is None or user_id != approval.user_id or now >= attempt.expires_at:
            raise TransitionNotAllowed("the login has moved on")
        if judgement is Judgement.GRANTED:
            evidence = Evidence(
                Step.APPROVAL,
                user_id,
                now,
                approval.approval_id,
                answer.method,
                symbols=approval.symbols_count,
                user_verified=answer.user_verified,
                device_id=answer.device_id,
            )
            return attempt.after(event, chain=extend(attempt.chain, evidence, self.seal_key))
        if judgement is Judgement.WRONG_SYMBOLS:
            return attempt.after(event)
        because = "not_me" if judgement is Judgement.NOT_ME else "denied"
        return attempt.after(event, ended_because=because)

    def _rejected(
        self, approval: Approval, device: Device, reason: str, origin: Origin, now: datetime
    ) -> None:
        """Record a refused message; a bad signature of a live owner's device ends the approval."""
        with self.store.unit() as unit:
            unit.audit.append(
                _record(AuditEvent.DEVICE_REJECTED, approval, device, reason, origin, now)
            )
        if reason != "bad_signature" or device.user_id != approval.user_id:
            return
        try:
            with self.store.unit() as unit:
                unit.approvals.move(
                    approval.approval_id,
                    to=ApprovalState.FAILED,
                    at=now,
                    device_id=device.device_id,
                )
        except TransitionNotAllowed:
            return  # it was over already


def _subject(person: Person, approval: Approval, attempt: LoginAttempt) -> str:
    mark = attempt.browser if approval.known_browser else None
    return subject_for(person.username, known_browser=mark)


def _result(state: ApprovalState) -> Result:
    return Result.GRANTED if state is ApprovalState.GRANTED else Result.DENIED


def _record(
    event: AuditEvent,
    approval: Approval,
    device: Device,
    reason: str,
    origin: Origin,
    now: datetime,
) -> AuditRecord:
    good = event is AuditEvent.APPROVAL_GRANTED
    return AuditRecord(
        now,
        event,
        origin,
        subject=device.user_id,
        provider=approval.provider,
        attempt=approval.attempt_id or "",
        outcome="ok" if good else "refused",
        reason="" if good else reason,
        details={"approval": approval.approval_id, "device": device.device_id},
    )
