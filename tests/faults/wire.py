"""A wire between the product and PostgreSQL that a test may cut, to the message."""

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Final, Literal

from tests.postgres import PostgresServer

Where = Literal["before", "after"]
_COMMIT: Final = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # a simple query of the protocol
_SOCKET: Final = ".s.PGSQL.5432"


@dataclass
class Wire:
    """Passes octets both ways, until told otherwise. ``directory``: the host for clients."""

    server: PostgresServer
    directory: Path
    _listener: socket.socket | None = None
    _ends: list[socket.socket] = field(default_factory=list)
    _commits_to_come: int = 0
    _where: Where = "after"

    def url(self, database_url: str) -> str:
        """Return *database_url*, reached through this wire."""
        return database_url.replace(str(self.server.directory), str(self.directory))

    def cut_at_commit(self, number: int, where: Where) -> None:
        """Cut the connection at the COMMIT number *number* from here.

        *before*: the server never hears it; *after*: it has committed, and nobody hears that.
        """
        self._commits_to_come, self._where = number, where

    @property
    def is_whole(self) -> bool:
        """True when no cut is to come."""
        return self._commits_to_come == 0

    def up(self) -> None:
        """Take connections."""
        listener = self._listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.directory / _SOCKET))
        listener.listen()
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def down(self) -> None:
        """Cut every connection and take no more."""
        listener, self._listener = self._listener, None
        if listener is not None:
            (self.directory / _SOCKET).unlink()
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        while self._ends:
            _cut(self._ends.pop())

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # down
            database = socket.socket(socket.AF_UNIX)
            database.connect(str(self.server.directory / _SOCKET))
            self._ends += [client, database]
            threading.Thread(target=self._pass_on, args=(client, database), daemon=True).start()

    def _pass_on(self, client: socket.socket, database: socket.socket) -> None:
        other = {client: database, database: client}
        with suppress(OSError, ValueError):  # ValueError: closed by ``down``
            while True:
                for source in select([client, database], [], [])[0]:
                    octets = source.recv(65_536)
                    if octets == _COMMIT and self._is_cut_here():
                        if self._where == "after":
                            database.sendall(octets)
                            database.recv(1)  # it has committed
                        octets = b""
                    if not octets:
                        _cut(client)
                        _cut(database)
                    other[source].sendall(octets)

    def _is_cut_here(self) -> bool:
        if self._commits_to_come == 0:
            return False
        self._commits_to_come -= 1
        return self._commits_to_come == 0


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def wire_to(server: PostgresServer) -> Iterator[Wire]:
    """Yield a wire to *server* that is up."""
    directory = Path(tempfile.mkdtemp(prefix="idp-wire-", dir="/tmp"))  # a socket's path is short
    wire = Wire(server, directory)
    wire.up()
    try:
        yield wire
    finally:
        wire.down()
        shutil.rmtree(directory)
