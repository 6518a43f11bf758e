"""Failures in a row, counted before the check."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from saml_idp.adapters.db.tables import tallies
from saml_idp.adapters.db.transaction import Transaction
from saml_idp.adapters.db.values import instant, stored
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.domain.throttle import HARD_LOCK_AT, SOFT_LOCK, Tally, retry_after

_c = tallies.c
_BEGIN: Final = insert(tallies).on_conflict_do_nothing()
_FIND: Final = select(_c.failures, _c.last_at).where(_c.subject == bindparam("subject"))
# Of parallel tries on PostgreSQL one at a time reads and counts; SQLite has one writer anyway.
_HOLD: Final = _FIND.with_for_update()
_COUNT: Final = (
    update(tallies)
    .where(_c.subject == bindparam("key"))
    .values(failures=bindparam("count"), last_at=bindparam("at"))
)
_TAKE_BACK: Final = (
    update(tallies)
    .where(_c.subject == bindparam("key"), _c.failures > 0)
    .values(failures=_c.failures - 1, last_at=_c.last_at - SOFT_LOCK // timedelta(microseconds=1))
)
# The row stays: a try that is being counted in this moment finds it.
_CLEAR: Final = update(tallies).where(_c.account == bindparam("whose")).values(failures=0)
_OLD: Final = (
    select(_c.subject)
    .where(_c.last_at < bindparam("instant"), _c.failures < HARD_LOCK_AT)
    .limit(bindparam("most"))
)
_DELETE_OLD: Final = delete(tallies).where(_c.subject.in_(_OLD.scalar_subquery()))


class Tallies:
    """The ``TallyStore`` of one unit."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def count_try(self, subject: str, now: datetime) -> int:
        """Count one more try unless it is refused; return the seconds to wait, 0 when counted."""
        change = self._transaction.change
        change(
            _BEGIN, subject=subject, account=account_of(subject), failures=0, last_at=stored(now)
        )
        row = self._transaction.row(_HOLD, subject=subject)
        if row is None:
            raise TransitionNotAllowed("the tally was swept away in this moment")
        tally = Tally(subject, row[0], instant(row[1]))
        wait = retry_after(tally, now)
        if wait == 0:
            change(_COUNT, key=subject, count=tally.failures + 1, at=stored(now))
        return wait

    def take_back(self, subject: str) -> None:
        """Uncount one try that passed its check, and end the wait that it began."""
        self._transaction.change(_TAKE_BACK, key=subject)

    def find(self, subject: str) -> Tally | None:
        """Return the tally, None without a failure."""
        row = self._transaction.row(_FIND, subject=subject)
        return Tally(subject, row[0], instant(row[1])) if row and row[0] else None

    def clear(self, account: str) -> None:
        """Forget the failures of the account, from every browser."""
        self._transaction.change(_CLEAR, whose=account)

    def delete_before(self, instant: datetime, *, limit: int) -> int:
        """Delete tallies without a try since *instant*, hard locks aside; return how many."""
        return self._transaction.change(_DELETE_OLD, instant=stored(instant), most=limit)


def account_of(subject: str) -> str:
    """Return the account of a subject that ``throttle.subject_for`` made."""
    return subject.partition("\x1f")[0]
