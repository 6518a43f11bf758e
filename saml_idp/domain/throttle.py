"""When one more try is refused.

One count for password, symbols and recovery codes of an account (D09, W07). It is raised
before the check and taken back only when the check passes; a completed login clears it.
A browser that completed a login of this account before counts on its own (W08), so that a
stranger cannot keep the owner out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

FREE_TRIES: Final = 4  # from the 5th failure on there is a delay
SOFT_LOCK_AT: Final = 20
SOFT_LOCK: Final = timedelta(minutes=15)
HARD_LOCK_AT: Final = 100  # in a row, until an administrator or a recovery lifts it
LONGEST_DELAY: Final = timedelta(seconds=60)

ASK_WINDOW: Final = timedelta(minutes=15)
ASKS_IN_WINDOW: Final = 5
ASKS_FROM_UNKNOWN_BROWSER: Final = 2  # approval alone, a browser that never completed a login
NOT_ME_QUIET: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Tally:
    """Failures in a row of one subject. ``last_at``: of the last try that was counted."""

    subject: str
    failures: int
    last_at: datetime


def subject_for(account: str, *, known_browser: str | None) -> str:
    """Return whose tally counts for *account* (canonical name) from this browser.

    ``known_browser``: the mark of a browser that completed a login of this account before.
    """
    return f"{account}\x1f{known_browser}" if known_browser else account


def allowed_at(tally: Tally) -> datetime | None:
    """Return when the next try is allowed; None: not before the lock is lifted."""
    if tally.failures >= HARD_LOCK_AT:
        return None
    if tally.failures >= SOFT_LOCK_AT:
        return tally.last_at + SOFT_LOCK
    if tally.failures <= FREE_TRIES:
        return tally.last_at
    doublings = min(tally.failures - FREE_TRIES - 1, 6)
    return tally.last_at + min(timedelta(seconds=2**doublings), LONGEST_DELAY)


def retry_after(tally: Tally, now: datetime) -> int:
    """Return the seconds to wait, 0 when a try is allowed; the soft lock's length for a
    hard lock, so that the answer does not tell the two apart.
    """
    if tally.failures <= FREE_TRIES:
        return 0  # whatever the clocks of two nodes say
    at = allowed_at(tally)
    if at is None:
        return int(SOFT_LOCK.total_seconds())
    return max(0, -int((now - at).total_seconds() // 1)) if at > now else 0


def asks_allowed(*, known_browser: bool, password_passed: bool) -> int:
    """Return how many approvals may be asked for an ID within ``ASK_WINDOW``."""
    if known_browser or password_passed:
        return ASKS_IN_WINDOW
    return ASKS_FROM_UNKNOWN_BROWSER
