"""A folder is followed: with notices, without, and when it goes away."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import watchfiles

from saml_idp.adapters.folder_watch import FolderWatch
from saml_idp.adapters.policy_files import PolicyFileChange, PolicyFiles
from saml_idp.domain.errors import StoreUnavailable
from saml_idp.domain.ids import EntityId

JIRA = EntityId("https://jira.example.com")
SOON = 3.0  # seconds; a second is promised, a busy machine gets more


class Watched:
    """Policies that are followed, and a bell for each change."""

    def __init__(self, directory: Path, *, notices: bool) -> None:
        self.directory = directory
        self.rings = threading.Semaphore(0)
        self.files = PolicyFiles(
            directory, lock_out_guard=lambda: True, on_change=self._ring, on_faults=self._ring
        )
        sweep = 5.0 if notices else 0.05
        self.watch = FolderWatch(
            directory, self.files.refresh, notices=notices, sweep_seconds=sweep
        )

    def _ring(self, _told: object) -> None:
        self.rings.release()

    def saves(self, text: str) -> None:
        (self.directory / "jira.toml").write_text(f'entity_id = "{JIRA}"\n{text}')


@pytest.fixture(params=[True, False], ids=["notices", "looks"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    directory = tmp_path / "policies"
    directory.mkdir()
    made = Watched(directory, notices=request.param)
    made.watch.start()
    yield made
    made.watch.stop()


def test_a_saved_change_counts_soon(watched: Watched) -> None:
    for symbols in (5, 6):
        watched.saves(f"login.access_symbols = {symbols}")
        assert watched.rings.acquire(timeout=SOON)
        assert watched.files.policy_for(JIRA).access_symbols == symbols


def test_a_fault_is_told_soon_and_its_mending_too(watched: Watched) -> None:
    watched.saves("login.access_symbols = 9")
    assert watched.rings.acquire(timeout=SOON)
    assert watched.files.faults()
    watched.saves("login.access_symbols = 5")
    assert watched.rings.acquire(timeout=SOON)
    assert watched.rings.acquire(timeout=SOON)
    assert watched.files.faults() == ()


def test_a_folder_that_goes_and_comes_back_is_followed_again(watched: Watched) -> None:
    watched.saves("login.access_symbols = 5")
    assert watched.rings.acquire(timeout=SOON)
    away = watched.directory.with_name("away")
    watched.directory.rename(away)
    assert watched.rings.acquire(timeout=2 * SOON)
    assert watched.files.policy_for(JIRA).access_symbols == 5
    away.rename(watched.directory)
    watched.saves("login.access_symbols = 6")
    while watched.files.policy_for(JIRA).access_symbols != 6:
        assert watched.rings.acquire(timeout=2 * SOON)


def test_what_changed_before_the_watch_began_counts(tmp_path: Path) -> None:
    directory = tmp_path / "policies"
    directory.mkdir()
    made = Watched(directory, notices=True)
    made.saves("login.access_symbols = 5")
    made.watch.start()
    assert made.rings.acquire(timeout=SOON)
    made.watch.stop()


def test_without_notices_from_the_system_it_looks_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_paths: object, **_named: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(watchfiles, "watch", none_left)
    directory = tmp_path / "policies"
    directory.mkdir()
    made = Watched(directory, notices=True)
    made.watch.start()
    made.saves("login.access_symbols = 5")
    assert made.rings.acquire(timeout=SOON)
    made.watch.stop()


def test_a_change_that_cannot_be_told_does_not_end_the_watch(tmp_path: Path) -> None:
    directory = tmp_path / "policies"
    directory.mkdir()
    told = threading.Semaphore(0)

    def cannot(_change: PolicyFileChange) -> None:
        told.release()
        raise StoreUnavailable("the database does not answer")

    files = PolicyFiles(directory, lock_out_guard=lambda: True, on_change=cannot)
    files.watch()
    for symbols in (5, 6):
        (directory / "jira.toml").write_text(
            f'entity_id = "{JIRA}"\nlogin.access_symbols = {symbols}'
        )
        assert told.acquire(timeout=SOON)
        assert files.policy_for(JIRA).access_symbols == symbols
    files.stop()


def test_it_ends_at_once_and_may_be_ended_twice(tmp_path: Path) -> None:
    looks = threading.Semaphore(0)

    def refresh(*, wait: Callable[[], None] | None = None) -> None:
        looks.release()

    watch = FolderWatch(tmp_path, refresh)
    watch.stop()
    watch.start()
    watch.start()
    assert looks.acquire(timeout=SOON)
    watch.stop()
    watch.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch ")]
