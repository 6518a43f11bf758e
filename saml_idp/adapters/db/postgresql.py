"""PostgreSQL: a bounded pool, short statements, one transaction a unit.

READ COMMITTED with compare-and-set updates for units; one snapshot, read only, for views.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection

from saml_idp.adapters.db.transaction import Statements, Transaction, raise_unavailable

_WRITE: Final = b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_READ: Final = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
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


_Driver = psycopg.Connection[tuple[Any, ...]]


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
        with self._transaction(_WRITE, b"COMMIT") as transaction:
            yield transaction
            transaction.must_be_whole()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that sees one snapshot and writes nothing."""
        with self._transaction(_READ, b"ROLLBACK") as transaction:
            yield transaction

    def close(self) -> None:
        """Close every idle connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, begin: bytes, end: bytes) -> Iterator[Transaction]:
        connection, driver = self._begun(begin)
        try:
            try:
                yield Transaction(driver.cursor(), self._statements, has_one_writer=False)
            except BaseException:
                _roll_back(connection, driver)
                raise
            # Lost in this moment, the outcome is unknown: the caller finds it by the login's id.
            try:
                _tell(driver, end)
            except psycopg.Error as exc:
                connection.invalidate(exc)
                raise_unavailable(exc)
        finally:
            connection.close()

    def _begun(self, begin: bytes) -> tuple[PoolProxiedConnection, _Driver]:
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

    def _try_to_begin(self, begin: bytes) -> tuple[PoolProxiedConnection, _Driver]:
        connection = self._engine.raw_connection()
        driver = cast("_Driver", connection.driver_connection)
        try:
            _tell(driver, begin)
        except psycopg.Error as exc:
            connection.invalidate(exc)
            connection.close()
            raise
        return connection, driver


def _tell(driver: _Driver, command: bytes) -> None:
    """Run *command*, which has no parameters and no rows, by the shortest way there is.

    A cursor does the same for twice the work, and every view and unit needs two of these.
    """
    result = driver.pgconn.exec_(command)
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
    # A transaction in which something failed is rolled back by COMMIT, without an error.
    if command == b"COMMIT" and result.command_status != b"COMMIT":
        raise psycopg.OperationalError("the transaction was rolled back")


def _roll_back(connection: PoolProxiedConnection, driver: _Driver) -> None:
    try:
        _tell(driver, b"ROLLBACK")
    except psycopg.Error as exc:
        connection.invalidate(exc)
