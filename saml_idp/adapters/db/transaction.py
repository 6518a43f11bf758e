"""One transaction on one connection: prepared statements in, plain rows out.

The only place where a statement runs and where a driver's errors become ours. A statement is
built with SQLAlchemy Core once, at import; its SQL text is made once for each engine and goes
to the driver as it is: a login runs six of them, and Core's own execution costs ten times
what the driver needs.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import psycopg
from sqlalchemy import ClauseElement, Dialect, bindparam, func, select

from saml_idp.domain.errors import Conflict, IdpError, StoreUnavailable

Row = tuple[Any, ...]

DRIVER_ERRORS: Final = (sqlite3.Error, psycopg.Error)
_REFUSED: Final = (sqlite3.IntegrityError, psycopg.IntegrityError)
_UNFIT: Final = (psycopg.DataError, UnicodeEncodeError)
_HOLD: Final = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name"), 0)))


class Statements:
    """The SQL text of statements for one dialect, each made once."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._made: dict[ClauseElement, tuple[str, Mapping[str, Any]]] = {}

    def sql_of(self, statement: ClauseElement) -> tuple[str, Mapping[str, Any]]:
        """Return the SQL of *statement* and the values that stand in the statement itself."""
        found = self._made.get(statement)
        if found is None:
            compiled = statement.compile(dialect=self._dialect)
            # A value that the caller gives is None here; one written in the statement is not.
            inner = {k: v for k, v in compiled.params.items() if v is not None}
            found = self._made[statement] = (str(compiled), inner)
        return found


class Transaction:
    """Runs statements inside a transaction that its maker began and will end."""

    __slots__ = ("_cursor", "_has_one_writer", "_is_spoiled", "_statements")

    def __init__(self, cursor: Any, statements: Statements, *, has_one_writer: bool) -> None:
        self._cursor = cursor
        self._statements = statements
        self._has_one_writer = has_one_writer
        self._is_spoiled = False

    def must_be_whole(self) -> None:
        """Refuse to go on to the commit when the database refused a statement before.

        PostgreSQL answers the commit of such a transaction with a roll-back and no error; SQLite
        would keep the rest. Whoever caught the error inside the unit must not take it for stored.

        Raises:
            Conflict: the unit is not stored.
        """
        if self._is_spoiled:
            raise Conflict("a change of this unit was refused", reason="unit_refused")

    def hold(self, name: str) -> None:
        """Wait for every other transaction that holds *name*; hold it until this one ends."""
        if not self._has_one_writer:
            self.rows(_HOLD, name=name)

    def rows(self, statement: ClauseElement, /, **values: Any) -> list[Row]:
        """Return every row of *statement*.

        A value that no column can hold (a NUL, a lone surrogate) equals nothing: no rows.
        """
        try:
            self._run(statement, values)
        except _UNFIT as exc:
            if _was_refused_by_server(exc):
                raise _conflict(exc) from None
            return []
        found: list[Row] = self._cursor.fetchall()
        return found

    def row(self, statement: ClauseElement, /, **values: Any) -> Row | None:
        """Return the first row of *statement*, None without one."""
        found = self.rows(statement, **values)
        return found[0] if found else None

    def change(self, statement: ClauseElement, /, **values: Any) -> int:
        """Run *statement* and return how many rows it changed.

        Raises:
            Conflict: a constraint refused it, or a value does not fit its column.
        """
        try:
            self._run(statement, values)
        except _UNFIT as exc:
            self._is_spoiled = True
            raise _conflict(exc) from None
        changed: int = self._cursor.rowcount
        return changed

    def _run(self, statement: ClauseElement, values: dict[str, Any]) -> None:
        sql, inner = self._statements.sql_of(statement)
        try:
            self._cursor.execute(sql, {**inner, **values} if inner else values)
        except _UNFIT as exc:
            self._is_spoiled |= _was_refused_by_server(exc)
            raise
        except _REFUSED as exc:
            self._is_spoiled = True
            raise _conflict(exc) from None
        except DRIVER_ERRORS as exc:
            self._is_spoiled = True
            raise_unavailable(exc)


def raise_unavailable(exc: BaseException) -> NoReturn:
    """Raise the driver's error *exc* as ours; its words go to the log, they hold no values."""
    raise StoreUnavailable(
        f"the database does not answer: {_told(exc)}", reason="database"
    ) from exc


def _conflict(exc: Exception) -> IdpError:
    """Name the constraint and no more: PostgreSQL's DETAIL quotes the row."""
    name = ""
    if isinstance(exc, psycopg.Error):
        name = exc.diag.constraint_name or exc.sqlstate or "value"
    elif isinstance(exc, sqlite3.Error):
        name = str(exc)
    return Conflict(f"the database refuses this change: {name or 'value'}", reason="constraint")


def _was_refused_by_server(exc: Exception) -> bool:
    return isinstance(exc, psycopg.Error) and exc.sqlstate is not None


def _told(exc: BaseException) -> str:
    if isinstance(exc, psycopg.Error) and exc.diag.message_primary:
        return exc.diag.message_primary
    return f"{type(exc).__name__}: {exc}".partition("\n")[0]
