"""Installations that faults are let loose on. Each is made once and copied."""

from collections.abc import Iterator

import pytest

from tests.faults.places import Prepared, prepared
from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """An installation on SQLite."""
    return prepared(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="session")
def on_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[Prepared]:
    """An installation on PostgreSQL."""
    with postgres.database() as url:
        yield prepared(tmp_path_factory.mktemp("faults"), url=url)
