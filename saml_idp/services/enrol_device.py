"""Bind a new device to an ID by a one-time invitation and the user's password."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from saml_idp.crypto.device_signatures import EnrolmentMessage, verified_enrolment
from saml_idp.crypto.symbol_box import seal_symbols
from saml_idp.domain.approval import Approval, ApprovalState
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.chain import SealKey
from saml_idp.domain.device import Device, Enrolment
from saml_idp.domain.errors import DeviceMessageRejected, Throttled, TransitionNotAllowed
from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import ApprovalId, DeviceId, EntityId, digest_of
from saml_idp.domain.person import Person
from saml_idp.domain.throttle import subject_for
from saml_idp.ports.people import Directory, Notifier
from saml_idp.ports.store import Store, Unit
from saml_idp.ports.system import Clock, Entropy

_TRIAL_LIFETIME: Final = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device that was bound, and the trial approval that follows at once.

    ``trial`` None: a login's approval of that ID is open, and there is but one at a time.
    """

    device: Device
    trial: Approval | None


@dataclass(frozen=True, slots=True)
class EnrolDevice:
    store: Store
    directory: Directory
    clock: Clock
    entropy: Entropy
    notifier: Notifier
    seal_key: SealKey
    entity_id: EntityId

    def __call__(self, message: str, *, password: str, origin: Origin) -> Enrolled:
        """Bind the device whose key signed *message*, an ``enrol+jws``.

        A stolen link alone binds nothing: the user's password is asked for as well, and its
        failures count like those of a login.

        Raises:
            DeviceMessageRejected: bad message, unknown, used or expired code, wrong password.
            Throttled: too many failures of this account.
            Busy: too many hashes are under way.
            Conflict: the key is enrolled already.
        """
        now = self.clock.now()
        enrolment_message = verified_enrolment(message, expected_audience=self.entity_id, now=now)
        code_hash = digest_of(enrolment_message.code)
        with self.store.view() as unit:
            enrolment = unit.devices.find_enrolment(code_hash)
            person = unit.people.get(enrolment.user_id) if enrolment is not None else None
        if enrolment is None or person is None or not enrolment.is_open(now):
            raise DeviceMessageRejected("the code is not valid (any more)", reason="code_invalid")
        if not person.enabled or person.identity != enrolment.identity:
            raise DeviceMessageRejected("the code is not valid (any more)", reason="code_invalid")
        if person.has_password:
            self._check_password(person, password, origin, now)
        device = self._device(person, enrolment, enrolment_message, now)
        trial = self._trial(device, now)
        try:
            with self.store.unit() as unit:
                unit.devices.use_enrolment(code_hash, now)
                is_tried = self._bind(unit, device, trial, origin, now)
        except TransitionNotAllowed:
            raise DeviceMessageRejected("the code was used", reason="code_invalid") from None
        self.notifier.tell(person, "device_enrolled", device=device.name)
        return Enrolled(device, trial if is_tried else None)

    def _check_password(self, person: Person, password: str, origin: Origin, now: datetime) -> None:
        subject = subject_for(person.username, known_browser=None)
        with self.store.unit() as unit:
            wait = unit.tallies.count_try(subject, now)
        if wait:
            raise Throttled("too many failures", retry_after_seconds=wait)
        found = self.directory.verify_password(person.username, password)
        with self.store.unit() as unit:
            if found is not None:
                unit.tallies.take_back(subject)
                return
            unit.audit.append(
                AuditRecord(
                    now,
                    AuditEvent.PASSWORD_REJECTED,
                    origin,
                    subject=person.user_id,
                    outcome="refused",
                    reason="enrolment",
                )
            )
        raise DeviceMessageRejected("the password is wrong", reason="wrong_password")

    def _device(
        self, person: Person, enrolment: Enrolment, message: EnrolmentMessage, now: datetime
    ) -> Device:
        return Device(
            device_id=DeviceId(self.entropy.token(128)),
            user_id=person.user_id,
            identity=enrolment.identity,
            name=message.device_name,
            method=Method.DEVICE,
            public_key=message.public_key,
            enrolled_at=now,
        )

    def _trial(self, device: Device, now: datetime) -> Approval:
        """Return an approval that belongs to no login, so that nobody finds out at the next
        one that the device does not work. It has no symbols: there is no login page.
        """
        approval_id = ApprovalId(self.entropy.token(160))
        return Approval(
            approval_id=approval_id,
            attempt_id=None,
            user_id=device.user_id,
            identity=device.identity,
            provider=self.entity_id,
            provider_name=self.entity_id.split("://", 1)[-1].split("/", 1)[0],
            place="",
            browser="",
            nonce=self.entropy.token(128),
            symbols=seal_symbols(self.seal_key, approval_id, ""),
            symbols_count=0,
            methods=frozenset({Method.DEVICE, Method.PASSKEY}),
            state=ApprovalState.PENDING,
            known_browser=True,
            created_at=now,
            expires_at=now + _TRIAL_LIFETIME,
        )

    def _bind(
        self, unit: Unit, device: Device, trial: Approval, origin: Origin, now: datetime
    ) -> bool:
        """Store device, trial and record; return whether the trial has its place."""
        unit.devices.add(device)
        is_tried = unit.approvals.add(trial)
        unit.audit.append(
            AuditRecord(
                now,
                AuditEvent.DEVICE_ENROLLED,
                origin,
                subject=device.user_id,
                details={"device": device.device_id, "id": device.identity, "name": device.name},
            )
        )
        return is_tried
