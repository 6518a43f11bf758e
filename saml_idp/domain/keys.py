"""A key as it may be shown: never the key itself."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# What a new assertion key may be (SECURITY-BAR K01); the first is the default.
ALGORITHMS: Final = ("rsa-3072", "p-256", "p-384", "rsa-4096")


class KeyState(StrEnum):
    """Where a key stands in its roll-over."""

    ACTIVE = "active"
    NEXT = "next"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class KeyDescription:
    """What there is to tell of a key.

    ``fingerprint``: SHA-256 of the certificate, as hex pairs with colons. ``not_after``: ISO
    8601. Both and ``key_id`` are empty for a secret, which has no public half, and for a
    retired key, which is not read. ``is_weak``: accepted, with a warning.
    """

    name: str
    state: KeyState
    algorithm: str
    key_id: str = ""
    not_after: str = ""
    fingerprint: str = ""
    is_weak: bool = False
