"""A file of the operator changed, or is at fault: one audit record, though every worker sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.errors import Fault, StoreUnavailable, TransitionNotAllowed
from saml_idp.domain.ids import digest_of
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock

_ORIGIN: Final = Origin(reference="files", address="", actor="system")
_SAME: Final = timedelta(seconds=10)  # workers notice one change within a second or two


@dataclass(frozen=True, slots=True)
class RecordChange:
    store: Store
    clock: Clock

    def __call__(
        self, event: AuditEvent, *, file: str, sha256: str, details: Mapping[str, object]
    ) -> None:
        """Record that *file* took effect with that content; "" when it is gone."""
        self._once(event, f"{file}:{sha256}", {"file": file, "sha256": sha256, **details})

    def faults(self, event: AuditEvent, faults: Sequence[Fault]) -> None:
        """Record the faults that stand now."""
        told = [str(fault) for fault in faults[:20]]
        if told:
            self._once(event, "\n".join(told), {"faults": told})

    def _once(self, event: AuditEvent, what: str, details: Mapping[str, object]) -> None:
        """Write the record unless another worker just wrote the same one.

        The change is in force whether or not it can be recorded here: a database that is down
        is logged by whoever meets it next, and no login passes without it.
        """
        now = self.clock.now()
        window = int(now.timestamp() // _SAME.total_seconds())
        try:
            with self.store.unit() as unit:
                unit.devices.use_token(
                    "files", f"{event}:{digest_of(what)[:32]}:{window}", expires_at=now + _SAME
                )
                outcome = "fault" if "faults" in details else "ok"
                unit.audit.append(
                    AuditRecord(now, event, _ORIGIN, outcome=outcome, details=details)
                )
        except (TransitionNotAllowed, StoreUnavailable):
            return
