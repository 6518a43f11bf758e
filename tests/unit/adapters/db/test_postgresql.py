"""PostgreSQL that goes away, comes back, or keeps one waiting."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from saml_idp.adapters.db.store import DatabaseStore, open_store
from saml_idp.domain.errors import StoreUnavailable
from tests.build import a_person
from tests.postgres import PostgresServer


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as found:
        yield found


@pytest.fixture
def store(url: str) -> Iterator[DatabaseStore]:
    opened = open_store(url, node="node-1", pool_size=2)
    yield opened
    opened.close()


@pytest.fixture
def cut(postgres: PostgresServer, url: str) -> Callable[[], None]:
    """Cuts every connection to the database, as a restart of the server does."""
    name = url.partition("@/")[2].partition("?")[0]
    told = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    return lambda: postgres.run(told)


def _add(store: DatabaseStore, name: str) -> None:
    with store.unit() as unit:
        unit.people.add(a_person(name), None)


def _names(store: DatabaseStore) -> set[str]:
    with store.view() as unit:
        return {person.username for person in unit.people.search("", limit=100)}


def test_connections_that_died_in_the_pool_cost_nothing(
    store: DatabaseStore, cut: Callable[[], None]
) -> None:
    _add(store, "alice")
    cut()
    _add(store, "bob")
    cut()
    assert _names(store) == {"alice", "bob"}


def test_a_connection_that_dies_in_a_unit_stores_nothing(
    store: DatabaseStore, cut: Callable[[], None]
) -> None:
    def lose_the_connection() -> None:
        with store.unit() as unit:
            unit.people.add(a_person(), None)
            cut()

    with pytest.raises(StoreUnavailable):
        lose_the_connection()
    assert _names(store) == set()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    url = "postgresql://idp:very-secret@/idp?host=/nonexistent"
    store = open_store(url, node="node-1", pool_size=1)
    with pytest.raises(StoreUnavailable) as caught:
        _add(store, "alice")
    assert "very-secret" not in str(caught.value)
    with pytest.raises(StoreUnavailable), store.view():
        pass
    (fault,) = store.check()
    assert "very-secret" not in fault


def test_a_lock_is_not_waited_for_longer_than_a_second(store: DatabaseStore) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store.unit() as unit:
            unit.people.lock_administrators()
            held.set()
            done.wait(20)

    def want() -> None:
        with store.unit() as unit:
            unit.people.lock_administrators()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        want()
    assert 0.9 < time.monotonic() - started < 2.8  # before the statement itself times out
    done.set()
    thread.join()
    want()


def test_a_view_cannot_write(store: DatabaseStore) -> None:
    with store.view() as unit, pytest.raises(StoreUnavailable):
        unit.people.add(a_person(), None)


def test_administrators_are_changed_one_unit_at_a_time(store: DatabaseStore) -> None:
    """Two units that each look before they write must not both pass."""
    begin = threading.Barrier(2)

    def add_if_none() -> None:
        begin.wait()
        with store.unit() as unit:
            unit.people.lock_administrators()
            if not unit.people.search("", limit=1):
                time.sleep(0.05)
                unit.people.add(a_person(f"user-{threading.get_ident()}"), None)

    threads = [threading.Thread(target=add_if_none) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_names(store)) == 1
