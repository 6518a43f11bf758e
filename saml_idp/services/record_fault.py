"""An error of ours happened: leave it in the trail, where its reference is looked for."""

from dataclasses import dataclass

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.errors import StoreUnavailable
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock


@dataclass(frozen=True, slots=True)
class RecordFault:
    store: Store
    clock: Clock

    def __call__(self, kind: str, *, origin: Origin) -> None:
        """Record that an error of ours ended a call (U01).

        A database that cannot take the record was the fault itself, or is told by the next call.

        Args:
            kind: the name of the error's class; its message may hold anything.
        """
        record = AuditRecord(
            self.clock.now(), AuditEvent.FAULT, origin, outcome="fault", reason=kind
        )
        try:
            with self.store.unit() as unit:
                unit.audit.append(record)
        except StoreUnavailable:
            return
