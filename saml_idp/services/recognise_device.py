"""Who is calling on the device channel: a live device, by its signature over this very call."""

from dataclasses import dataclass

from saml_idp.crypto.device_signatures import claimed_device, verified_call
from saml_idp.domain.device import Device
from saml_idp.domain.errors import DeviceMessageRejected, NotFound, TransitionNotAllowed
from saml_idp.domain.ids import EntityId
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock


@dataclass(frozen=True, slots=True)
class RecogniseDevice:
    store: Store
    clock: Clock
    entity_id: EntityId

    def __call__(self, message: str, *, method: str, url: str) -> Device:
        """Return the live device that signed *message* for this *method* and *url*.

        Raises:
            DeviceMessageRejected: unknown or retired device, bad signature, another call,
                out of date, or used before (D13).
        """
        now = self.clock.now()
        device_id = claimed_device(message, typ="device+jws")
        try:
            with self.store.view() as unit:
                device = unit.devices.get(device_id)
        except NotFound:
            raise DeviceMessageRejected("unknown device", reason="unknown_device") from None
        call = verified_call(
            message,
            public_key=device.public_key,
            expected_audience=self.entity_id,
            expected_method=method,
            expected_url=url,
            now=now,
        )
        if not device.is_live:
            raise DeviceMessageRejected("the device was removed", reason="unknown_device")
        try:
            with self.store.unit() as unit:
                unit.devices.use_token(device_id, call.jti, expires_at=call.expires_at)
        except TransitionNotAllowed:
            raise DeviceMessageRejected("the message was used before", reason="replayed") from None
        return device
