"""The port ``TallyStore``: every try is counted before it is checked (W07)."""

import pytest

from saml_idp.domain.throttle import (
    FREE_TRIES,
    HARD_LOCK_AT,
    SOFT_LOCK,
    SOFT_LOCK_AT,
    Tally,
    subject_for,
)
from saml_idp.ports.store import Store
from tests.build import NOW, seconds

ALICE = subject_for("alice", known_browser=None)
KNOWN = subject_for("alice", known_browser="mark")


def test_a_subject_without_a_failure_has_no_tally(store: Store) -> None:
    with store.unit() as unit:
        assert unit.tallies.find(ALICE) is None
        unit.tallies.take_back(ALICE)
        unit.tallies.clear("alice")
        assert unit.tallies.find(ALICE) is None


def test_tries_are_counted_until_there_is_a_delay(store: Store) -> None:
    with store.unit() as unit:
        allowed = [unit.tallies.count_try(ALICE, NOW) for _ in range(FREE_TRIES + 1)]
        assert allowed == [0] * (FREE_TRIES + 1)
        assert unit.tallies.count_try(ALICE, NOW) == 1
        assert unit.tallies.find(ALICE) == Tally(ALICE, FREE_TRIES + 1, NOW)


def test_a_refused_try_is_not_counted(store: Store) -> None:
    with store.unit() as unit:
        for _ in range(FREE_TRIES + 1):
            unit.tallies.count_try(ALICE, NOW)
        for _ in range(50):
            assert unit.tallies.count_try(ALICE, NOW + seconds(0.5)) == 1
        assert unit.tallies.count_try(ALICE, NOW + seconds(1)) == 0
        assert unit.tallies.find(ALICE) == Tally(ALICE, FREE_TRIES + 2, NOW + seconds(1))


def test_the_hard_lock_does_not_pass(store: Store) -> None:
    now = NOW
    with store.unit() as unit:
        for _ in range(HARD_LOCK_AT):
            assert unit.tallies.count_try(ALICE, now) == 0
            now += SOFT_LOCK
        assert unit.tallies.count_try(ALICE, now + seconds(1_000_000)) > 0


def test_a_try_that_passed_is_taken_back(store: Store) -> None:
    with store.unit() as unit:
        unit.tallies.count_try(ALICE, NOW)
        unit.tallies.count_try(ALICE, NOW)
        unit.tallies.take_back(ALICE)
        assert unit.tallies.find(ALICE) == Tally(ALICE, 1, NOW - SOFT_LOCK)
        unit.tallies.take_back(ALICE)
        unit.tallies.take_back(ALICE)
        assert unit.tallies.find(ALICE) is None


def test_who_waited_and_passed_does_not_wait_again(store: Store) -> None:
    now = NOW
    with store.unit() as unit:
        for _ in range(SOFT_LOCK_AT):
            assert unit.tallies.count_try(ALICE, now) == 0
            now += SOFT_LOCK
        for _ in range(3):  # the steps of one login
            assert unit.tallies.count_try(ALICE, now) == 0
            unit.tallies.take_back(ALICE)
        assert unit.tallies.count_try(ALICE, now) == 0
        assert unit.tallies.count_try(ALICE, now) == SOFT_LOCK.total_seconds()


@pytest.mark.parametrize("account", ["alice", "al%", "", "Ålice", "a\x01b"])
def test_an_account_is_cleared_from_every_browser_and_alone(store: Store, account: str) -> None:
    subjects = [account, f"{account}\x1fmark", f"{account}2", f"2{account}"]
    with store.unit() as unit:
        for subject in subjects:
            unit.tallies.count_try(subject, NOW)
        unit.tallies.clear(account)
        assert [unit.tallies.find(s) is None for s in subjects] == [True, True, False, False]


def test_a_known_browser_counts_on_its_own(store: Store) -> None:
    with store.unit() as unit:
        for _ in range(FREE_TRIES + 1):
            unit.tallies.count_try(ALICE, NOW)
        assert unit.tallies.count_try(KNOWN, NOW) == 0


def test_old_tallies_are_deleted_but_for_hard_locks(store: Store) -> None:
    now = NOW
    with store.unit() as unit:
        for _ in range(HARD_LOCK_AT):
            assert unit.tallies.count_try(ALICE, now) == 0
            now += SOFT_LOCK
        for name in ("bob", "carol", "dave"):
            unit.tallies.count_try(name, NOW)
        after = now + seconds(1)
        assert unit.tallies.delete_before(NOW, limit=10) == 0
        assert unit.tallies.delete_before(after, limit=2) == 2
        assert unit.tallies.delete_before(after, limit=2) == 1
        assert unit.tallies.find(ALICE) is not None
