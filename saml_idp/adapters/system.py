"""Clock and chance of the operating system. The only module that asks for either."""

import base64
import secrets
from datetime import UTC, datetime

from saml_idp.domain.approval import ALPHABET


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        return datetime.now(UTC)


class SystemEntropy:
    """The operating system's generator."""

    def token(self, bits: int = 160) -> str:
        """Return *bits* random bits, rounded up to whole bytes, as unpadded base64url."""
        return base64.urlsafe_b64encode(secrets.token_bytes(-(-bits // 8))).rstrip(b"=").decode()

    def xml_id(self) -> str:
        """Return a fresh xs:ID: ``_`` and 160 random bits in hex (Core 1.3.4)."""
        return f"_{secrets.token_hex(20)}"

    def symbols(self, count: int) -> str:
        """Return *count* uniform characters of ``domain.approval.ALPHABET``.

        The alphabet has 32 characters, a power of two: five bits of a byte are uniform.
        """
        return "".join(ALPHABET[octet & 31] for octet in secrets.token_bytes(count))
