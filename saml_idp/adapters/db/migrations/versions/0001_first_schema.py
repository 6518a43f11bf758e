"""First schema: logins, approvals, devices, users, sessions, receipts and the audit trail.

Why: everything that a login waits for, and everything that proves it later, is in the database,
so that any node can go on with any login. Two rules stand here as triggers, so that no program
can go round them: a receipt refers to a granted approval of its user (and to a password that
was verified before it), and the audit trail is only added to.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INSTANT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
_ID = 128
_NAME = 320
_URI = 1024
_LONG = 65_536
_LISTS = 2_097_152
_HASH = 512
_DIGEST = 64
_ATTEMPT_IS_OPEN = sa.text("state NOT IN ('done', 'refused', 'expired')")
_APPROVAL_IS_OPEN = sa.text("state IN ('pending', 'fetched')")

_NO_APPROVAL = """NOT EXISTS (
    SELECT 1 FROM approvals WHERE approval_id = NEW.approval
    AND user_id = NEW.user_id AND state IN ('granted', 'spent'))"""
_NO_PASSWORD = """NEW.password IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM verified_passwords p JOIN approvals a ON a.approval_id = NEW.approval
    WHERE p.evidence_id = NEW.password AND p.user_id = NEW.user_id
    AND p.verified_at <= a.decided_at)"""

# name, table, what sets it off, when, message
_GUARDS = (
    ("receipts_need_approval", "receipts", "INSERT", _NO_APPROVAL, "no granted approval"),
    ("receipts_need_password", "receipts", "INSERT", _NO_PASSWORD, "no password before it"),
    ("receipts_stay", "receipts", "UPDATE", None, "a receipt does not change"),
    ("audit_stays", "audit", "UPDATE", None, "the audit trail is only added to"),
    ("audit_is_kept", "audit", "DELETE", None, "the audit trail is only added to"),
)  # fmt: skip


def _texts(name: str, most: int, *, null: bool = False) -> sa.Column[str]:
    bound = sa.CheckConstraint(f"length({name}) <= {most}", name=f"{name}_length")
    return sa.Column(name, sa.Text, bound, nullable=null)


def _key(name: str, most: int = _ID) -> sa.Column[str]:
    bound = sa.CheckConstraint(f"length({name}) <= {most}", name=f"{name}_length")
    return sa.Column(name, sa.Text, bound, primary_key=True)


def _refers(name: str, to: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, sa.ForeignKey(to), nullable=null)


def _at(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, _INSTANT, nullable=null)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, _FLAG, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _one_of(name: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=f"{name}_known")


def upgrade() -> None:
    op.create_table(
        "attempts",
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
        sa.UniqueConstraint("provider", "request_id"),
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
        sqlite_strict=True,
    )
    op.create_index(
        "ix_attempts_open",
        "attempts",
        ["state"],
        sqlite_where=_ATTEMPT_IS_OPEN,
        postgresql_where=_ATTEMPT_IS_OPEN,
    )
    op.create_index("ix_attempts_expires_at", "attempts", ["expires_at"])
    op.create_table(
        "approvals",
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
        sqlite_strict=True,
    )
    op.create_index(
        "uq_approvals_open_identity",
        "approvals",
        ["identity"],
        unique=True,
        sqlite_where=_APPROVAL_IS_OPEN,
        postgresql_where=_APPROVAL_IS_OPEN,
    )
    op.create_index(
        "ix_approvals_open_expires_at",
        "approvals",
        ["expires_at"],
        sqlite_where=_APPROVAL_IS_OPEN,
        postgresql_where=_APPROVAL_IS_OPEN,
    )
    op.create_index("ix_approvals_identity_created_at", "approvals", ["identity", "created_at"])
    op.create_index("ix_approvals_attempt_id", "approvals", ["attempt_id"])
    op.create_index("ix_approvals_user_id", "approvals", ["user_id"])
    op.create_table("not_me", _key("identity", _NAME), _at("answered_at"), sqlite_strict=True)
    op.create_table(
        "verified_passwords",
        _key("evidence_id"),
        _refers("attempt_id", "attempts.attempt_id"),
        _texts("user_id", _ID),
        _at("verified_at"),
        sqlite_strict=True,
    )
    op.create_index("ix_verified_passwords_attempt_id", "verified_passwords", ["attempt_id"])
    op.create_table(
        "receipts",
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
        sa.UniqueConstraint("attempt_id"),
        sqlite_strict=True,
    )
    op.create_table(
        "name_ids",
        _key("user_id"),
        _key("provider", _URI),
        _texts("value", 256),
        sa.UniqueConstraint("value"),
        sqlite_strict=True,
    )
    op.create_table(
        "devices",
        _key("device_id"),
        _texts("user_id", _ID),
        _texts("identity", _NAME),
        _texts("name", 256),
        _texts("method", 32),
        _texts("public_key", 4096),
        _at("enrolled_at"),
        _at("retired_at", null=True),
        _at("last_seen_at", null=True),
        sa.UniqueConstraint("public_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_devices_user_id", "devices", ["user_id"])
    op.create_table(
        "enrolments",
        _key("code_hash", _DIGEST),
        _texts("user_id", _ID),
        _texts("identity", _NAME),
        _at("created_at"),
        _at("expires_at"),
        _texts("created_by", _NAME),
        _at("used_at", null=True),
        sqlite_strict=True,
    )
    op.create_index("ix_enrolments_user_id", "enrolments", ["user_id"])
    op.create_table(
        "device_tokens",
        _key("device_id"),
        _key("jti"),
        _at("expires_at"),
        sqlite_strict=True,
    )
    op.create_index("ix_device_tokens_expires_at", "device_tokens", ["expires_at"])
    op.create_table(
        "people",
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
        sa.UniqueConstraint("username"),
        # A user has one ID at most, an ID belongs to one user.
        sa.UniqueConstraint("identity"),
        sqlite_strict=True,
    )
    op.create_table(
        "sessions",
        _key("session_id"),
        _texts("secret", _DIGEST),
        _texts("user_id", _ID),
        _texts("links", _LONG),
        _at("created_at"),
        _at("last_used_at"),
        _at("ends_at"),
        _at("ended_at", null=True),
        sa.UniqueConstraint("secret"),
        sqlite_strict=True,
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_ends_at", "sessions", ["ends_at"])
    op.create_table(
        "tallies",
        _key("subject", 512),
        _texts("account", 512),
        _number("failures"),
        _at("last_at"),
        sqlite_strict=True,
    )
    op.create_index("ix_tallies_account", "tallies", ["account"])
    op.create_index("ix_tallies_last_at", "tallies", ["last_at"])
    op.create_table(
        "audit",
        sa.Column("seq", _INSTANT, sa.Identity(always=True), primary_key=True),
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
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_audit_subject_seq", "audit", ["subject", "seq"])
    op.create_index("ix_audit_provider_seq", "audit", ["provider", "seq"])
    op.create_index("ix_audit_reference_seq", "audit", ["reference", "seq"])

    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def downgrade() -> None:
    """Drop everything. Loses every login, receipt and audit record: for a test database only."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    op.drop_table("audit")
    op.drop_table("tallies")
    op.drop_table("sessions")
    op.drop_table("people")
    op.drop_table("device_tokens")
    op.drop_table("enrolments")
    op.drop_table("devices")
    op.drop_table("name_ids")
    op.drop_table("receipts")
    op.drop_table("verified_passwords")
    op.drop_table("not_me")
    op.drop_table("approvals")
    op.drop_table("attempts")
    if is_postgresql:
        for name, *_ in _GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
        op.execute("DROP FUNCTION audit_is_not_emptied()")


def _guard_sqlite() -> None:
    for name, table, act, condition, message in _GUARDS:
        when = f"WHEN {condition}" if condition else ""
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} {when} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )


def _guard_postgresql() -> None:
    for name, table, act, condition, message in _GUARDS:
        _raising(name, condition or "TRUE", message)
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    _raising("audit_is_not_emptied", "TRUE", "the audit trail is only added to")
    op.execute(
        "CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_not_emptied()"
    )


def _raising(name: str, condition: str, message: str) -> None:
    op.execute(
        f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {condition} THEN
                RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
