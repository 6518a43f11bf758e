"""Opaque identifiers. Two identifiers of different things have two types."""

import hashlib
import unicodedata
from typing import Final, NewType

EntityId = NewType("EntityId", str)  # a SAML entityID, compared byte for byte
AttemptId = NewType("AttemptId", str)  # 128 random bits or more, URL-safe
ApprovalId = NewType("ApprovalId", str)
EvidenceId = NewType("EvidenceId", str)  # a verified password, in the store
UserId = NewType("UserId", str)  # never reused, never shown
ApprovalIdentity = NewType("ApprovalIdentity", str)  # the user's "ID", for example "alice"
DeviceId = NewType("DeviceId", str)
SessionId = NewType("SessionId", str)  # public half; the cookie's secret is stored as a hash
AssertionId = NewType("AssertionId", str)  # xs:ID of an issued assertion
Digest = NewType("Digest", str)  # lower-case hex SHA-256 of a secret

# Shown as nothing and yet no format characters: joiner, fillers, variation selectors
# (Unicode Default_Ignorable_Code_Point).
_HIDDEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {
    chr(c) for c in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}


def canonical_name(name: str) -> str:
    """Return the one form of a user name that look-up, throttle and policy use.

    NFKC, case folded, outer white space and characters that do not show (such as
    zero-width spaces) removed, so that look-alikes of one name map to one account or to none.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    visible = "".join(c for c in folded if c not in _HIDDEN and _shows(c)).strip()
    # What a hidden character kept apart may now compose: until nothing changes any more.
    return visible if visible == name else canonical_name(visible)


def _shows(character: str) -> bool:
    return unicodedata.category(character) not in {"Cf", "Cc", "Cs"}


def digest_of(secret: str) -> Digest:
    """Return the stored form of a random *secret* (128 bits or more): its SHA-256.

    Without salt or work: nobody guesses 128 random bits. Not for passwords.
    """
    return Digest(hashlib.sha256(secret.encode()).hexdigest())
