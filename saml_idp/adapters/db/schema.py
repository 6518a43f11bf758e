"""The tables' migrations: bring a database to the newest, compare it with ``tables.py``."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from saml_idp.adapters.db.sqlite import connect
from saml_idp.adapters.db.tables import METADATA
from saml_idp.adapters.db.transaction import raise_unavailable
from saml_idp.domain.errors import StoreUnavailable

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_UPGRADE_LOCK: Final = 0x5A31_1D9E  # one process migrates at a time; any number will do


def upgrade(url: URL, *, to: str = "head") -> None:
    """Bring the database at *url* to the revision *to*; does nothing when it is there.

    The folder of a SQLite file is made, for its owner alone, where there is none.

    Raises:
        StoreUnavailable: the database does not answer, or refuses.
    """
    if url.get_backend_name() == "sqlite" and url.database:
        _make_folder(Path(url.database).parent)
    with _connection(url) as connection:
        command.upgrade(_config(connection), to)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        reason = f"{folder} cannot be made: {exc.strerror}"
        raise StoreUnavailable(reason) from None


def downgrade(url: URL, *, to: str) -> None:
    """Take the database at *url* back to the revision *to*.

    Raises:
        StoreUnavailable: the database does not answer, or refuses.
    """
    with _connection(url) as connection:
        command.downgrade(_config(connection), to)


def new_revision(url: URL, message: str) -> Path:
    """Write a new migration from what ``tables.py`` has and the database has not."""
    with _connection(url) as connection:
        config = _config(connection)
        following = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        made = command.revision(config, message, autogenerate=True, rev_id=f"{following:04d}")
    script = made[0] if isinstance(made, list) else made
    return Path(script.path if script is not None else _MIGRATIONS)


def schema_differences(url: URL) -> Sequence[str]:
    """Return how the database at *url* differs from ``tables.py``, empty when it does not."""
    with _connection(url) as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": METADATA})
        return [str(difference) for difference in compare_metadata(context, METADATA)]


def faults_of(url: URL) -> Sequence[str]:
    """Return what is wrong with the database at *url*, with the mend; empty when nothing is."""
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite and not Path(url.database or "").exists():
        return ["the database does not exist yet: run saml-idp database upgrade"]
    try:
        with _engine(url).connect() as connection:
            faults = _revision_faults(connection)
            if is_sqlite:
                faults += _file_faults(connection)
    except (SQLAlchemyError, sqlite3.Error, OSError) as exc:
        cause = exc.__cause__ or exc
        first_line = str(cause).partition("\n")[0]
        if type(cause) is sqlite3.DatabaseError:  # SQLITE_CORRUPT, SQLITE_NOTADB: no subclass
            return [_damaged(first_line)]
        return [f"the database does not answer: {first_line}"]
    return faults


def _revision_faults(connection: Connection) -> list[str]:
    wanted = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    found = MigrationContext.configure(connection).get_current_revision()
    if found == wanted:
        return []
    if found is None:
        return ["the database has no tables yet: run saml-idp database upgrade"]
    if wanted is not None and found > wanted:
        return [
            f"the database is at {found}, newer than this version ({wanted}): install the newer"
        ]
    return [
        f"the database is at {found}, this version wants {wanted}: run saml-idp database upgrade"
    ]


def _file_faults(connection: Connection) -> list[str]:
    told = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
    if told == "ok":
        return []
    return [_damaged(str(told))]


def _damaged(told: str) -> str:
    return f"the database file is damaged ({told}): restore the last backup"


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = METADATA
    return config


@contextmanager
def _connection(url: URL) -> Iterator[Connection]:
    """Open a connection inside one transaction, alone among those that migrate."""
    try:
        with _engine(url).begin() as connection:
            if url.get_backend_name() == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
            yield connection
    except (SQLAlchemyError, CommandError, OSError) as exc:
        raise_unavailable(exc)


def _engine(url: URL) -> Any:
    if url.get_backend_name() == "postgresql":
        return create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 5})
    path = Path(url.database or "")
    engine = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)
    # DDL belongs to the transaction too: a migration that fails half-way leaves nothing.
    event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine
