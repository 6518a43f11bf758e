"""Expire and sweep what is past its time. Runs beside the server; never on a login's road."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock

_ORIGIN: Final = Origin(reference="housekeeping", address="", actor="system")
# A request ID must be remembered for as long as the request would be accepted (R13): 5 min
# and the skew. A day leaves a trail for support.
_KEEP: Final = timedelta(days=1)
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class KeepHouse:
    store: Store
    clock: Clock

    def __call__(self) -> int:
        """Do one round, in short units; return how many rows it moved or removed."""
        now = self.clock.now()
        with self.store.unit() as unit:
            due = unit.approvals.expire_due(now, limit=_AT_ONCE)
            for approval in due:
                unit.audit.append(
                    AuditRecord(
                        now,
                        AuditEvent.APPROVAL_EXPIRED,
                        _ORIGIN,
                        subject=approval.user_id or approval.identity,
                        provider=approval.provider,
                        attempt=approval.attempt_id or "",
                        outcome="refused",
                        details={"approval": approval.approval_id},
                    )
                )
        with self.store.unit() as unit:
            attempts = unit.attempts.delete_before(now - _KEEP, limit=_AT_ONCE)
        with self.store.unit() as unit:
            sessions = unit.sessions.delete_before(now - _KEEP, limit=_AT_ONCE)
        return len(due) + attempts + sessions
