"""The store that each case of a conformance suite runs against: fake, SQLite, PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, cast

import pytest

from saml_idp.adapters.db import schema
from saml_idp.adapters.db.store import open_store, parsed_url
from saml_idp.ports.store import Store
from tests.fakes import FakeStore
from tests.postgres import PostgresServer, empty

DATABASES: Final = ("sqlite", "postgresql")
_POOL: Final = 8

OpenNode = Callable[[str], Store]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database at the newest revision."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    schema.upgrade(parsed_url(f"sqlite:///{path}"))
    return path


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path
) -> Iterator[str]:
    """The URL of a new database of the engine that the case names."""
    if request.param == "sqlite":
        path = tmp_path / "idp.db"
        shutil.copy(sqlite_template, path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture
def open_node(request: pytest.FixtureRequest) -> Iterator[OpenNode]:
    """Opens stores, one for each node of a cluster, and closes them at the end."""
    with ExitStack() as stack:

        def opened(url: str) -> Store:
            store = open_store(url, node="node-1", pool_size=_POOL)
            stack.callback(store.close)
            return store

        yield opened


@pytest.fixture(scope="session")
def postgres_store(postgres: PostgresServer) -> Iterator[tuple[str, Store]]:
    """A store that the cases of this process share, and its URL; emptied before each case."""
    with postgres.database() as url:
        store = open_store(url, node="node-1", pool_size=_POOL)
        yield url, store
        store.close()


@pytest.fixture(params=["fake", *DATABASES])
def store(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    sqlite_template: Path,
    open_node: OpenNode,
) -> Store:
    """An empty store of each kind."""
    if request.param == "fake":
        return FakeStore()
    if request.param == "sqlite":
        path = tmp_path / "idp.db"
        shutil.copy(sqlite_template, path)
        return open_node(f"sqlite:///{path}")
    url, shared = request.getfixturevalue("postgres_store")
    empty(url)
    return cast("Store", shared)
