"""The audit trail: append only, in the application and by triggers in the database."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import Select, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from saml_idp.adapters.db.tables import audit
from saml_idp.adapters.db.transaction import Row, Transaction
from saml_idp.adapters.db.values import fitted, instant, stored
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin, StoredRecord

_c = audit.c
_APPEND: Final = insert(audit).values({c.name: bindparam(c.name) for c in _c if c is not _c.seq})
_LONGEST_DETAILS: Final = 32_768


@lru_cache(maxsize=64)
def _reading(filters: frozenset[str], *, newest_first: bool) -> Select[Row]:
    """Return the statement for one set of filters: without OR, so that an index serves it."""
    statement = select(audit).where(_c.seq > bindparam("after"))
    for name in sorted(filters):
        statement = statement.where(_c[name] == bindparam(name))
    order = _c.seq.desc() if newest_first else _c.seq.asc()
    return statement.order_by(order).limit(bindparam("most"))


class Audit:
    """The ``AuditTrail`` of one unit. ``node``: the name of this server, in every record."""

    __slots__ = ("_node", "_transaction")

    def __init__(self, transaction: Transaction, *, node: str) -> None:
        self._transaction = transaction
        self._node = node

    def append(self, record: AuditRecord) -> None:
        """Store *record* at the end.

        What a stranger wrote is cut to its column and cleaned: no text may keep a record of
        a failure from being written.
        """
        origin = record.origin
        self._transaction.change(
            _APPEND,
            at=stored(record.at),
            node=self._node,
            event=str(record.event),
            actor=fitted(origin.actor, 320),
            address=fitted(origin.address, 64),
            reference=fitted(origin.reference, 128),
            browser=fitted(origin.browser, 256),
            subject=fitted(record.subject, 320),
            provider=fitted(record.provider, 1024),
            attempt=fitted(record.attempt, 128),
            outcome=fitted(record.outcome, 32),
            reason=fitted(record.reason, 256),
            details=_details_text(record),
        )

    def read(
        self,
        *,
        limit: int,
        after: int = 0,
        event: str | None = None,
        subject: str | None = None,
        provider: str | None = None,
        reference: str | None = None,
        newest_first: bool = True,
    ) -> Sequence[StoredRecord]:
        """Return records that match, at most *limit*."""
        wanted = {"event": event, "subject": subject, "provider": provider, "reference": reference}
        given = {name: value for name, value in wanted.items() if value is not None}
        statement = _reading(frozenset(given), newest_first=newest_first)
        rows = self._transaction.rows(statement, after=after, most=limit, **given)
        return [_record_of(row) for row in rows]


def _details_text(record: AuditRecord) -> str:
    if not record.details:
        return "{}"
    # ASCII: a NUL, a surrogate or a line end in a value is an escape here.
    text = json.dumps(dict(record.details), sort_keys=True, default=str)
    if len(text) > _LONGEST_DETAILS:
        return json.dumps({"cut": text[: _LONGEST_DETAILS // 2]})
    return text


def _record_of(row: Row) -> StoredRecord:
    (
        sequence, at, _, event, actor, address, reference, browser,
        subject, provider, attempt, outcome, reason, details,
    ) = row  # fmt: skip
    record = AuditRecord(
        at=instant(at),
        event=AuditEvent(event),
        origin=Origin(reference=reference, address=address, actor=actor, browser=browser),
        subject=subject,
        provider=provider,
        attempt=attempt,
        outcome=outcome,
        reason=reason,
        details=json.loads(details),
    )
    return StoredRecord(sequence, record)
