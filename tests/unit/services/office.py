"""An installation with one ready administrator and one ready user, for the verbs of an office."""

from dataclasses import dataclass, field
from datetime import timedelta

from saml_idp.crypto.passwords import PasswordHasher
from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.ids import ApprovalIdentity, UserId
from saml_idp.domain.person import Person
from saml_idp.services.administer_people import AdministerPeople
from saml_idp.services.assign_identity import AssignIdentity
from saml_idp.services.find_people import FindPeople
from saml_idp.services.retire_device import RetireDevice
from tests.build import NOW, a_device, a_person, a_session, an_approval, an_attempt
from tests.fakes import FakeClock, FakeEntropy, FakeStore

OPERATOR = Origin("ref-cli", "", "cli:root")
ROOT = UserId("u-root")
ALICE = UserId("u-alice")


class RecordingNotifier:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def wake(self, identity: ApprovalIdentity) -> None:
        pass

    def tell(self, person: Person, message: str, **values: str) -> None:
        self.told.append((person.user_id, message))


@dataclass
class Office:
    store: FakeStore = field(default_factory=FakeStore)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    entropy: FakeEntropy = field(default_factory=FakeEntropy)
    notifier: RecordingNotifier = field(default_factory=RecordingNotifier)

    def __post_init__(self) -> None:
        hasher = PasswordHasher()
        self.people = AdministerPeople(self.store, self.clock, self.entropy, hasher, self.notifier)
        self.assign_identity = AssignIdentity(
            self.store, self.clock, self.entropy, self.notifier, "https://idp.example.org"
        )
        self.retire_device = RetireDevice(self.store, self.clock, self.notifier)
        self.find_people = FindPeople(self.store)
        with self.store.unit() as unit:
            unit.people.add(a_person("root", is_administrator=True), "hash")
            unit.people.add(a_person(), "hash")
            unit.devices.add(a_device("root"))
            unit.devices.add(a_device())

    def sign_in(self, name: str = "alice") -> None:
        """Give the user a live session, and an open approval of another login."""
        with self.store.unit() as unit:
            attempt = an_attempt(user_id=UserId(f"u-{name}"))
            unit.attempts.add(attempt)
            unit.sessions.add(a_session(user_id=UserId(f"u-{name}")))
            unit.approvals.add(
                an_approval(user_id=UserId(f"u-{name}"), identity=ApprovalIdentity(name))
            )

    def has_ended(self, name: str = "alice") -> bool:
        """True when the user has no live session and no open approval."""
        sessions = [s for s in self.store.rows.sessions.values() if s.user_id == f"u-{name}"]
        approvals = [a for a in self.store.rows.approvals.values() if a.user_id == f"u-{name}"]
        return all(
            not s.is_live(self.clock.now(), idle=timedelta(hours=1)) for s in sessions
        ) and all(a.state is ApprovalState.CANCELLED for a in approvals)

    def person(self, user_id: UserId = ALICE) -> Person:
        """Return the user as stored."""
        return self.store.rows.people[user_id].person

    def records(self, event: AuditEvent) -> list[AuditRecord]:
        """Return the audit records of *event*."""
        found = (stored.record for stored in self.store.rows.audit)
        return [record for record in found if record.event is event]
