"""In-memory fakes, one for each port; each passes the conformance suite of its port.

A fake may be used in a test because ``tests/ports`` runs the same cases against it and against
the databases.
"""

import copy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn, TypeVar

from saml_idp.adapters.db.values import fitted
from saml_idp.domain.approval import ALPHABET, OPEN, SUCCESSORS, Approval, ApprovalState
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.audit import AuditRecord, Origin, StoredRecord
from saml_idp.domain.device import Device, Enrolment
from saml_idp.domain.errors import (
    Conflict,
    NotFound,
    RequestRejected,
    StoreUnavailable,
    TransitionNotAllowed,
)
from saml_idp.domain.ids import (
    ApprovalId,
    ApprovalIdentity,
    AssertionId,
    AttemptId,
    DeviceId,
    Digest,
    EntityId,
    SessionId,
    UserId,
)
from saml_idp.domain.person import Credential, Person
from saml_idp.domain.receipt import Receipt, VerifiedPassword
from saml_idp.domain.session import Session
from saml_idp.domain.throttle import HARD_LOCK_AT, SOFT_LOCK, Tally, retry_after

K = TypeVar("K")
V = TypeVar("V")

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until a test moves it."""

    def __init__(self, now: datetime = START) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant

    def advance(self, **duration: float) -> datetime:
        """Move on by ``timedelta(**duration)``."""
        self.instant += timedelta(**duration)
        return self.instant


class FakeEntropy:
    """Counts instead of drawing lots: every value differs, and the same test sees the same."""

    def __init__(self) -> None:
        self._count = 0

    def _next(self) -> int:
        self._count += 1
        return self._count

    def token(self, bits: int = 160) -> str:
        return f"{self._next():0{-(-bits // 6)}d}"

    def xml_id(self) -> str:
        return f"_{self._next():040x}"

    def symbols(self, count: int) -> str:
        first = self._next()
        return "".join(ALPHABET[(first + place) % 32] for place in range(count))


@dataclass
class Rows:
    """What the fake database holds. Values are frozen: a copy of the dicts is a snapshot."""

    attempts: dict[AttemptId, LoginAttempt] = field(default_factory=dict)
    approvals: dict[ApprovalId, Approval] = field(default_factory=dict)
    not_me: dict[ApprovalIdentity, datetime] = field(default_factory=dict)
    devices: dict[DeviceId, Device] = field(default_factory=dict)
    enrolments: dict[Digest, Enrolment] = field(default_factory=dict)
    tokens: dict[tuple[str, str], datetime] = field(default_factory=dict)
    people: dict[UserId, Credential] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    audit: list[StoredRecord] = field(default_factory=list)
    passwords: dict[str, VerifiedPassword] = field(default_factory=dict)
    receipts: dict[AssertionId, Receipt] = field(default_factory=dict)
    name_ids: dict[tuple[UserId, EntityId], str] = field(default_factory=dict)
    spoiled: bool = False

    def refuse(self, message: str) -> NoReturn:
        """Refuse a change as a constraint does: the whole unit is not stored then."""
        self.spoiled = True
        raise Conflict(message)

    def must_exist(self, attempt_id: AttemptId | None) -> None:
        """Refuse a row of an attempt that is not there, as a foreign key does."""
        if attempt_id is not None and attempt_id not in self.attempts:
            self.refuse("there is no such attempt")

    def snapshot(self) -> "Rows":
        """Return a copy that later changes of these rows do not reach."""
        return Rows(**{name: copy.copy(rows) for name, rows in vars(self).items()})


class FakeAttempts:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, attempt: LoginAttempt) -> None:
        used = {
            (a.request.issuer, a.request.request_id)
            for a in self._rows.attempts.values()
            if a.request.request_id is not None
        }
        key = (attempt.request.issuer, attempt.request.request_id)
        if attempt.attempt_id in self._rows.attempts or key in used:
            raise RequestRejected("this request was answered before", reason="replayed")
        self._rows.attempts[attempt.attempt_id] = attempt

    def get(self, attempt_id: AttemptId) -> LoginAttempt:
        return _there(self._rows.attempts, attempt_id)

    def replace(self, old: LoginAttempt, new: LoginAttempt) -> None:
        stored = self.get(old.attempt_id)
        if stored.version != old.version:
            raise TransitionNotAllowed("the login has moved on")
        # As in the database: what an attempt was opened with does not change.
        self._rows.attempts[old.attempt_id] = replace(
            new, request=stored.request, steps=stored.steps, created_at=stored.created_at
        )

    def count_open(self) -> int:
        over = {State.DONE, State.REFUSED, State.EXPIRED}
        return sum(1 for a in self._rows.attempts.values() if a.state not in over)

    def delete_before(self, instant: datetime, *, limit: int) -> int:
        held = {r.attempt_id for r in self._rows.receipts.values()}
        held |= {p.attempt_id for p in self._rows.passwords.values()}
        held |= {a.attempt_id for a in self._rows.approvals.values() if a.attempt_id is not None}
        old = [
            a.attempt_id
            for a in self._rows.attempts.values()
            if a.expires_at < instant and a.attempt_id not in held
        ][:limit]
        return _drop(self._rows.attempts, old)


class FakeApprovals:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, approval: Approval) -> bool:
        self._rows.must_exist(approval.attempt_id)
        for other in self._open():
            if other.identity == approval.identity and other.expires_at <= approval.created_at:
                self._store(_decided(other, ApprovalState.EXPIRED, approval.created_at))
        taken = any(other.identity == approval.identity for other in self._open())
        if approval.approval_id in self._rows.approvals or (taken and approval.state in OPEN):
            return False
        self._store(approval)
        return True

    def get(self, approval_id: ApprovalId) -> Approval:
        return _there(self._rows.approvals, approval_id)

    def find_open(self, identity: ApprovalIdentity, now: datetime) -> Approval | None:
        found = (a for a in self._open() if a.identity == identity and a.expires_at > now)
        return next(found, None)

    def find_latest(self, attempt_id: AttemptId) -> Approval | None:
        found = [a for a in self._rows.approvals.values() if a.attempt_id == attempt_id]
        return max(found, key=lambda a: (a.created_at, a.approval_id), default=None)

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
        approval = self.get(approval_id)
        answers = {ApprovalState.GRANTED, ApprovalState.DENIED, ApprovalState.FAILED}
        too_late = to in answers and at >= approval.expires_at
        if to not in SUCCESSORS.get(approval.state, frozenset()) or too_late:
            raise TransitionNotAllowed(f"the approval is {approval.state}")
        if to in {ApprovalState.FETCHED, ApprovalState.SPENT}:
            self._store(replace(approval, state=to))
            return
        self._store(
            replace(
                _decided(approval, to, at),
                device_id=device_id if device_id is not None else approval.device_id,
                answer=answer if answer is not None else approval.answer,
                public_key=public_key if public_key is not None else approval.public_key,
            )
        )

    def mark_other_waiting(self, approval_id: ApprovalId) -> None:
        found = self._rows.approvals.get(approval_id)
        if found is not None and found.state in OPEN:
            self._store(replace(found, other_browser_waiting=True))

    def count_asked(self, identity: ApprovalIdentity, since: datetime) -> int:
        return sum(
            1
            for a in self._rows.approvals.values()
            if a.identity == identity and a.created_at >= since and a.attempt_id is not None
        )

    def has_not_me(self, identity: ApprovalIdentity, since: datetime) -> bool:
        answered_at = self._rows.not_me.get(identity)
        return answered_at is not None and answered_at >= since

    def add_not_me(self, identity: ApprovalIdentity, at: datetime) -> None:
        self._rows.not_me[identity] = at

    def end_open_of_device_owner(self, user_id: UserId, at: datetime) -> int:
        found = [a for a in self._open() if a.user_id == user_id]
        for approval in found:
            self._store(_decided(approval, ApprovalState.CANCELLED, at))
        return len(found)

    def expire_due(self, now: datetime, *, limit: int) -> Sequence[Approval]:
        due = sorted((a for a in self._open() if a.expires_at <= now), key=lambda a: a.expires_at)
        expired = [_decided(a, ApprovalState.EXPIRED, now) for a in due[:limit]]
        for approval in expired:
            self._store(approval)
        return expired

    def delete_decoys_before(self, instant: datetime, *, limit: int) -> int:
        kept = self._rows.approvals
        old = [key for key, a in kept.items() if a.user_id is None and a.expires_at < instant]
        return _drop(kept, old[:limit])

    def _open(self) -> list[Approval]:
        return [a for a in self._rows.approvals.values() if a.state in OPEN]

    def _store(self, approval: Approval) -> None:
        self._rows.approvals[approval.approval_id] = approval


class FakeDevices:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, device: Device) -> None:
        keys = {d.public_key for d in self._rows.devices.values()}
        if device.device_id in self._rows.devices or device.public_key in keys:
            raise Conflict("this device is enrolled already")
        self._rows.devices[device.device_id] = device

    def get(self, device_id: DeviceId) -> Device:
        return _there(self._rows.devices, device_id)

    def of_user(self, user_id: UserId) -> Sequence[Device]:
        found = [d for d in self._rows.devices.values() if d.user_id == user_id]
        return sorted(found, key=lambda d: (d.enrolled_at, d.device_id))

    def retire(self, device_id: DeviceId, at: datetime) -> None:
        device = self.get(device_id)
        if not device.is_live:
            raise TransitionNotAllowed("the device is retired already")
        self._rows.devices[device_id] = replace(device, retired_at=at)

    def seen(self, device_id: DeviceId, at: datetime) -> None:
        self._rows.devices[device_id] = replace(self.get(device_id), last_seen_at=at)

    def add_enrolment(self, enrolment: Enrolment) -> None:
        if enrolment.code_hash in self._rows.enrolments:
            raise Conflict("this invitation is stored already")
        for code, other in self._rows.enrolments.items():
            if other.user_id == enrolment.user_id and other.is_open(enrolment.created_at):
                self._rows.enrolments[code] = replace(other, expires_at=enrolment.created_at)
        self._rows.enrolments[enrolment.code_hash] = enrolment

    def find_enrolment(self, code_hash: Digest) -> Enrolment | None:
        return self._rows.enrolments.get(code_hash)

    def use_enrolment(self, code_hash: Digest, at: datetime) -> None:
        enrolment = _there(self._rows.enrolments, code_hash)
        if not enrolment.is_open(at):
            raise TransitionNotAllowed("the invitation is used or too old")
        self._rows.enrolments[code_hash] = replace(enrolment, used_at=at)

    def use_token(self, device_id: str, jti: str, *, expires_at: datetime) -> None:
        if (device_id, jti) in self._rows.tokens:
            raise TransitionNotAllowed("this message was used before", reason="replayed")
        self._rows.tokens[(device_id, jti)] = expires_at

    def delete_tokens_before(self, instant: datetime, *, limit: int) -> int:
        old = [key for key, expires_at in self._rows.tokens.items() if expires_at < instant]
        return _drop(self._rows.tokens, old[:limit])


class FakePeople:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, person: Person, password_hash: str | None) -> None:
        if person.user_id in self._rows.people:
            raise Conflict("the user is stored already")
        if self._is_taken(person):
            raise Conflict("the name or the ID is taken")
        self._store(person, password_hash)

    def get(self, user_id: UserId) -> Person:
        return _there(self._rows.people, user_id).person

    def find_by_name(self, name: str) -> Credential | None:
        found = (c for c in self._rows.people.values() if c.person.username == name)
        return next(found, None)

    def find_by_identity(self, identity: ApprovalIdentity) -> Person | None:
        found = (c.person for c in self._rows.people.values() if c.person.identity == identity)
        return next(found, None)

    def search(self, text: str, *, limit: int, offset: int = 0) -> Sequence[Person]:
        needle = text.casefold()
        found = [
            c.person
            for c in self._rows.people.values()
            if any(
                needle in value.casefold()
                for value in (
                    c.person.username,
                    c.person.identity or "",
                    " ".join(c.person.values("email")),
                )
            )
        ]
        return sorted(found, key=lambda p: p.username)[offset : offset + limit]

    def replace(self, old: Person, new: Person) -> None:
        stored = _there(self._rows.people, old.user_id)
        if stored.person != old:
            raise TransitionNotAllowed("the user was changed meanwhile")
        if self._is_taken(new):
            self._rows.refuse("the name or the ID is taken")
        self._store(replace(new, created_at=old.created_at), stored.password_hash)

    def set_password_hash(
        self, user_id: UserId, password_hash: str, *, instead_of: str | None = None
    ) -> None:
        stored = _there(self._rows.people, user_id)
        if instead_of is not None and stored.password_hash != instead_of:
            raise TransitionNotAllowed("the password was changed meanwhile")
        self._store(stored.person, password_hash)

    def lock_administrators(self) -> None:
        """One unit at a time runs in the fake."""

    def count_ready_administrators(self, *, without: UserId | None = None) -> int:
        return self._ready(without=without, device_id=None)

    def count_ready_administrators_without_device(self, device_id: DeviceId) -> int:
        return self._ready(without=None, device_id=device_id)

    def _ready(self, *, without: UserId | None, device_id: DeviceId | None) -> int:
        live = {
            (d.user_id, d.identity)
            for d in self._rows.devices.values()
            if d.is_live and d.device_id != device_id
        }
        return sum(
            1
            for c in self._rows.people.values()
            if c.person.enabled
            and c.person.is_administrator
            and c.person.user_id != without
            and (c.person.user_id, c.person.identity) in live
        )

    def _is_taken(self, person: Person) -> bool:
        others = [
            c.person for c in self._rows.people.values() if c.person.user_id != person.user_id
        ]
        return any(
            other.username == person.username
            or (person.identity is not None and other.identity == person.identity)
            for other in others
        )

    def _store(self, person: Person, password_hash: str | None) -> None:
        kept = replace(person, has_password=password_hash is not None)
        self._rows.people[person.user_id] = Credential(kept, password_hash)


class FakeSessions:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, session: Session) -> None:
        secrets = {s.secret for s in self._rows.sessions.values()}
        if session.session_id in self._rows.sessions or session.secret in secrets:
            raise Conflict("this session is stored already")
        self._rows.sessions[session.session_id] = session

    def find(self, secret: Digest) -> Session | None:
        return next((s for s in self._rows.sessions.values() if s.secret == secret), None)

    def touch(self, session_id: SessionId, at: datetime) -> None:
        session = _there(self._rows.sessions, session_id)
        if session.ended_at is not None:
            raise TransitionNotAllowed("the session has ended")
        self._rows.sessions[session_id] = replace(session, last_used_at=at)

    def end(self, session_id: SessionId, at: datetime) -> None:
        session = _there(self._rows.sessions, session_id)
        if session.ended_at is None:
            self._rows.sessions[session_id] = replace(session, ended_at=at)

    def end_of_user(self, user_id: UserId, at: datetime) -> int:
        running = [
            s for s in self._rows.sessions.values() if s.user_id == user_id and s.ended_at is None
        ]
        for session in running:
            self.end(session.session_id, at)
        return len(running)

    def delete_before(self, instant: datetime, *, limit: int) -> int:
        old = [
            s.session_id
            for s in self._rows.sessions.values()
            if min(s.ends_at, s.ended_at or s.ends_at) < instant
        ]
        return _drop(self._rows.sessions, old[:limit])


class FakeTallies:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def count_try(self, subject: str, now: datetime) -> int:
        tally = self._rows.tallies.get(subject) or Tally(subject, 0, now)
        wait = retry_after(tally, now)
        if wait == 0:
            self._rows.tallies[subject] = Tally(subject, tally.failures + 1, now)
        return wait

    def take_back(self, subject: str) -> None:
        tally = self._rows.tallies.get(subject)
        if tally is not None and tally.failures > 0:
            self._rows.tallies[subject] = replace(
                tally, failures=tally.failures - 1, last_at=tally.last_at - SOFT_LOCK
            )

    def find(self, subject: str) -> Tally | None:
        tally = self._rows.tallies.get(subject)
        return tally if tally is not None and tally.failures else None

    def clear(self, account: str) -> None:
        for subject, tally in self._rows.tallies.items():
            if subject.partition("\x1f")[0] == account:
                self._rows.tallies[subject] = replace(tally, failures=0)

    def delete_before(self, instant: datetime, *, limit: int) -> int:
        old = [
            t.subject
            for t in self._rows.tallies.values()
            if t.last_at < instant and t.failures < HARD_LOCK_AT
        ]
        return _drop(self._rows.tallies, old[:limit])


class FakeAudit:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def append(self, record: AuditRecord) -> None:
        origin = record.origin
        kept = replace(
            record,
            origin=Origin(
                reference=fitted(origin.reference, 128),
                address=fitted(origin.address, 64),
                actor=fitted(origin.actor, 320),
                browser=fitted(origin.browser, 256),
            ),
            subject=fitted(record.subject, 320),
            provider=fitted(record.provider, 1024),
            attempt=fitted(record.attempt, 128),
            reason=fitted(record.reason, 256),
            details=dict(record.details),
        )
        self._rows.audit.append(StoredRecord(len(self._rows.audit) + 1, kept))

    def read(
        self,
        *,
        limit: int,
        after: int = 0,
        event: str | None = None,
        subject: str | None = None,
        provider: str | None = None,
        reference: str | None = None,
        newest_first: bool = True,
    ) -> Sequence[StoredRecord]:
        found = [
            stored
            for stored in self._rows.audit
            if stored.sequence > after
            and event in {None, stored.record.event}
            and subject in {None, stored.record.subject}
            and provider in {None, stored.record.provider}
            and reference in {None, stored.record.origin.reference}
        ]
        return found[::-1][:limit] if newest_first else found[:limit]


class FakeReceipts:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add_password(self, verified: VerifiedPassword) -> None:
        self._rows.must_exist(verified.attempt_id)
        if verified.evidence_id in self._rows.passwords:
            raise Conflict("this evidence is stored already")
        self._rows.passwords[verified.evidence_id] = verified

    def add(self, receipt: Receipt) -> None:
        self._refuse_unproven(receipt)
        self._rows.must_exist(receipt.attempt_id)
        answered = {r.attempt_id for r in self._rows.receipts.values()}
        if receipt.assertion_id in self._rows.receipts or receipt.attempt_id in answered:
            raise TransitionNotAllowed("this login was answered already")
        self._rows.receipts[receipt.assertion_id] = receipt

    def get(self, assertion_id: AssertionId) -> Receipt:
        return _there(self._rows.receipts, assertion_id)

    def get_password(self, evidence_id: str) -> VerifiedPassword:
        return _there(self._rows.passwords, evidence_id)

    def persistent_id(self, user_id: UserId, provider: EntityId, *, fresh: str) -> str:
        key = (user_id, provider)
        if key not in self._rows.name_ids and fresh in self._rows.name_ids.values():
            raise Conflict("this identifier belongs to another user")
        return self._rows.name_ids.setdefault(key, fresh)

    def count(self) -> int:
        return len(self._rows.receipts)

    def _refuse_unproven(self, receipt: Receipt) -> None:
        """The triggers of the table."""
        approval = self._rows.approvals.get(receipt.approval)
        granted = {ApprovalState.GRANTED, ApprovalState.SPENT}
        if approval is None or approval.user_id != receipt.user_id or approval.state not in granted:
            self._rows.refuse("a receipt needs a granted approval of its user")
        if receipt.password is None:
            return
        password = self._rows.passwords.get(receipt.password)
        if (
            password is None
            or password.user_id != receipt.user_id
            or approval.decided_at is None
            or password.verified_at > approval.decided_at
        ):
            self._rows.refuse("a receipt needs a password verified before its approval")


@dataclass(frozen=True)
class FakeUnit:
    attempts: FakeAttempts
    approvals: FakeApprovals
    devices: FakeDevices
    people: FakePeople
    sessions: FakeSessions
    tallies: FakeTallies
    audit: FakeAudit
    receipts: FakeReceipts


class FakeStore:
    """A store in memory. One unit at a time; a failed one leaves nothing.

    ``on_commit``: called before a unit is stored; what it raises fails the commit.
    """

    def __init__(self) -> None:
        self.rows = Rows()
        self.faults: list[str] = []
        self.on_commit: Callable[[], None] = _nothing
        self._lock = threading.Lock()

    @contextmanager
    def unit(self) -> Iterator[FakeUnit]:
        with self._lock:
            rows = self.rows.snapshot()
            yield _unit_on(rows)
            if rows.spoiled:
                raise Conflict("a change of this unit was refused")
            self.on_commit()
            self.rows = rows

    @contextmanager
    def view(self) -> Iterator[FakeUnit]:
        yield _unit_on(self.rows.snapshot())

    def check(self) -> Sequence[str]:
        return self.faults

    def break_down(self) -> None:
        """Let every commit from now on fail, as a full disk would."""

        def fail() -> None:
            raise StoreUnavailable("the disk is full")

        self.on_commit = fail


def _nothing() -> None:
    pass


def _unit_on(rows: Rows) -> FakeUnit:
    return FakeUnit(
        FakeAttempts(rows),
        FakeApprovals(rows),
        FakeDevices(rows),
        FakePeople(rows),
        FakeSessions(rows),
        FakeTallies(rows),
        FakeAudit(rows),
        FakeReceipts(rows),
    )


def _decided(approval: Approval, state: ApprovalState, at: datetime) -> Approval:
    return replace(approval, state=state, decided_at=approval.decided_at or at)


def _there(rows: Mapping[K, V], key: K) -> V:
    found = rows.get(key)
    if found is None:
        raise NotFound("there is no such row")
    return found


def _drop(rows: dict[K, V], keys: Sequence[K]) -> int:
    for key in keys:
        del rows[key]
    return len(keys)
