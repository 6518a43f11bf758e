"""When one more try is refused, as a table."""

from datetime import timedelta

import pytest

from saml_idp.domain.throttle import Tally, allowed_at, asks_allowed, retry_after, subject_for
from tests.build import NOW

QUARTER = timedelta(minutes=15)


def tally(failures: int) -> Tally:
    return Tally("alice", failures, NOW)


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        *((n, 0) for n in range(5)),
        (5, 1),
        (6, 2),
        (7, 4),
        (8, 8),
        (9, 16),
        (10, 32),
        (11, 60),
        (12, 60),
        (19, 60),
        (20, 900),
        (99, 900),
    ],
)
def test_the_delay_doubles_from_the_fifth_failure_and_becomes_a_lock(
    failures: int, wait: int
) -> None:
    at = allowed_at(tally(failures))
    assert at == NOW + timedelta(seconds=wait)
    assert retry_after(tally(failures), NOW) == wait


@pytest.mark.parametrize("failures", [100, 101, 10_000])
def test_a_hundred_in_a_row_lock_until_somebody_lifts_it(failures: int) -> None:
    assert allowed_at(tally(failures)) is None
    # the answer does not tell a hard lock from a soft one
    assert retry_after(tally(failures), NOW) == 900
    assert retry_after(tally(failures), NOW + timedelta(days=365)) == 900


@pytest.mark.parametrize(
    ("passed", "wait"), [(0.0, 60), (0.5, 60), (59.0, 1), (59.999, 1), (60.0, 0), (61.0, 0)]
)
def test_the_wait_is_told_in_whole_seconds_rounded_up(passed: float, wait: int) -> None:
    assert retry_after(tally(12), NOW + timedelta(seconds=passed)) == wait


def test_a_known_browser_counts_on_its_own() -> None:
    subjects = {
        subject_for("alice", known_browser=None),
        subject_for("alice", known_browser="mark-1"),
        subject_for("alice", known_browser="mark-2"),
        subject_for("bob", known_browser="mark-1"),
    }
    assert len(subjects) == 4


@pytest.mark.parametrize(
    ("known", "passed", "most"),
    [(True, True, 5), (True, False, 5), (False, True, 5), (False, False, 2)],
)
def test_a_stranger_asks_less_often_where_no_password_stands_before(
    *, known: bool, passed: bool, most: int
) -> None:
    assert asks_allowed(known_browser=known, password_passed=passed) == most
