"""xs:dateTime in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.saml.instants import find_instant, written_instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-04T12:00:00Z", datetime(2026, 5, 4, 12, tzinfo=UTC)),
        ("2026-05-04T12:00:00+00:00", datetime(2026, 5, 4, 12, tzinfo=UTC)),
        ("2026-05-04T12:00:00-00:00", datetime(2026, 5, 4, 12, tzinfo=UTC)),
        (" \n2026-05-04T12:00:00Z\t", datetime(2026, 5, 4, 12, tzinfo=UTC)),
        ("2026-05-04T12:00:00.5Z", datetime(2026, 5, 4, 12, microsecond=500_000, tzinfo=UTC)),
        (
            "2026-05-04T12:00:00.1234569Z",
            datetime(2026, 5, 4, 12, microsecond=123_456, tzinfo=UTC),
        ),
        ("2026-05-04T12:00:00.Z", None),
        ("2026-05-04T12:00:00+01:00", None),
        ("2026-05-04T24:00:00Z", None),
        ("2026-5-4T12:00:00Z", None),
        ("0000-01-01T00:00:00Z", None),
        ("20260504T120000Z", None),
        ("2026-05-04 12:00:00Z", None),
        ("2026-05-04T12:00:00z", None),
        ("2026-05-04T12:00Z", None),
        ("-2026-05-04T12:00:00Z", None),
        ("12026-05-04T12:00:00Z", None),
    ],
)
def test_an_instant_is_read_or_it_is_not(text: str, expected: datetime | None) -> None:
    assert find_instant(text) == expected


def test_an_instant_is_written_in_utc_and_whole_seconds() -> None:
    east = timezone(timedelta(hours=2))
    assert written_instant(datetime(2026, 5, 4, 14, 0, 0, 999_999, tzinfo=east)) == (
        "2026-05-04T12:00:00Z"
    )


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)))  # noqa: DTZ001
def test_what_was_written_is_read_again(instant: datetime) -> None:
    assert find_instant(written_instant(instant)) == instant.replace(microsecond=0)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert find_instant(text) is None or "T" in text
