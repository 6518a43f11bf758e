"""Opaque identifiers. Two identifiers of different things have two types."""

import hashlib
import unicodedata
from typing import NewType

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


def canonical_name(name: str) -> str:
    """Return the one form of a user name that look-up, throttle and policy use.

    NFKC, case folded, outer white space and format characters (such as zero-width
    spaces) removed, so that look-alikes of one name map to one account or to none.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    visible = "".join(c for c in folded if unicodedata.category(c) not in {"Cf", "Cc"})
    return visible.strip()


def digest_of(secret: str) -> Digest:
    """Return the stored form of a random *secret* (128 bits or more): its SHA-256.

    Without salt or work: nobody guesses 128 random bits. Not for passwords.
    """
    return Digest(hashlib.sha256(secret.encode()).hexdigest())
