"""SQLite: one file, one writer at a time, readers beside it (WAL), every commit on disk."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import URL, create_engine
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from saml_idp.adapters.db.group_commit import FileLock, GroupCommit
from saml_idp.adapters.db.transaction import Statements, Transaction, raise_unavailable
from saml_idp.domain.errors import StoreUnavailable

_BUSY_SECONDS: Final = 10.0
_PREPARED: Final = 256  # statements a connection keeps prepared
# FULL: a receipt that was reported stored survives a power cut (SECURITY-BAR X10).
_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
)


class SqliteDatabase:
    """A SQLite file, read by at most *pool_size* connections of this process."""

    def __init__(self, url: URL, *, pool_size: int) -> None:
        self.url = url
        self.path = Path(url.database or "")
        self._engine = create_engine(
            "sqlite://",
            creator=self._connect_to_read,
            poolclass=QueuePool,
            paramstyle="named",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_BUSY_SECONDS,
            pool_use_lifo=True,
            pool_reset_on_return=None,
        )
        self._statements = Statements(self._engine.dialect)
        self._writer = GroupCommit(
            self._connect, FileLock(self.path.with_name(f"{self.path.name}.lock"))
        )
        self._opened: tuple[int, int] | None = None  # device and inode

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Open a transaction that is on disk at the end, rolled back on an exception."""
        self._must_be_the_same_file()
        with self._writer.unit() as cursor:
            transaction = Transaction(cursor, self._statements, has_one_writer=True)
            yield transaction
            transaction.must_be_whole()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that sees one snapshot and writes nothing."""
        self._must_be_the_same_file()
        try:
            connection = self._engine.raw_connection()
            cursor = connection.cursor()
            cursor.execute("BEGIN")
        except (sqlite3.Error, SQLAlchemyError, OSError) as exc:
            raise_unavailable(exc)
        try:
            yield Transaction(cursor, self._statements, has_one_writer=True)
        finally:
            _end_reading(connection, cursor)

    def close(self) -> None:
        """Close every connection that is not at work."""
        self._engine.dispose()
        self._writer.close()
        self._opened = None

    def _must_be_the_same_file(self) -> None:
        """Refuse to go on when another file lies where the one we have open was.

        We would read and write what nobody else sees any more, and SQLite would take the log
        (WAL) of the old file for that of the new.
        """
        if self._opened is not None and _identity(self.path) != self._opened:
            raise StoreUnavailable(
                "the database file was replaced: restart the server", reason="database"
            )

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self.path)
        self._opened = _identity(self.path)
        return connection

    def _connect_to_read(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        return connection


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to the file *path*, made with mode 0600 if it is not there.

    Transactions are begun and ended by the caller, in plain sight.
    """
    # O_EXCL: an existing file is not opened here. Closing a second descriptor of it would drop
    # the locks that SQLite holds on it (POSIX locks belong to the process).
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(
        path,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_PREPARED,
    )
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection


def _end_reading(connection: PoolProxiedConnection, cursor: DBAPICursor) -> None:
    try:
        cursor.execute("COMMIT")
    except sqlite3.Error as exc:
        connection.invalidate(exc)
    finally:
        connection.close()
