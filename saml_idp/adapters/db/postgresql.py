"""PostgreSQL: a bounded pool, short statements, one transaction a unit.

READ COMMITTED with compare-and-set updates for units; one snapshot, read only, for views.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection

from saml_idp.adapters.db.transaction import Statements, Transaction, raise_unavailable

_WRITE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WAIT_SECONDS: Final = 3
_CONNECT: Final[dict[str, Any]] = {
    "autocommit": True,  # transactions are begun and ended below, in plain sight
    "connect_timeout": _WAIT_SECONDS,
    "application_name": "saml-idp",
    "options": "-c statement_timeout=3s -c lock_timeout=1s"
    " -c idle_in_transaction_session_timeout=30s -c timezone=UTC",
    # A server that vanished without a word is noticed while a user still waits.
    "keepalives_idle": 10,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}


class PostgresDatabase:
    """A PostgreSQL database, reached by at most *pool_size* connections of this process."""

    def __init__(self, url: URL, *, pool_size: int) -> None:
        self.url = url
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_WAIT_SECONDS,
            pool_recycle=1800,
            pool_use_lifo=True,
            pool_reset_on_return=None,
            connect_args=_CONNECT,
        )
        self._statements = Statements(self._engine.dialect)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Open a transaction that is committed at the end, rolled back on an exception."""
        with self._transaction(_WRITE) as transaction:
            yield transaction

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that sees one snapshot and writes nothing."""
        with self._transaction(_READ) as transaction:
            yield transaction

    def close(self) -> None:
        """Close every idle connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Transaction]:
        connection, cursor = self._begun(begin)
        try:
            try:
                yield Transaction(cursor, self._statements, has_one_writer=False)
            except BaseException:
                _roll_back(connection, cursor)
                raise
            # Lost in this moment, the outcome is unknown: the caller finds it by the login's id.
            try:
                cursor.execute("COMMIT")
            except psycopg.Error as exc:
                connection.invalidate(exc)
                raise_unavailable(exc)
        finally:
            connection.close()

    def _begun(self, begin: str) -> tuple[PoolProxiedConnection, Any]:
        """Return a connection inside a new transaction.

        A connection that died in the pool is told here, before anything ran: the pool is
        emptied and one fresh connection tried, so that a restart of the server costs nothing
        once it is back.
        """
        try:
            return self._try_to_begin(begin)
        except psycopg.Error:
            self._engine.dispose()
        except SQLAlchemyError as exc:
            raise_unavailable(exc)
        try:
            return self._try_to_begin(begin)
        except (psycopg.Error, SQLAlchemyError) as exc:
            raise_unavailable(exc)

    def _try_to_begin(self, begin: str) -> tuple[PoolProxiedConnection, Any]:
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(begin)
        except psycopg.Error as exc:
            connection.invalidate(exc)
            connection.close()
            raise
        return connection, cursor


def _roll_back(connection: PoolProxiedConnection, cursor: Any) -> None:
    try:
        cursor.execute("ROLLBACK")
    except psycopg.Error as exc:
        connection.invalidate(exc)
