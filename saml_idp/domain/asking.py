"""When an approval may be asked, and what the login page shows of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from saml_idp.domain.approval import OPEN, Approval, ApprovalState


class ApprovalView(StrEnum):
    """What the approval page shows."""

    ASKED = "asked"  # the row of symbols
    WAITING_OTHER = "waiting_other"  # another browser's approval of this ID is open
    FAILED = "failed"  # wrong symbols
    EXPIRED = "expired"
    LIMITED = "limited"  # too many asks, a "not me", or too many failures


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """The approval as its own browser may see it. ``symbols``: the row, only when ASKED."""

    view: ApprovalView
    symbols: str = field(default="", repr=False)
    approval_id: str = ""
    seconds_left: int = 0
    lifetime_seconds: int = 0


def standing(latest: Approval | None, now: datetime) -> ApprovalView | None:
    """Return what the newest approval of a login amounts to; None when one is to be asked."""
    if latest is None:
        return None
    state = latest.state_at(now)
    if state in OPEN:
        return ApprovalView.ASKED
    if state is ApprovalState.FAILED:
        return ApprovalView.FAILED
    return ApprovalView.EXPIRED
