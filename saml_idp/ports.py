"""What services need from the world: one small Protocol each.

Every method of a store belongs to a *unit*: ``with store.unit() as unit`` commits at the
end and rolls back on an exception; ``with store.view() as unit`` only reads. A unit is short:
nothing is hashed, verified, signed or sent inside. A compare-and-swap that loses raises
``TransitionNotAllowed``; what is not there raises ``NotFound`` unless the method says
``find_``; a database that does not answer raises ``StoreUnavailable``.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from saml_idp.domain.approval import Approval, ApprovalState
from saml_idp.domain.attempt import LoginAttempt
from saml_idp.domain.audit import AuditRecord, StoredRecord
from saml_idp.domain.device import Device, Enrolment
from saml_idp.domain.errors import Fault
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
from saml_idp.domain.loosening import PlannedChange
from saml_idp.domain.person import Credential, Person
from saml_idp.domain.policy import Policy
from saml_idp.domain.receipt import Receipt, VerifiedPassword
from saml_idp.domain.service_provider import ServiceProvider
from saml_idp.domain.session import Session
from saml_idp.domain.throttle import Tally


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""


class Entropy(Protocol):
    """Chance, from the operating system's generator."""

    def token(self, bits: int = 160) -> str:
        """Return *bits* random bits as base64url without padding; a whole number of bytes."""

    def xml_id(self) -> str:
        """Return a fresh xs:ID: ``_`` and 160 random bits in hex (Core 1.3.4)."""

    def symbols(self, count: int) -> str:
        """Return *count* uniform characters of ``domain.approval.ALPHABET``."""


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


class DeviceStore(Protocol):
    """Devices and invitations."""

    def add(self, device: Device) -> None:
        """Store a new device. Conflict when its public key is enrolled already."""

    def get(self, device_id: DeviceId) -> Device:
        """Return the device, live or retired."""

    def of_user(self, user_id: UserId) -> Sequence[Device]:
        """Return the user's devices, oldest first, retired ones too."""

    def retire(self, device_id: DeviceId, at: datetime) -> None:
        """Mark a live device retired; TransitionNotAllowed when it is already."""

    def seen(self, device_id: DeviceId, at: datetime) -> None:
        """Note the last call of the device."""

    def add_enrolment(self, enrolment: Enrolment) -> None:
        """Store an invitation; open ones of the same user end."""

    def find_enrolment(self, code_hash: Digest) -> Enrolment | None:
        """Return the invitation with that code, open or not."""

    def use_enrolment(self, code_hash: Digest, at: datetime) -> None:
        """Mark an open invitation used, once; TransitionNotAllowed when used or too late."""

    def use_token(self, device_id: str, jti: str, *, expires_at: datetime) -> None:
        """Remember the jti of a device's message; TransitionNotAllowed when seen before."""

    def delete_tokens_before(self, instant: datetime, *, limit: int) -> int:
        """Forget the jti of messages that expired before *instant*; return how many."""


class PersonStore(Protocol):
    """Users in our database."""

    def add(self, person: Person, password_hash: str | None) -> None:
        """Store a new user; Conflict when name or identity is taken."""

    def get(self, user_id: UserId) -> Person:
        """Return the user."""

    def find_by_name(self, name: str) -> Credential | None:
        """Return the user with that canonical name, with the hash."""

    def find_by_identity(self, identity: ApprovalIdentity) -> Person | None:
        """Return the user whose ID it is."""

    def search(self, text: str, *, limit: int, offset: int = 0) -> Sequence[Person]:
        """Return users whose name, identity or e-mail contains *text*, by name."""

    def replace(self, old: Person, new: Person) -> None:
        """Store *new* if the stored user still equals *old*; Conflict on a taken name."""

    def set_password_hash(
        self, user_id: UserId, password_hash: str, *, instead_of: str | None = None
    ) -> None:
        """Store the hash of a new password, or of a rehash.

        ``instead_of``: the hash that has to be stored still, else TransitionNotAllowed; so
        that the rehash of an old password never undoes a new one.
        """

    def lock_administrators(self) -> None:
        """Serialise with every other unit that calls this, until this unit ends.

        Two changes that would each leave one last administrator must not both pass.
        """

    def count_ready_administrators(self, *, without: UserId | None = None) -> int:
        """Return how many enabled administrators have an ID with a live device."""

    def count_ready_administrators_without_device(self, device_id: DeviceId) -> int:
        """The same count as if that device were retired."""


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
        """Uncount one try that passed its check."""

    def find(self, subject: str) -> Tally | None:
        """Return the tally."""

    def clear(self, account: str) -> None:
        """Forget the failures of the account, from every browser."""

    def delete_before(self, instant: datetime, *, limit: int) -> int:
        """Delete tallies without a try since *instant*, hard locks aside; return how many."""


class AuditTrail(Protocol):
    """Append only."""

    def append(self, record: AuditRecord) -> None:
        """Store *record* at the end."""

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
        """Return records that match, at most *limit*; ``after``: sequence numbers above it."""


class ReceiptStore(Protocol):
    """Receipts and the passwords behind them."""

    def add_password(self, verified: VerifiedPassword) -> None:
        """Store the record of a verified password."""

    def add(self, receipt: Receipt) -> None:
        """Store a receipt; TransitionNotAllowed when the attempt has one already (I4)."""

    def get(self, assertion_id: AssertionId) -> Receipt:
        """Return the receipt."""

    def get_password(self, evidence_id: str) -> VerifiedPassword:
        """Return the record of a verified password."""

    def persistent_id(self, user_id: UserId, provider: EntityId, *, fresh: str) -> str:
        """Return the pairwise identifier, storing *fresh* when there is none yet."""

    def count(self) -> int:
        """Return how many receipts there are."""


class Unit(Protocol):
    """The stores, inside one transaction."""

    @property
    def attempts(self) -> AttemptStore: ...
    @property
    def approvals(self) -> ApprovalStore: ...
    @property
    def devices(self) -> DeviceStore: ...
    @property
    def people(self) -> PersonStore: ...
    @property
    def sessions(self) -> SessionStore: ...
    @property
    def tallies(self) -> TallyStore: ...
    @property
    def audit(self) -> AuditTrail: ...
    @property
    def receipts(self) -> ReceiptStore: ...


class Store(Protocol):
    """The database."""

    def unit(self) -> AbstractContextManager[Unit]:
        """Open a unit of work that writes; BEGIN IMMEDIATE on SQLite."""

    def view(self) -> AbstractContextManager[Unit]:
        """Open a unit that reads a consistent snapshot and writes nothing."""

    def check(self) -> Sequence[str]:
        """Return what is wrong with the database (unreachable, schema behind, corrupt)."""


class ProviderRegistry(Protocol):
    """The providers in force. A look-up is a dictionary read of an immutable snapshot."""

    def find(self, entity_id: EntityId) -> ServiceProvider | None:
        """Return the provider, None when there is none or it was set aside."""

    def __iter__(self) -> Iterator[ServiceProvider]: ...

    def faults(self) -> Sequence[Fault]:
        """Return what is wrong in the files now."""


class PolicyBook(Protocol):
    """The policies in force."""

    def policy_for(self, entity_id: EntityId) -> Policy:
        """Return the policy of the provider; the default where it has no file.

        Raises:
            LoginRefused: reason ``policy_fault``; its file is wrong and no good version
                is known, or the default is.
        """

    def faults(self) -> Sequence[Fault]:
        """Return what is wrong in the files now, the last good version being in force."""


class PolicyEditor(Protocol):
    """Changes one value of one policy file, through the checks that every file passes."""

    def plan_change(self, entity_id: EntityId | None, key: str, value: object) -> PlannedChange:
        """Return what setting *key* would change, checked; nothing is written.

        Args:
            entity_id: None: default.toml.
            value: plain, as in ``policy_keys.plain_values``; None: remove the key.

        Raises:
            ConfigurationError: the files have faults, or the value cannot be.
            LockOut: it switches two-step on while no administrator could undo it.
        """

    def apply(self, planned: PlannedChange, *, confirm_loosening: bool) -> None:
        """Write *planned* and put it in force here at once, elsewhere within a second.

        Raises:
            Conflict: reason ``loosening_unconfirmed``, or ``file_changed`` since it was planned.
        """


class ProviderEditor(Protocol):
    """Adds files to the metadata."""

    def check_octets(self, octets: bytes, *, file: str) -> Sequence[ServiceProvider]:
        """Return the providers that *octets* would add; raises as ``add``. Nothing is written."""

    def add(self, octets: bytes) -> Sequence[ServiceProvider]:
        """Put metadata into a file of its own; return the providers it adds.

        Raises:
            ConfigurationError: a fault in it, or a provider that is known already.
        """


class Directory(Protocol):
    """Who the users are: our database, or LDAP."""

    def get(self, user_id: UserId) -> Person:
        """Return the user."""

    def find(self, name: str) -> Person | None:
        """Return the user by user name or ID, any spelling of the canonical name."""

    def verify_password(self, name: str, password: str) -> Person | None:
        """Return the user if the password is right; None for an unknown, disabled or wrong one.

        Does the same work for each of these (W06).

        Raises:
            Busy: too many hashes are under way (W10).
        """


class Notifier(Protocol):
    """Wakes the devices of an ID. Best effort: failure never touches a login."""

    def wake(self, identity: ApprovalIdentity) -> None:
        """Tell the devices of *identity* to look; says nothing else."""

    def tell(self, person: Person, message: str, **values: str) -> None:
        """Tell the user of a security change by another way (D16)."""


class Alarms(Protocol):
    """What an operator has to see: a fault that stands until it is mended."""

    def raise_fault(self, faults: Sequence[Fault]) -> None:
        """Report faults that came up."""


IDLE_DEFAULT = timedelta(hours=1)
