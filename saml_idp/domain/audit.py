"""The events kept for the auditor (SECURITY-BAR U). Their values are stored and never change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class AuditEvent(StrEnum):
    """What happened."""

    REQUEST_ACCEPTED = "request_accepted"
    REQUEST_REJECTED = "request_rejected"
    LOGIN_REFUSED = "login_refused"
    LOGIN_RESTARTED = "login_restarted"
    PASSWORD_ACCEPTED = "password_accepted"
    PASSWORD_REJECTED = "password_rejected"
    PASSWORD_THROTTLED = "password_throttled"
    APPROVAL_ASKED = "approval_asked"
    APPROVAL_LIMITED = "approval_limited"
    APPROVAL_GRANTED = "approval_granted"
    APPROVAL_DENIED = "approval_denied"
    APPROVAL_NOT_ME = "approval_not_me"
    APPROVAL_FAILED = "approval_failed"
    APPROVAL_EXPIRED = "approval_expired"
    ASSERTION_ISSUED = "assertion_issued"
    FINISH_REFUSED = "finish_refused"
    DEVICE_ENROLLED = "device_enrolled"
    DEVICE_RETIRED = "device_retired"
    DEVICE_REJECTED = "device_rejected"
    ENROLMENT_CREATED = "enrolment_created"
    USER_ADDED = "user_added"
    USER_CHANGED = "user_changed"
    USER_ENABLED = "user_enabled"
    USER_DISABLED = "user_disabled"
    PASSWORD_SET = "password_set"
    IDENTITY_ASSIGNED = "identity_assigned"
    IDENTITY_REVOKED = "identity_revoked"
    POLICY_CHANGED = "policy_changed"
    POLICY_FAULT = "policy_fault"
    METADATA_CHANGED = "metadata_changed"
    METADATA_FAULT = "metadata_fault"
    KEY_CREATED = "key_created"
    LOCK_OUT_PREVENTED = "lock_out_prevented"
    FAULT = "fault"  # an error of ours


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call came from. ``reference``: the request id shown to the user on an error
    page; ``address``: of the browser or device; ``actor``: "browser", "device:<id>",
    "cli:<operating system user>" or "system".
    """

    reference: str
    address: str
    actor: str
    browser: str = ""  # short description, from the User-Agent


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One thing that happened. No password, symbol, cookie, key or whole message is in it.

    ``subject``: user id or name it is about. ``outcome``: "ok", "refused" or "fault".
    ``details``: plain values for the reader, JSON-encodable.
    """

    at: datetime
    event: AuditEvent
    origin: Origin
    subject: str = ""
    provider: str = ""
    attempt: str = ""
    outcome: str = "ok"
    reason: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """An audit record as stored: its place in the trail, counted from 1."""

    sequence: int
    record: AuditRecord
