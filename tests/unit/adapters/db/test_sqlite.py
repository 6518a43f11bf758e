"""The SQLite file: private, durable, and honest when it is damaged or full."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from saml_idp.adapters.db import schema
from saml_idp.adapters.db.sqlite import connect
from saml_idp.adapters.db.store import DatabaseStore, open_store, parsed_url
from saml_idp.domain.errors import ConfigurationError, StoreUnavailable
from tests.build import a_person


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "idp.db"
    schema.upgrade(parsed_url(f"sqlite:///{found}"))
    return found


def _open(path: Path) -> DatabaseStore:
    return open_store(f"sqlite:///{path}", node="node-1", pool_size=2)


def _add(store: DatabaseStore, name: str) -> None:
    with store.unit() as unit:
        unit.people.add(a_person(name), None)


def test_no_one_else_can_read_the_files(path: Path) -> None:
    store = _open(path)
    _add(store, "alice")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("idp.db*")}
    assert modes == dict.fromkeys(("idp.db", "idp.db-wal", "idp.db-shm", "idp.db.lock"), 0o600)
    store.close()


def test_a_commit_is_on_disk_when_it_returns(path: Path) -> None:
    """FULL is 2; NORMAL would lose receipts that were reported stored in a power cut (X10)."""
    with closing(connect(path)) as connection:
        told = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "journal_mode", "foreign_keys", "busy_timeout")
        }
    assert told == {
        "synchronous": 2,
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


def test_a_view_cannot_write(path: Path) -> None:
    store = _open(path)
    with store.view() as unit, pytest.raises(StoreUnavailable):
        unit.people.add(a_person(), None)
    store.close()


def test_a_damaged_file_is_told_and_serves_nothing(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4096)
    store = _open(path)
    (fault,) = store.check()
    assert fault.startswith("the database")
    with pytest.raises(StoreUnavailable):
        _add(store, "alice")
    with pytest.raises(StoreUnavailable), store.view():
        pass


def test_a_damaged_page_is_told_by_the_check(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'people'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * 64)
    faults = _open(path).check()
    assert any("damaged" in fault or "malformed" in fault for fault in faults)


@pytest.mark.parametrize("where", ["", "no/such/folder/idp.db"])
def test_a_place_that_is_no_file_is_unavailable(tmp_path: Path, where: str) -> None:
    store = _open(tmp_path / where)
    with pytest.raises(StoreUnavailable):
        _add(store, "alice")
    with pytest.raises(StoreUnavailable), store.view():
        pass
    assert len(store.check()) == 1


def test_a_full_disk_stores_nothing_and_passes(path: Path) -> None:
    store = _open(path)
    _add(store, "first")
    connection = store._database._writer._connection  # type: ignore[union-attr]
    assert connection is not None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        for number in range(500):
            _add(store, f"user-{number}-" + "x" * 100)

    with pytest.raises(StoreUnavailable):
        fill()
    connection.execute("PRAGMA max_page_count = 1000000")
    _add(store, "last")
    with store.view() as unit:
        names = {person.username for person in unit.people.search("", limit=1000)}
    assert {"first", "last"} <= names
    assert list(store.check()) == []
    store.close()


@pytest.mark.parametrize(
    "url", ["", "idp.db", "sqlite://", "sqlite:///:memory:", "mysql://a@b/c", "://", "sqlite:"]
)
def test_what_is_no_database_of_ours_is_a_mistake_in_the_settings(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_store(url, node="node-1", pool_size=1)
    assert "postgresql://" in str(caught.value)
