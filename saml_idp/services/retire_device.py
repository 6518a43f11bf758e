"""Retire a device: a lost one by an administrator, an old one by itself."""

from dataclasses import dataclass

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.device import Device
from saml_idp.domain.ids import DeviceId
from saml_idp.lock_out import guarded_unit
from saml_idp.ports.people import Notifier
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock


@dataclass(frozen=True, slots=True)
class RetireDevice:
    store: Store
    clock: Clock
    notifier: Notifier

    def __call__(self, device_id: DeviceId, *, origin: Origin) -> Device:
        """Retire the device; return it as it stands now.

        It counts from this commit on, on all nodes (D17): approvals that its owner has open
        are cancelled, an answer it gave and that no assertion was made from is worthless
        (``finish_login`` asks again), and the owner's sessions end: who holds the lost device
        may have signed in with it.

        Raises:
            NotFound: there is no such device.
            TransitionNotAllowed: it is retired already.
            LockOut: it is the last device of the last ready administrator.
        """
        now = self.clock.now()
        with self.store.view() as unit:
            owner_id = unit.devices.get(device_id).user_id
        with guarded_unit(self.store, now=now, origin=origin, subject=owner_id) as unit:
            unit.devices.retire(device_id, now)
            device = unit.devices.get(device_id)
            owner = unit.people.get(owner_id)
            cancelled = unit.approvals.end_open_of_device_owner(owner_id, now)
            ended = unit.sessions.end_of_user(owner_id, now)
            unit.audit.append(
                AuditRecord(
                    now,
                    AuditEvent.DEVICE_RETIRED,
                    origin,
                    subject=owner_id,
                    details={
                        "device": device_id,
                        "id": device.identity,
                        "name": device.name,
                        "approvals_cancelled": cancelled,
                        "sessions_ended": ended,
                    },
                )
            )
        self.notifier.tell(owner, "device_retired", device=device.name)
        return device
