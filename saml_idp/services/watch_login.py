"""What the waiting browser may know of its own login: pending, decided or over (D21)."""

from dataclasses import dataclass
from enum import StrEnum

from saml_idp.domain.approval import OPEN
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.ids import ApprovalIdentity
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock


class Waiting(StrEnum):
    """The answer to a poll."""

    PENDING = "pending"
    DECIDED = "decided"  # the login has gone on: the page should follow
    OVER = "over"  # this approval is over, or another browser's no longer bars ours


@dataclass(frozen=True, slots=True)
class WatchLogin:
    store: Store
    clock: Clock

    def __call__(self, attempt: LoginAttempt) -> Waiting:
        """Return where the login stands, *attempt* being it as just read."""
        now = self.clock.now()
        if attempt.state is not State.AWAITING_APPROVAL:
            return Waiting.DECIDED
        if now >= attempt.expires_at:
            return Waiting.OVER
        with self.store.view() as unit:
            latest = unit.approvals.find_latest(attempt.attempt_id)
            if latest is not None:
                return Waiting.PENDING if latest.state_at(now) in OPEN else Waiting.OVER
            # Waiting for another browser: over as soon as that ID's approval is.
            person = unit.people.get(attempt.user_id) if attempt.user_id is not None else None
            identity = person.identity if person is not None else None
            decoy = ApprovalIdentity(f"?{attempt.entered_name}")
            others = [unit.approvals.find_open(i, now) for i in (identity, decoy) if i]
        return Waiting.PENDING if any(others) else Waiting.OVER
