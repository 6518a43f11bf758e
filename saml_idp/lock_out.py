"""The lock-out guard: no change takes the last ready administrator away (rule 4).

Every verb that changes users, IDs or devices opens its unit here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.errors import LockOut
from saml_idp.ports.store import Store, Unit


@contextmanager
def guarded_unit(store: Store, *, now: datetime, origin: Origin, subject: str) -> Iterator[Unit]:
    """Open a unit that rolls back if it would leave no ready administrator where there was one.

    Ready: enabled, administrator, with an ID and a live device. Before there is one the
    guard lets everything through: the first has to come from somewhere. Two such units run
    one after the other, so that each of two changes cannot count on the other's administrator.

    Args:
        subject: the user the change is about, for the record of a prevented one.

    Raises:
        LockOut: the change is not made; that it was tried is in the audit trail.
    """
    try:
        with store.unit() as unit:
            unit.people.lock_administrators()
            before = unit.people.count_ready_administrators()
            yield unit
            if before and not unit.people.count_ready_administrators():
                raise LockOut(
                    "this would take the last administrator with an ID and a live device away; "
                    "first give another administrator an ID and let them enrol a device"
                )
    except LockOut:
        # its own unit: the roll-back must not take the record along
        with store.unit() as unit:
            unit.audit.append(
                AuditRecord(
                    now,
                    AuditEvent.LOCK_OUT_PREVENTED,
                    origin,
                    subject=subject,
                    outcome="refused",
                    reason=LockOut.code,
                )
            )
        raise
