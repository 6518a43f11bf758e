"""What a login leaves in the database: attempts, approvals, sessions, failures in a row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from saml_idp.domain.approval import Approval, ApprovalState
from saml_idp.domain.attempt import LoginAttempt
from saml_idp.domain.ids import (
    ApprovalId,
    ApprovalIdentity,
    AttemptId,
    DeviceId,
    Digest,
    SessionId,
    UserId,
)
from saml_idp.domain.session import Session
from saml_idp.domain.throttle import Tally


class AttemptStore(Protocol):
    """Login attempts."""

    def add(self, attempt: LoginAttempt) -> None:
        """Store a new attempt.

        Raises:
            RequestRejected: reason ``replayed``; this provider's request ID was used before.
        """

    def get(self, attempt_id: AttemptId) -> LoginAttempt:
        """Return the attempt as stored."""

    def replace(self, old: LoginAttempt, new: LoginAttempt) -> None:
        """Store *new* if the stored version is still *old*'s; else TransitionNotAllowed."""

    def count_open(self) -> int:
        """Return how many attempts are stored and not over (E06)."""

    def delete_before(self, instant: datetime, *, limit: int) -> int:
        """Delete attempts that expired before *instant* and have no receipt, verified
        password or approval; return how many.
        """


class ApprovalStore(Protocol):
    """Approvals. At most one open (pending, fetched) approval an identity: a constraint."""

    def add(self, approval: Approval) -> bool:
        """Store a new approval; False when the identity has an open one already.

        An open one whose ``expires_at`` has passed by ``approval.created_at`` is moved to
        ``expired`` first.
        """

    def get(self, approval_id: ApprovalId) -> Approval:
        """Return the approval as stored (use ``state_at``)."""

    def find_open(self, identity: ApprovalIdentity, now: datetime) -> Approval | None:
        """Return the identity's open approval that is not past its time."""

    def find_latest(self, attempt_id: AttemptId) -> Approval | None:
        """Return the newest approval of the attempt."""

    def move(
        self,
        approval_id: ApprovalId,
        *,
        to: ApprovalState,
        at: datetime,
        device_id: DeviceId | None = None,
        answer: str | None = None,
        public_key: str | None = None,
    ) -> None:
        """Move the approval along an arrow of ``SUCCESSORS`` by one conditional update.

        A move to GRANTED, DENIED or FAILED also demands ``at < expires_at``.

        Raises:
            TransitionNotAllowed: it stands elsewhere by now, or it is too late.
        """

    def mark_other_waiting(self, approval_id: ApprovalId) -> None:
        """Note on an open approval that another browser is trying."""

    def count_asked(self, identity: ApprovalIdentity, since: datetime) -> int:
        """Return how many approvals of logins were asked of *identity* since then."""

    def has_not_me(self, identity: ApprovalIdentity, since: datetime) -> bool:
        """True when *identity* answered "not me" since then (device answer verdict).

        A "not me" is stored by ``add_not_me``.
        """

    def add_not_me(self, identity: ApprovalIdentity, at: datetime) -> None:
        """Remember that *identity* answered "not me"."""

    def end_open_of_device_owner(self, user_id: UserId, at: datetime) -> int:
        """Cancel every open approval of the user; return how many (D17)."""

    def expire_due(self, now: datetime, *, limit: int) -> Sequence[Approval]:
        """Move open approvals past their time to ``expired``; return them."""

    def delete_decoys_before(self, instant: datetime, *, limit: int) -> int:
        """Delete decoys (no user) that expired before *instant*; return how many.

        Nothing refers to a decoy; every other approval is evidence and stays.
        """


class SessionStore(Protocol):
    """Browser sessions."""

    def add(self, session: Session) -> None:
        """Store a new session."""

    def find(self, secret: Digest) -> Session | None:
        """Return the session whose cookie hashes to *secret*, live or not."""

    def touch(self, session_id: SessionId, at: datetime) -> None:
        """Note a use; TransitionNotAllowed when the session has ended."""

    def end(self, session_id: SessionId, at: datetime) -> None:
        """End the session; ending twice is harmless."""

    def end_of_user(self, user_id: UserId, at: datetime) -> int:
        """End every session of the user; return how many."""

    def delete_before(self, instant: datetime, *, limit: int) -> int:
        """Delete sessions over before *instant*; return how many."""


class TallyStore(Protocol):
    """Failures in a row."""

    def count_try(self, subject: str, now: datetime) -> int:
        """Count one more try before it is checked, atomically.

        Return 0 when the try is allowed (it is counted then), else the seconds to wait
        (nothing is counted then), by ``domain.throttle``.
        """

    def take_back(self, subject: str) -> None:
        """Uncount one try that passed its check, and end the wait that it began.

        The failures before it stay; they were waited for, or the try was not counted. Else
        the owner of an account under a soft lock could pass no step after the first.
        """

    def find(self, subject: str) -> Tally | None:
        """Return the tally."""

    def clear(self, account: str) -> None:
        """Forget the failures of the account, from every browser."""

    def delete_before(self, instant: datetime, *, limit: int) -> int:
        """Delete tallies without a try since *instant*, hard locks aside; return how many."""
