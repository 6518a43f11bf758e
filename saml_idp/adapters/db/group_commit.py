"""One writer for a SQLite file, and one durable commit for all who wait for one.

A commit with ``synchronous=FULL`` waits for the disk. While it does, other units queue; they
then run one after the other inside one transaction, each in a savepoint of its own, and share
the next commit. No unit returns before the commit that holds it is on disk. When that commit
fails, every unit of the group fails: none was durable.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from saml_idp.adapters.db.transaction import raise_unavailable
from saml_idp.domain.errors import StoreUnavailable

_LARGEST_GROUP: Final = 32
_LONGEST_WAIT: Final = 10.0
_FIRST_PAUSE: Final = 0.000_2
_LONGEST_PAUSE: Final = 0.002
_LOOK_AGAIN: Final = 0.1


class _Group:
    """Units that share one commit."""

    __slots__ = ("failure", "members", "over")

    def __init__(self) -> None:
        self.members = 0
        self.over = threading.Event()
        self.failure: Exception | None = None


class FileLock:
    """A lock between processes; the kernel frees it when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Wait for the lock, at most ten seconds.

        Raises:
            StoreUnavailable: another process holds it for longer.
        """
        if self._descriptor is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, 0o600)
        until = time.monotonic() + _LONGEST_WAIT
        pause = _FIRST_PAUSE
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise StoreUnavailable("another process holds the database") from None
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return

    def release(self) -> None:
        """Free the lock."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the lock's file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class GroupCommit:
    """The one writing connection of this process.

    ``connect`` opens it; it is opened again after a failure.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], lock: FileLock) -> None:
        self._connect = connect
        self._lock = lock
        self._connection: sqlite3.Connection | None = None
        self._turn = threading.Lock()  # held by the unit that runs
        self._counting = threading.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self._owner: int | None = None

    @contextmanager
    def unit(self) -> Iterator[sqlite3.Cursor]:
        """Run the block alone; return when what it wrote is on disk.

        Raises:
            StoreUnavailable: nothing of the block was stored.
        """
        self._take_turn()
        try:
            connection, group = self._begin()
        except BaseException:
            self._give_turn()
            raise
        is_first = group.members == 0
        try:
            yield connection.cursor()
            if not is_first:
                connection.execute("RELEASE unit")
        except BaseException as exc:
            self._undo(connection, group, exc, is_first=is_first)
            if isinstance(exc, sqlite3.Error):
                raise_unavailable(exc)
            raise
        group.members += 1
        self._commit_or_wait(connection, group)
        if group.failure is not None:
            raise StoreUnavailable("the commit failed", reason="commit") from group.failure

    def close(self) -> None:
        """Close connection and lock, once no unit runs."""
        with self._turn:
            self._drop_connection()
            self._lock.close()

    def _take_turn(self) -> None:
        if self._owner == threading.get_ident():
            raise RuntimeError("a unit inside a unit of the same thread")
        with self._counting:
            self._waiting += 1
        try:
            self._turn.acquire()
        finally:
            with self._counting:
                self._waiting -= 1
        self._owner = threading.get_ident()

    def _give_turn(self) -> None:
        self._owner = None
        self._turn.release()

    def _begin(self) -> tuple[sqlite3.Connection, _Group]:
        """Open the group's transaction, or a savepoint in the one that is open."""
        try:
            if self._group is not None and self._connection is not None:
                self._connection.execute("SAVEPOINT unit")
                return self._connection, self._group
            self._lock.acquire()
            try:
                if self._connection is None:
                    self._connection = self._connect()
                self._connection.execute("BEGIN IMMEDIATE")
            except BaseException:
                self._drop_connection()
                self._lock.release()
                raise
        except (sqlite3.Error, OSError) as exc:
            raise_unavailable(exc)
        self._group = _Group()
        return self._connection, self._group

    def _undo(
        self,
        connection: sqlite3.Connection,
        group: _Group,
        exc: BaseException,
        *,
        is_first: bool,
    ) -> None:
        """Take back one failed unit, and no other of its group."""
        with suppress(sqlite3.Error):
            if is_first:
                connection.execute("ROLLBACK")
            else:
                connection.execute("ROLLBACK TO unit")
                connection.execute("RELEASE unit")
        if is_first or not connection.in_transaction:
            # A full disk makes SQLite roll back all of it: then nobody's unit was stored.
            group.failure = exc if isinstance(exc, Exception) else None
            self._end(group)
            self._give_turn()
        elif self._waiting and group.members < _LARGEST_GROUP:
            self._give_turn()
        else:
            self._commit(connection, group)
            self._give_turn()

    def _commit_or_wait(self, connection: sqlite3.Connection, group: _Group) -> None:
        if not self._waiting or group.members >= _LARGEST_GROUP:
            self._commit(connection, group)
            self._give_turn()
            return
        self._give_turn()
        while not group.over.wait(_LOOK_AGAIN):
            # The unit we left the commit to may have been interrupted before it began.
            if self._turn.acquire(blocking=False):
                if self._group is group:
                    self._commit(connection, group)
                self._turn.release()

    def _commit(self, connection: sqlite3.Connection, group: _Group) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as exc:
            group.failure = exc
            self._drop_connection()  # closing rolls back
        self._end(group)

    def _end(self, group: _Group) -> None:
        self._group = None
        self._lock.release()
        group.over.set()

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
