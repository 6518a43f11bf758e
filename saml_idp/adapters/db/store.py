"""The store on a database: opens units, and says what is wrong with the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from saml_idp.adapters.db import schema
from saml_idp.adapters.db.approvals import Approvals
from saml_idp.adapters.db.attempts import Attempts
from saml_idp.adapters.db.audit import Audit
from saml_idp.adapters.db.devices import Devices
from saml_idp.adapters.db.people import People
from saml_idp.adapters.db.postgresql import PostgresDatabase
from saml_idp.adapters.db.receipts import Receipts
from saml_idp.adapters.db.sessions import Sessions
from saml_idp.adapters.db.sqlite import SqliteDatabase
from saml_idp.adapters.db.tallies import Tallies
from saml_idp.adapters.db.transaction import Transaction
from saml_idp.domain.errors import ConfigurationError, Fault

Database = SqliteDatabase | PostgresDatabase


@dataclass(frozen=True, slots=True)
class DatabaseUnit:
    """The stores, inside one transaction."""

    attempts: Attempts
    approvals: Approvals
    devices: Devices
    people: People
    sessions: Sessions
    tallies: Tallies
    audit: Audit
    receipts: Receipts


class DatabaseStore:
    """The ``Store`` on SQLite or PostgreSQL. ``node``: the name of this server."""

    def __init__(self, database: Database, *, node: str) -> None:
        self._database = database
        self._node = node

    @contextmanager
    def unit(self) -> Iterator[DatabaseUnit]:
        """Open a unit of work that writes."""
        with self._database.writing() as transaction:
            yield self._unit_on(transaction)

    @contextmanager
    def view(self) -> Iterator[DatabaseUnit]:
        """Open a unit that reads a consistent snapshot and writes nothing."""
        with self._database.reading() as transaction:
            yield self._unit_on(transaction)

    def check(self) -> Sequence[str]:
        """Return what is wrong with the database (unreachable, schema behind, corrupt)."""
        return schema.faults_of(self._database.url)

    def close(self) -> None:
        """Close the connections; the store opens new ones when it is used again."""
        self._database.close()

    def _unit_on(self, transaction: Transaction) -> DatabaseUnit:
        return DatabaseUnit(
            Attempts(transaction),
            Approvals(transaction),
            Devices(transaction),
            People(transaction),
            Sessions(transaction),
            Tallies(transaction),
            Audit(transaction, node=self._node),
            Receipts(transaction),
        )


def open_store(url: str, *, node: str, pool_size: int) -> DatabaseStore:
    """Return the store at *url*. Connects when it is first used.

    Args:
        url: ``sqlite:///relative/path``, ``sqlite:////absolute/path`` or
            ``postgresql://user@host/name``.
        node: the name of this server, in every audit record; at most 128 characters.
        pool_size: connections of this process; the number of its threads.

    Raises:
        ConfigurationError: *url* is not one of these.
    """
    parsed = parsed_url(url)
    if parsed.get_backend_name() == "sqlite":
        return DatabaseStore(SqliteDatabase(parsed, pool_size=pool_size), node=node)
    return DatabaseStore(PostgresDatabase(parsed, pool_size=pool_size), node=node)


def parsed_url(url: str) -> URL:
    """Return *url* with the driver that we use.

    Raises:
        ConfigurationError: it names no SQLite file and no PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _wrong_url("this is not the URL of a database") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise _wrong_url("a database in memory is gone with the process")
        return parsed.set(drivername="sqlite")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise _wrong_url(f"{backend} is not supported")


def _wrong_url(problem: str) -> ConfigurationError:
    mend = "write sqlite:////path/to/file or postgresql://user@host/name"
    return ConfigurationError([Fault("settings", 0, 0, "database", problem, mend)])
