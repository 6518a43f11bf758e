"""The clock and chance."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""


class Entropy(Protocol):
    """Chance, from the operating system's generator."""

    def token(self, bits: int = 160) -> str:
        """Return *bits* random bits as base64url without padding; a whole number of bytes."""

    def xml_id(self) -> str:
        """Return a fresh xs:ID: ``_`` and 160 random bits in hex (Core 1.3.4)."""

    def symbols(self, count: int) -> str:
        """Return *count* uniform characters of ``domain.approval.ALPHABET``."""
