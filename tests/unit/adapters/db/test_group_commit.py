"""One commit for all who wait: nobody returns before it is on disk, nobody takes down another."""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saml_idp.adapters.db.group_commit import FileLock, GroupCommit
from saml_idp.adapters.db.sqlite import connect
from saml_idp.domain.errors import StoreUnavailable

_WAIT = 20.0


class Disk(sqlite3.Connection):
    """A connection that can be told to fail, and counts its commits."""

    commits = 0
    full_at: str | None = None

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            type(self).commits += 1
        if type(self).full_at == sql:
            if sql != "COMMIT":
                super().execute("ROLLBACK")  # as SQLite does by itself
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with one table."""
    found = tmp_path / "idp.db"
    connection = connect(found)
    connection.execute("CREATE TABLE kept (word TEXT NOT NULL UNIQUE)")
    connection.close()
    return found


@pytest.fixture
def writer(path: Path) -> GroupCommit:
    Disk.commits, Disk.full_at = 0, None

    def opened() -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, factory=Disk
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    return GroupCommit(opened, FileLock(path.with_name("idp.db.lock")))


def _kept(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    found = {word for (word,) in connection.execute("SELECT word FROM kept")}
    connection.close()
    return found


def _write(writer: GroupCommit, word: str) -> None:
    with writer.unit() as cursor:
        cursor.execute("INSERT INTO kept VALUES (?)", (word,))


def _together(
    writer: GroupCommit, words: list[str], *, before_commit: Callable[[], None] = lambda: None
) -> dict[str, Exception | None]:
    """Run one unit a word, so that all but the first queue while the first still runs."""
    outcomes: dict[str, Exception | None] = {}
    queued = threading.Event()

    def work(word: str) -> None:
        try:
            with writer.unit() as cursor:
                cursor.execute("INSERT INTO kept VALUES (?)", (word,))
                if word == words[0]:
                    queued.wait(_WAIT)
                    before_commit()
                if word.startswith("bad"):
                    raise ValueError(word)
        except (StoreUnavailable, ValueError, sqlite3.Error) as exc:
            outcomes[word] = exc
        else:
            outcomes[word] = None

    threads = [threading.Thread(target=work, args=(word,)) for word in words]
    for thread in threads:
        thread.start()
        until = time.monotonic() + _WAIT
        while writer._owner is None and time.monotonic() < until:
            time.sleep(0.001)
    until = time.monotonic() + _WAIT
    while writer._waiting < len(words) - 1 and time.monotonic() < until:
        time.sleep(0.001)
    queued.set()
    for thread in threads:
        thread.join(_WAIT)
    return outcomes


def test_a_unit_alone_is_committed_at_once(writer: GroupCommit, path: Path) -> None:
    _write(writer, "a")
    assert _kept(path) == {"a"}
    assert Disk.commits == 1


def test_units_that_wait_share_one_commit(writer: GroupCommit, path: Path) -> None:
    words = [f"w{n}" for n in range(8)]
    outcomes = _together(writer, words)
    assert outcomes == dict.fromkeys(words)
    assert _kept(path) == set(words)
    assert Disk.commits == 1


def test_a_group_is_bounded(writer: GroupCommit, path: Path) -> None:
    words = [f"w{n}" for n in range(40)]
    assert _together(writer, words) == dict.fromkeys(words)
    assert _kept(path) == set(words)
    assert Disk.commits == 2


@pytest.mark.parametrize("words", [["bad", "a", "b"], ["a", "bad", "b"], ["a", "b", "bad"]])
def test_a_unit_that_fails_takes_back_only_itself(
    writer: GroupCommit, path: Path, words: list[str]
) -> None:
    outcomes = _together(writer, words)
    assert {word for word, outcome in outcomes.items() if outcome is not None} == {"bad"}
    assert _kept(path) == {"a", "b"}


def test_a_commit_that_fails_fails_for_every_unit_of_its_group(
    writer: GroupCommit, path: Path
) -> None:
    def fill_the_disk() -> None:
        Disk.full_at = "COMMIT"

    outcomes = _together(writer, ["a", "b", "c"], before_commit=fill_the_disk)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes.values())
    assert len(outcomes) == 3
    assert _kept(path) == set()


def test_a_roll_back_of_all_by_the_database_fails_all_before_it(
    writer: GroupCommit, path: Path
) -> None:
    def fill_the_disk() -> None:
        Disk.full_at = "RELEASE unit"

    outcomes = _together(writer, ["a", "b"], before_commit=fill_the_disk)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes.values())
    assert _kept(path) == set()


def test_the_next_unit_works_once_the_disk_has_room(writer: GroupCommit, path: Path) -> None:
    Disk.full_at = "COMMIT"
    with pytest.raises(StoreUnavailable):
        _write(writer, "a")
    Disk.full_at = None
    _write(writer, "b")
    assert _kept(path) == {"b"}


def test_a_unit_inside_a_unit_is_a_mistake_and_no_dead_lock(writer: GroupCommit) -> None:
    with writer.unit(), pytest.raises(RuntimeError):
        _write(writer, "a")


def test_another_process_waits_for_the_lock_and_not_for_ever(
    writer: GroupCommit, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saml_idp.adapters.db.group_commit._LONGEST_WAIT", 0.05)
    other = FileLock(path.with_name("idp.db.lock"))
    other.acquire()
    with pytest.raises(StoreUnavailable):
        _write(writer, "a")
    other.release()
    other.close()
    _write(writer, "b")
    assert _kept(path) == {"b"}
