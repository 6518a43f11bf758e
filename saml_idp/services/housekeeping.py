"""Expire and sweep what is past its time. Runs beside the server; never on a login's road."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock

_ORIGIN: Final = Origin(reference="housekeeping", address="", actor="system")
# A request ID must be remembered for as long as the request would be accepted (R13): 5 min
# and the skew. A day leaves a trail for support.
_KEEP: Final = timedelta(days=1)
# Failures in a row stay long enough that waiting buys a guesser nothing (W07).
_KEEP_FAILURES: Final = timedelta(days=30)
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
        return len(due) + sum(self._swept(now))

    def _swept(self, now: datetime) -> Iterator[int]:
        """Remove what is past its time and no evidence, kind by kind; yield how many."""
        with self.store.unit() as unit:  # before the attempts that they belong to
            yield unit.approvals.delete_decoys_before(now - _KEEP, limit=_AT_ONCE)
        with self.store.unit() as unit:
            yield unit.attempts.delete_before(now - _KEEP, limit=_AT_ONCE)
        with self.store.unit() as unit:
            yield unit.sessions.delete_before(now - _KEEP, limit=_AT_ONCE)
        with self.store.unit() as unit:
            yield unit.devices.delete_tokens_before(now - _KEEP, limit=_AT_ONCE)
        with self.store.unit() as unit:
            yield unit.tallies.delete_before(now - _KEEP_FAILURES, limit=_AT_ONCE)
