"""What the user may do to their own login besides passing steps: name, another name, cancel."""

from dataclasses import dataclass

from saml_idp.domain.approval import OPEN, ApprovalState
from saml_idp.domain.attempt import Event, LoginAttempt
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.chain import restarted
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.domain.ids import AttemptId, canonical_name
from saml_idp.ports.people import Directory
from saml_idp.ports.store import Store, Unit
from saml_idp.ports.system import Clock


@dataclass(frozen=True, slots=True)
class GiveName:
    store: Store
    directory: Directory
    clock: Clock

    def __call__(self, attempt_id: AttemptId, name: str) -> LoginAttempt:
        """Take the user's ID or user name where the approval is the whole chain.

        A name that nobody has goes the same way: its approval is a decoy (W06, L11).
        """
        entered = canonical_name(name)[:256]
        person = self.directory.find(entered) if entered else None
        with self.store.unit() as unit:
            attempt = _in_time(unit, attempt_id, self.clock)
            moved = attempt.after(
                Event.NAME_GIVEN,
                user_id=person.user_id if person is not None else None,
                entered_name=entered,
            )
            unit.attempts.replace(attempt, moved)
        return moved


@dataclass(frozen=True, slots=True)
class RestartLogin:
    store: Store
    clock: Clock

    def __call__(self, attempt_id: AttemptId, *, origin: Origin) -> LoginAttempt:
        """Begin the chain anew for another user: every step done is discarded (L04)."""
        with self.store.unit() as unit:
            attempt = _in_time(unit, attempt_id, self.clock)
            moved = attempt.after(
                Event.RESTARTED, chain=restarted(attempt.chain), user_id=None, entered_name=None
            )
            _end_open_approval(unit, attempt, self.clock)
            unit.attempts.replace(attempt, moved)
            unit.audit.append(_record(self.clock, AuditEvent.LOGIN_RESTARTED, attempt, origin))
        return moved


@dataclass(frozen=True, slots=True)
class CancelLogin:
    store: Store
    clock: Clock

    def __call__(self, attempt_id: AttemptId, *, origin: Origin) -> LoginAttempt:
        """End the login at the user's wish."""
        with self.store.unit() as unit:
            attempt = _in_time(unit, attempt_id, self.clock)
            moved = attempt.after(Event.LOGIN_REFUSED, ended_because="cancelled")
            _end_open_approval(unit, attempt, self.clock)
            unit.attempts.replace(attempt, moved)
            unit.audit.append(_record(self.clock, AuditEvent.LOGIN_REFUSED, moved, origin))
        return moved


def _in_time(unit: Unit, attempt_id: AttemptId, clock: Clock) -> LoginAttempt:
    """L05: a login past its time moves no more, whether it was swept yet or not."""
    attempt = unit.attempts.get(attempt_id)
    if clock.now() >= attempt.expires_at:
        raise TransitionNotAllowed("the login took too long")
    return attempt


def _end_open_approval(unit: Unit, attempt: LoginAttempt, clock: Clock) -> None:
    now = clock.now()
    latest = unit.approvals.find_latest(attempt.attempt_id)
    if latest is not None and latest.state_at(now) in OPEN:
        unit.approvals.move(latest.approval_id, to=ApprovalState.CANCELLED, at=now)


def _record(clock: Clock, event: AuditEvent, attempt: LoginAttempt, origin: Origin) -> AuditRecord:
    return AuditRecord(
        clock.now(),
        event,
        origin,
        subject=attempt.user_id or attempt.entered_name or "",
        provider=attempt.request.issuer,
        attempt=attempt.attempt_id,
        outcome="refused",
        reason=attempt.ended_because or "",
    )
