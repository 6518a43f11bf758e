"""What one finished step leaves behind."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saml_idp.domain.ids import DeviceId, UserId


class Step(StrEnum):
    """A step of a chain."""

    PASSWORD = "password"
    APPROVAL = "approval"


class Method(StrEnum):
    """How a step was passed."""

    PASSWORD = "password"
    DEVICE = "device"  # a device key of the phone page, the SDK or the software device
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One step that succeeded.

    ``reference``: the stored record behind it, an ``EvidenceId`` for a password, an
    ``ApprovalId`` for an approval; a receipt points at it. ``symbols``: how many access
    symbols were entered (0 for a password). ``session``: the session it was carried in by,
    None when it was made in this login.
    """

    step: Step
    user_id: UserId
    at: datetime
    reference: str
    method: Method
    symbols: int = 0
    user_verified: bool = False
    device_id: DeviceId | None = None
    session: str | None = None
