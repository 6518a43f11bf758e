"""Instants and texts between a row and a domain value."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def stored(at: datetime) -> int:
    """Return the aware instant *at* as whole microseconds since 1970, UTC.

    Raises:
        TypeError: *at* is naive.
    """
    return (at - _EPOCH) // _MICROSECOND


def stored_or_none(at: datetime | None) -> int | None:
    """Return ``stored(at)``, None for None."""
    return stored(at) if at is not None else None


def instant(microseconds: int) -> datetime:
    """Return the instant that ``stored`` made, aware, UTC, to the microsecond."""
    return _EPOCH + timedelta(microseconds=microseconds)


def instant_or_none(microseconds: int | None) -> datetime | None:
    """Return ``instant(microseconds)``, None for None."""
    return instant(microseconds) if microseconds is not None else None


def fitted(text: str, most: int) -> str:
    """Return *text* cut to *most* characters, without what a database cannot hold.

    For what a stranger wrote and a record has to keep: a NUL (PostgreSQL) or a lone
    surrogate must not stop an audit record.
    """
    return text[:most].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
