"""An enrolled device and its standing; the invitation that binds a new one."""

from dataclasses import dataclass, field
from datetime import datetime

from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import ApprovalIdentity, DeviceId, Digest, UserId


@dataclass(frozen=True, slots=True)
class Device:
    """A device of an ID. ``public_key``: JWK (RFC 7517) as canonical JSON, public part only."""

    device_id: DeviceId
    user_id: UserId
    identity: ApprovalIdentity
    name: str
    method: Method
    public_key: str
    enrolled_at: datetime
    retired_at: datetime | None = None
    last_seen_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        """True while the device may answer."""
        return self.retired_at is None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A one-time, expiring invitation that binds a new device to an ID.

    Only the hash of the code is stored. ``used_at``: set by the one use.
    """

    code_hash: Digest = field(repr=False)
    user_id: UserId
    identity: ApprovalIdentity
    created_at: datetime
    expires_at: datetime
    created_by: str
    used_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """True while the invitation can be taken up."""
        return self.used_at is None and now < self.expires_at
