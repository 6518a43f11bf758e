"""What the database itself refuses, whatever program asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from saml_idp.adapters.db import schema
from saml_idp.adapters.db.store import open_store, parsed_url
from saml_idp.domain.audit import AuditEvent, AuditRecord
from tests.build import NOW, ORIGIN, an_approval, an_attempt
from tests.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A program that is not ours, connected to our database with one record and one approval."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'idp.db'}"
        schema.upgrade(parsed_url(url))
        _fill(url)
        yield create_engine(parsed_url(url), poolclass=NullPool)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        _fill(url)
        yield create_engine(parsed_url(url), poolclass=NullPool)


def _fill(url: str) -> None:
    store = open_store(url, node="node-1", pool_size=1)
    with store.unit() as unit:
        unit.audit.append(AuditRecord(NOW, AuditEvent.METADATA_CHANGED, ORIGIN))
        unit.attempts.add(an_attempt())
        unit.approvals.add(an_approval())
    store.close()


_SECOND_OPEN_APPROVAL = """INSERT INTO approvals SELECT 'second', attempt_id, user_id, identity,
    provider, provider_name, place, browser, nonce, symbols, symbols_count, methods, state,
    known_browser, created_at, expires_at, decided_at, device_id, answer, public_key,
    other_browser_waiting FROM approvals"""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET subject = 'mallory'",
        "DELETE FROM audit",
        "UPDATE approvals SET state = 'yes'",
        "UPDATE attempts SET state = 'admin'",
        "UPDATE attempts SET chain = NULL",
        "INSERT INTO not_me (identity, answered_at) VALUES (NULL, 1)",
        _SECOND_OPEN_APPROVAL,
    ],
)
def test_the_database_refuses(engine: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text(statement))


def test_the_audit_trail_cannot_be_emptied(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(text("TRUNCATE audit"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar_one() == 1


def test_a_login_that_an_approval_refers_to_cannot_be_deleted(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA foreign_keys = ON"))
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text("DELETE FROM attempts"))
