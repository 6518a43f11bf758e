"""xs:dateTime, read and written. SAML times are UTC (Core 1.3.3)."""

import re
from datetime import UTC, datetime
from typing import Final

_DATE_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,18})?(?:Z|[+-]00:00)"
)


def find_instant(text: str) -> datetime | None:
    """Return the instant that *text* writes, aware, UTC; None where it writes none.

    A zone is needed and is UTC. Parts of a microsecond are cut off. A leap second is no
    xs:dateTime.
    """
    match = _DATE_TIME.fullmatch(text.strip("\t\n\r "))
    if match is None:
        return None
    whole, fraction = match.groups()
    try:
        instant = datetime.fromisoformat(whole)
    except ValueError:
        return None
    micros = int((fraction or ".0")[1:7].ljust(6, "0"))
    return instant.replace(microsecond=micros, tzinfo=UTC)


def written_instant(instant: datetime) -> str:
    """Return *instant* as whole seconds, rounded down, in UTC with ``Z``."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
