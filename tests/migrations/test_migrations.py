"""Migrations make the tables that the code has, one step at a time, up and down."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from saml_idp.adapters.db import schema
from saml_idp.adapters.db.store import open_store, parsed_url
from saml_idp.adapters.db.tables import METADATA
from tests.postgres import PostgresServer

_MIGRATIONS = Path(schema.__file__).parent / "migrations"
_HEAD = ScriptDirectory(str(_MIGRATIONS)).get_current_head() or ""
_REVISIONS = sorted(path.stem[:4] for path in (_MIGRATIONS / "versions").glob("*.py"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'idp.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database(template="template0") as found:
        yield found


def _columns_and_constraints(url: str) -> dict[str, Any]:
    """Return what the database itself says of its tables, but for the migrations' own."""
    engine = create_engine(parsed_url(url), poolclass=NullPool)
    looking = inspect(engine)
    found = {}
    for table in sorted(set(looking.get_table_names()) - {"alembic_version"}):
        found[table] = {
            "columns": [{**c, "type": str(c["type"])} for c in looking.get_columns(table)],
            "checks": sorted(str(c) for c in looking.get_check_constraints(table)),
            "indexes": sorted(_index_text(index) for index in looking.get_indexes(table)),
            "unique": sorted(str(u) for u in looking.get_unique_constraints(table)),
            "keys": sorted(str(k) for k in looking.get_foreign_keys(table)),
            "primary": looking.get_pk_constraint(table),
        }
    return found


def _index_text(index: Any) -> str:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


def test_the_migrations_make_the_tables_of_the_code(url: str, tmp_path: Path) -> None:
    schema.upgrade(parsed_url(url))
    assert schema.schema_differences(parsed_url(url)) == []
    migrated = _columns_and_constraints(url)
    engine = create_engine(parsed_url(url), poolclass=NullPool)
    with engine.begin() as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
    assert migrated == _columns_and_constraints(url)


def test_every_step_goes_up_and_down_and_up(url: str) -> None:
    before: list[tuple[str, dict[str, Any]]] = []
    for revision in _REVISIONS:
        before.append((revision, _columns_and_constraints(url)))
        schema.upgrade(parsed_url(url), to=revision)
    at_head = _columns_and_constraints(url)
    for revision, tables in reversed(before):
        below = f"{int(revision) - 1:04d}" if revision != _REVISIONS[0] else "base"
        schema.downgrade(parsed_url(url), to=below)
        assert _columns_and_constraints(url) == tables
    schema.upgrade(parsed_url(url))
    assert _columns_and_constraints(url) == at_head


def test_an_upgrade_at_the_head_changes_nothing(url: str) -> None:
    schema.upgrade(parsed_url(url))
    schema.upgrade(parsed_url(url))
    assert list(schema.faults_of(parsed_url(url))) == []


def test_a_table_that_the_code_does_not_know_is_a_difference(url: str) -> None:
    schema.upgrade(parsed_url(url))
    with create_engine(parsed_url(url), poolclass=NullPool).begin() as connection:
        connection.execute(text("ALTER TABLE people ADD COLUMN mfa_ok INTEGER"))
    assert "mfa_ok" in str(schema.schema_differences(parsed_url(url)))


def test_an_empty_database_is_told_with_its_mend(url: str) -> None:
    store = open_store(url, node="node-1", pool_size=1)
    (fault,) = store.check()
    assert "saml-idp database upgrade" in fault


def test_a_database_of_a_newer_version_is_told(url: str) -> None:
    schema.upgrade(parsed_url(url))
    with create_engine(parsed_url(url), poolclass=NullPool).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store = open_store(url, node="node-1", pool_size=1)
    (fault,) = store.check()
    assert "newer than this version" in fault


def test_revisions_are_numbered_and_have_one_head() -> None:
    assert [f"{n:04d}" for n in range(1, len(_REVISIONS) + 1)] == _REVISIONS
    assert _REVISIONS[-1] == _HEAD


@pytest.mark.parametrize("path", sorted((_MIGRATIONS / "versions").glob("*.py")), ids=str)
def test_a_migration_imports_nothing_of_ours_and_says_why(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert "Why: " in (ast.get_docstring(tree) or "")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            assert not any(re.match(r"saml_idp\b", name) for name in names)
