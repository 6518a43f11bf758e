"""Assign an ID to a user, invite a device to it, and take the ID away again."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.device import Enrolment
from saml_idp.domain.errors import Conflict
from saml_idp.domain.ids import ApprovalIdentity, UserId, digest_of
from saml_idp.domain.naming import checked_identity
from saml_idp.domain.person import Person
from saml_idp.lock_out import guarded_unit
from saml_idp.ports.people import Notifier
from saml_idp.ports.store import Store, Unit
from saml_idp.ports.system import Clock, Entropy

HANDED_OVER: Final = timedelta(hours=24)  # D15: an administrator hands it over


@dataclass(frozen=True, slots=True)
class EnrolmentInvitation:
    """A fresh invitation, to be shown once: only the hash of its code is kept.

    ``link``: opens the device page; the code stands in the fragment, which no server sees.
    """

    person: Person
    identity: ApprovalIdentity
    link: str = field(repr=False)
    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AssignIdentity:
    store: Store
    clock: Clock
    entropy: Entropy
    notifier: Notifier
    base_url: str  # without a slash at the end

    def __call__(
        self, user_id: UserId, identity: str | None = None, *, origin: Origin
    ) -> EnrolmentInvitation:
        """Give the user an ID if they have none, and invite one more device to it.

        Args:
            identity: None: the ID they have, else their user name.

        Raises:
            NotFound: there is no such user.
            Conflict: disabled; has another ID already; or the ID is another's ID or name.
        """
        now = self.clock.now()
        code = self.entropy.token(128)
        with self.store.unit() as unit:
            # one after the other: two assignments could each find the ID free
            unit.people.lock_administrators()
            person = unit.people.get(user_id)
            if not person.enabled:
                raise Conflict(f"the user {person.username!r} is disabled", reason="disabled")
            chosen = checked_identity(identity or person.identity or person.username)
            if person.identity is None:
                person = self._assigned(unit, person, chosen, origin, now)
            elif chosen != person.identity:
                raise Conflict(
                    f"the user {person.username!r} has the ID {person.identity!r} already; "
                    "a user has one at most: revoke it first",
                    reason="second_identity",
                )
            expires_at = now + HANDED_OVER
            unit.devices.add_enrolment(
                Enrolment(digest_of(code), user_id, chosen, now, expires_at, origin.actor)
            )
            details = {"id": chosen, "expires_at": expires_at.isoformat()}
            event = AuditEvent.ENROLMENT_CREATED
            unit.audit.append(AuditRecord(now, event, origin, subject=user_id, details=details))
        self.notifier.tell(person, "enrolment_created", id=chosen)
        link = f"{self.base_url}/device/#enrol={code}"
        return EnrolmentInvitation(person, chosen, link, code, expires_at)

    def revoke(self, user_id: UserId, *, origin: Origin) -> Person:
        """Take the user's ID away, with all that hangs on it; return the user as they are now.

        Devices are retired, open approvals cancelled, sessions ended. An open invitation
        dies with the ID: ``enrol_device`` asks whether the user still has it.

        Raises:
            NotFound: there is no such user.
            Conflict: the user has no ID.
            LockOut: the user is the last ready administrator.
        """
        now = self.clock.now()
        with guarded_unit(self.store, now=now, origin=origin, subject=user_id) as unit:
            person = unit.people.get(user_id)
            if person.identity is None:
                raise Conflict(f"the user {person.username!r} has no ID", reason="no_identity")
            devices = [d for d in unit.devices.of_user(user_id) if d.is_live]
            for device in devices:
                unit.devices.retire(device.device_id, now)
                details = {"device": device.device_id, "id": device.identity, "name": device.name}
                event = AuditEvent.DEVICE_RETIRED
                unit.audit.append(AuditRecord(now, event, origin, subject=user_id, details=details))
            without = replace(person, identity=None)
            unit.people.replace(person, without)
            unit.audit.append(
                AuditRecord(
                    now,
                    AuditEvent.IDENTITY_REVOKED,
                    origin,
                    subject=user_id,
                    details={
                        "id": person.identity,
                        "devices_retired": len(devices),
                        "approvals_cancelled": unit.approvals.end_open_of_device_owner(
                            user_id, now
                        ),
                        "sessions_ended": unit.sessions.end_of_user(user_id, now),
                    },
                )
            )
        self.notifier.tell(without, "identity_revoked", id=person.identity)
        return without

    @staticmethod
    def _assigned(
        unit: Unit, person: Person, identity: ApprovalIdentity, origin: Origin, now: datetime
    ) -> Person:
        """Store the ID. Names and IDs share one space: a login by ID finds one user, for sure."""
        other = unit.people.find_by_name(identity)
        if unit.people.find_by_identity(identity) is not None or (
            other is not None and other.person.user_id != person.user_id
        ):
            raise Conflict(f"{identity!r} is the ID or name of another user", reason="taken")
        assigned = replace(person, identity=identity)
        unit.people.replace(person, assigned)
        event, details = AuditEvent.IDENTITY_ASSIGNED, {"id": identity}
        unit.audit.append(AuditRecord(now, event, origin, subject=person.user_id, details=details))
        return assigned
