"""What a device may see: the open approval of its own ID."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from saml_idp.domain.approval import Approval, ApprovalState
from saml_idp.domain.device import Device
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock


@dataclass(frozen=True, slots=True)
class ListApprovals:
    store: Store
    clock: Clock

    def __call__(self, device: Device) -> Sequence[Approval]:
        """Return the open approvals of the device's ID, noted as fetched.

        A device that was enrolled after an approval began does not see it (D05).
        """
        found = self._open_for(device)
        if found is None or found.state is not ApprovalState.PENDING:
            return (found,) if found is not None else ()
        now = self.clock.now()
        try:
            with self.store.unit() as unit:
                unit.approvals.move(found.approval_id, to=ApprovalState.FETCHED, at=now)
                unit.devices.seen(device.device_id, now)
        except TransitionNotAllowed:
            # Another device fetched it, or it was decided, in this very moment.
            found = self._open_for(device)
            return (found,) if found is not None else ()
        return (replace(found, state=ApprovalState.FETCHED),)

    def _open_for(self, device: Device) -> Approval | None:
        with self.store.view() as unit:
            found = unit.approvals.find_open(device.identity, self.clock.now())
        if found is None or found.user_id != device.user_id:
            return None
        is_login = found.attempt_id is not None
        return None if is_login and device.enrolled_at > found.created_at else found
