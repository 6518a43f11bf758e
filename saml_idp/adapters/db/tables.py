"""Every table, in one file.

Times are whole microseconds since 1970, UTC, and enumerations are text, so that a row is the
same on SQLite and PostgreSQL and no driver converts anything. Every text has a bound.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite's STRICT tables know five types only.
_INSTANT: Final = BigInteger().with_variant(Integer(), "sqlite")
_FLAG: Final = Boolean().with_variant(Integer(), "sqlite")

_ID: Final = 128
_NAME: Final = 320
_URI: Final = 1024
_LONG: Final = 65_536
_LISTS: Final = 2_097_152
_HASH: Final = 512
_DIGEST: Final = 64

ATTEMPT_IS_OVER: Final = text("state IN ('done', 'refused', 'expired')")
ATTEMPT_IS_OPEN: Final = text("state NOT IN ('done', 'refused', 'expired')")
APPROVAL_IS_OPEN: Final = text("state IN ('pending', 'fetched')")


def _texts(name: str, most: int, *, null: bool = False) -> Column[str]:
    """Return a column of text with at most *most* characters."""
    bound = CheckConstraint(f"length({name}) <= {most}", name=f"{name}_length")
    return Column(name, Text, bound, nullable=null)


def _key(name: str, most: int = _ID) -> Column[str]:
    bound = CheckConstraint(f"length({name}) <= {most}", name=f"{name}_length")
    return Column(name, Text, bound, primary_key=True)


def _refers(name: str, to: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, ForeignKey(to), nullable=null)


def _at(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, _INSTANT, nullable=null)


def _flag(name: str) -> Column[bool]:
    return Column(name, _FLAG, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _one_of(name: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} IN ({listed})", name=f"{name}_known")


attempts: Final = Table(
    "attempts",
    METADATA,
    _key("attempt_id"),
    _texts("browser", _DIGEST),
    _texts("provider", _URI),
    _texts("request_id", _URI, null=True),
    _texts("request", _LONG),
    _texts("steps", 64),
    _texts("state", 32),
    _texts("chain", _LONG * 2),
    _texts("user_id", _ID, null=True),
    _texts("entered_name", _NAME, null=True),
    _texts("ended_because", _ID, null=True),
    _at("created_at"),
    _at("expires_at"),
    _number("version"),
    # A provider's request is answered once: the replay check of every login.
    UniqueConstraint("provider", "request_id"),
    _one_of(
        "state",
        "opened",
        "awaiting_password",
        "awaiting_name",
        "awaiting_approval",
        "chain_complete",
        "done",
        "refused",
        "expired",
    ),
    Index(
        "ix_attempts_open", "state", sqlite_where=ATTEMPT_IS_OPEN, postgresql_where=ATTEMPT_IS_OPEN
    ),
    Index(None, "expires_at"),
    sqlite_strict=True,
)

approvals: Final = Table(
    "approvals",
    METADATA,
    _key("approval_id"),
    _refers("attempt_id", "attempts.attempt_id", null=True),
    _texts("user_id", _ID, null=True),
    _texts("identity", _NAME),
    _texts("provider", _URI),
    _texts("provider_name", _URI),
    _texts("place", _NAME),
    _texts("browser", _NAME),
    _texts("nonce", _ID),
    _texts("symbols", 256),
    _number("symbols_count"),
    _texts("methods", _ID),
    _texts("state", 32),
    _flag("known_browser"),
    _at("created_at"),
    _at("expires_at"),
    _at("decided_at", null=True),
    _texts("device_id", _ID, null=True),
    _texts("answer", _LONG, null=True),
    _texts("public_key", 4096, null=True),
    _flag("other_browser_waiting"),
    _one_of(
        "state",
        "pending",
        "fetched",
        "granted",
        "spent",
        "denied",
        "failed",
        "expired",
        "cancelled",
        "superseded",
    ),
    Index(
        "uq_approvals_open_identity",
        "identity",
        unique=True,
        sqlite_where=APPROVAL_IS_OPEN,
        postgresql_where=APPROVAL_IS_OPEN,
    ),
    Index(
        "ix_approvals_open_expires_at",
        "expires_at",
        sqlite_where=APPROVAL_IS_OPEN,
        postgresql_where=APPROVAL_IS_OPEN,
    ),
    Index(None, "identity", "created_at"),
    Index(None, "attempt_id"),
    Index(None, "user_id"),
    sqlite_strict=True,
)

not_me: Final = Table(
    "not_me", METADATA, _key("identity", _NAME), _at("answered_at"), sqlite_strict=True
)

verified_passwords: Final = Table(
    "verified_passwords",
    METADATA,
    _key("evidence_id"),
    _refers("attempt_id", "attempts.attempt_id"),
    _texts("user_id", _ID),
    _at("verified_at"),
    Index(None, "attempt_id"),
    sqlite_strict=True,
)

receipts: Final = Table(
    "receipts",
    METADATA,
    _key("assertion_id"),
    _refers("attempt_id", "attempts.attempt_id"),
    _texts("provider", _URI),
    _texts("user_id", _ID),
    _texts("request_id", _URI, null=True),
    _refers("approval", "approvals.approval_id"),
    _refers("password", "verified_passwords.evidence_id", null=True),
    _texts("session_id", _ID),
    _texts("session_index", _ID),
    _texts("name_id", _URI),
    _texts("name_id_format", _URI),
    _texts("context_class", _URI),
    _texts("key_id", _ID),
    _texts("chain", _LONG * 2),
    _texts("explanation", _LONG),
    _at("issued_at"),
    # One login, one assertion (I4).
    UniqueConstraint("attempt_id"),
    sqlite_strict=True,
)

name_ids: Final = Table(
    "name_ids",
    METADATA,
    _key("user_id"),
    _key("provider", _URI),
    _texts("value", 256),
    UniqueConstraint("value"),
    sqlite_strict=True,
)

devices: Final = Table(
    "devices",
    METADATA,
    _key("device_id"),
    _texts("user_id", _ID),
    _texts("identity", _NAME),
    _texts("name", 256),
    _texts("method", 32),
    _texts("public_key", 4096),
    _at("enrolled_at"),
    _at("retired_at", null=True),
    _at("last_seen_at", null=True),
    UniqueConstraint("public_key"),
    Index(None, "user_id"),
    sqlite_strict=True,
)

enrolments: Final = Table(
    "enrolments",
    METADATA,
    _key("code_hash", _DIGEST),
    _texts("user_id", _ID),
    _texts("identity", _NAME),
    _at("created_at"),
    _at("expires_at"),
    _texts("created_by", _NAME),
    _at("used_at", null=True),
    Index(None, "user_id"),
    sqlite_strict=True,
)

device_tokens: Final = Table(
    "device_tokens",
    METADATA,
    _key("device_id"),
    _key("jti"),
    _at("expires_at"),
    Index(None, "expires_at"),
    sqlite_strict=True,
)

people: Final = Table(
    "people",
    METADATA,
    _key("user_id"),
    _texts("username", _NAME),
    _flag("enabled"),
    _flag("is_administrator"),
    _texts("identity", _NAME, null=True),
    _texts("groups", _LISTS),
    _texts("attributes", _LISTS),
    _texts("email", _NAME),
    _texts("password_hash", _HASH, null=True),
    _at("created_at"),
    UniqueConstraint("username"),
    # A user has one ID at most, an ID belongs to one user.
    UniqueConstraint("identity"),
    sqlite_strict=True,
)

sessions: Final = Table(
    "sessions",
    METADATA,
    _key("session_id"),
    _texts("secret", _DIGEST),
    _texts("user_id", _ID),
    _texts("links", _LONG),
    _at("created_at"),
    _at("last_used_at"),
    _at("ends_at"),
    _at("ended_at", null=True),
    UniqueConstraint("secret"),
    Index(None, "user_id"),
    Index(None, "ends_at"),
    sqlite_strict=True,
)

tallies: Final = Table(
    "tallies",
    METADATA,
    _key("subject", 512),
    _texts("account", 512),
    _number("failures"),
    _at("last_at"),
    Index(None, "account"),
    Index(None, "last_at"),
    sqlite_strict=True,
)

# Only ever added to; triggers refuse the rest (migration 0001).
audit: Final = Table(
    "audit",
    METADATA,
    Column("seq", _INSTANT, Identity(always=True), primary_key=True),
    _at("at"),
    _texts("node", _ID),
    _texts("event", 64),
    _texts("actor", _NAME),
    _texts("address", 64),
    _texts("reference", _ID),
    _texts("browser", 256),
    _texts("subject", _NAME),
    _texts("provider", _URI),
    _texts("attempt", _ID),
    _texts("outcome", 32),
    _texts("reason", 256),
    _texts("details", _LONG),
    Index(None, "subject", "seq"),
    Index(None, "provider", "seq"),
    Index(None, "reference", "seq"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
