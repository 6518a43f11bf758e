"""Add, change, enable and disable users; set a password."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from saml_idp.crypto.passwords import PasswordHasher, checked_new_password
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.errors import Conflict
from saml_idp.domain.ids import ApprovalIdentity, UserId
from saml_idp.domain.naming import checked_attributes, checked_groups, checked_username
from saml_idp.domain.person import Person
from saml_idp.lock_out import guarded_unit
from saml_idp.ports.people import Notifier
from saml_idp.ports.store import Store, Unit
from saml_idp.ports.system import Clock, Entropy


@dataclass(frozen=True, slots=True)
class AdministerPeople:
    store: Store
    clock: Clock
    entropy: Entropy
    hasher: PasswordHasher
    notifier: Notifier

    def add(
        self,
        username: str,
        *,
        attributes: Mapping[str, Iterable[str]],
        groups: Iterable[str] = (),
        administrator: bool = False,
        password: str | None = None,
        origin: Origin,
    ) -> Person:
        """Add a user, enabled and without an ID; return them.

        Args:
            attributes: name → values, names from ``domain.person.ATTRIBUTES``.
            password: None: they cannot sign in where two steps are asked until one is set.

        Raises:
            Conflict: the name is taken or cannot be one; a value or the password cannot be one.
            Busy: too many hashes are under way.
        """
        now = self.clock.now()
        person = Person(
            user_id=UserId(self.entropy.token(128)),
            username=checked_username(username),
            enabled=True,
            is_administrator=administrator,
            identity=None,
            groups=checked_groups(groups),
            attributes={n: v for n, v in checked_attributes(attributes).items() if v},
            created_at=now,
            has_password=password is not None,
        )
        hashed = self._hashed(password, person) if password is not None else None
        with self.store.unit() as unit:
            # names and IDs share one space: nobody takes the ID of another as their name
            unit.people.lock_administrators()
            if (
                unit.people.find_by_name(person.username) is not None
                or unit.people.find_by_identity(ApprovalIdentity(person.username)) is not None
            ):
                raise Conflict(f"the name {person.username!r} is taken", reason="taken")
            unit.people.add(person, hashed)
            details = {
                "username": person.username,
                "administrator": administrator,
                "groups": list(person.groups),
                "password": person.has_password,
            }
            unit.audit.append(_record(now, AuditEvent.USER_ADDED, person, origin, details))
        return person

    def change(
        self,
        user_id: UserId,
        *,
        groups: Iterable[str] | None = None,
        administrator: bool | None = None,
        attributes: Mapping[str, Iterable[str]] | None = None,
        origin: Origin,
    ) -> Person:
        """Change what is given and leave the rest; return the user as they are now.

        Args:
            attributes: values that replace those of the same name; no values: absent then.

        Raises:
            NotFound: there is no such user.
            Conflict: a value cannot be one.
            LockOut: the user is the last ready administrator and would be none.
        """
        now = self.clock.now()
        given = checked_attributes(attributes) if attributes is not None else {}
        wanted = checked_groups(groups) if groups is not None else None
        with guarded_unit(self.store, now=now, origin=origin, subject=user_id) as unit:
            before = unit.people.get(user_id)
            after = replace(
                before,
                groups=before.groups if wanted is None else wanted,
                is_administrator=(
                    before.is_administrator if administrator is None else administrator
                ),
                attributes={n: v for n, v in {**before.attributes, **given}.items() if v},
            )
            if after != before:
                unit.people.replace(before, after)
                details = _difference(before, after)
                unit.audit.append(_record(now, AuditEvent.USER_CHANGED, after, origin, details))
        return after

    def enable(self, user_id: UserId, *, origin: Origin) -> Person:
        """Let a disabled user sign in again; return them.

        Raises:
            NotFound: there is no such user.
        """
        now = self.clock.now()
        with self.store.unit() as unit:
            before = unit.people.get(user_id)
            after = replace(before, enabled=True)
            unit.people.replace(before, after)
            unit.audit.append(_record(now, AuditEvent.USER_ENABLED, after, origin, {}))
        return after

    def disable(self, user_id: UserId, *, origin: Origin) -> Person:
        """Keep a user out from now on; return them. Their sessions and open approvals end.

        A login under way ends at its finish, which asks whether the user is enabled.

        Raises:
            NotFound: there is no such user.
            LockOut: the user is the last ready administrator.
        """
        now = self.clock.now()
        with guarded_unit(self.store, now=now, origin=origin, subject=user_id) as unit:
            before = unit.people.get(user_id)
            after = replace(before, enabled=False)
            unit.people.replace(before, after)
            details = _ended(unit, user_id, now)
            unit.audit.append(_record(now, AuditEvent.USER_DISABLED, after, origin, details))
        return after

    def set_password(self, user_id: UserId, password: str, *, origin: Origin) -> Person:
        """Set the user's password and lift the throttle; return them.

        What began with the old password ends: sessions and open approvals. The user is told.

        Raises:
            NotFound: there is no such user.
            Conflict: the password cannot be one; the sentence says why.
            Busy: too many hashes are under way.
        """
        now = self.clock.now()
        with self.store.view() as unit:
            person = unit.people.get(user_id)
        hashed = self._hashed(password, person)
        with self.store.unit() as unit:
            unit.people.set_password_hash(user_id, hashed)
            unit.tallies.clear(person.username)
            details = _ended(unit, user_id, now)
            unit.audit.append(_record(now, AuditEvent.PASSWORD_SET, person, origin, details))
        self.notifier.tell(person, "password_set")
        return replace(person, has_password=True)

    def _hashed(self, password: str, person: Person) -> str:
        names = (person.username, *person.values("name"), *person.values("email"))
        return self.hasher.hash(checked_new_password(password, names=names))


def _ended(unit: Unit, user_id: UserId, now: datetime) -> dict[str, object]:
    """End what the user has open; return how much it was, for the record."""
    return {
        "sessions_ended": unit.sessions.end_of_user(user_id, now),
        "approvals_cancelled": unit.approvals.end_open_of_device_owner(user_id, now),
    }


def _difference(before: Person, after: Person) -> dict[str, object]:
    """Return what changed. Attributes by name only: the trail is not an address book."""
    details: dict[str, object] = {}
    if before.groups != after.groups:
        details["groups"] = {"before": list(before.groups), "after": list(after.groups)}
    if before.is_administrator != after.is_administrator:
        details["administrator"] = after.is_administrator
    names = {*before.attributes, *after.attributes}
    changed = sorted(n for n in names if before.values(n) != after.values(n))
    if changed:
        details["attributes"] = changed
    return details


def _record(
    now: datetime, event: AuditEvent, person: Person, origin: Origin, details: Mapping[str, object]
) -> AuditRecord:
    return AuditRecord(now, event, origin, subject=person.user_id, details=details)
