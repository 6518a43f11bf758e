"""The one tree of errors.

Each class has a stable ``code`` that tests, audit records and metrics match; the
sentence is for people and may change. ``reason`` refines the code for the operator
(audit trail and log); a user never sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class IdpError(Exception):
    """Root of every error this product raises on purpose."""

    code = "idp_error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or self.code


class RequestRejected(IdpError):
    """The peer's message may not be answered: we show a page, never a redirect."""

    code = "request_rejected"


class LoginRefused(IdpError):
    """Policy or user said no. Where a provider may be told, it gets a SAML status.

    ``reason`` is one of the stable words in docs/operator-guide.md ("What a refusal means").
    """

    code = "login_refused"


class TransitionNotAllowed(IdpError):
    """Out of turn, twice, or too late."""

    code = "transition_not_allowed"


class ChainIncomplete(IdpError):
    """A step is missing, out of order, or older than the plan allows."""

    code = "chain_incomplete"


class EvidenceForged(IdpError):
    """A sealed link is not ours, or speaks of another login or user."""

    code = "evidence_forged"


class NotFound(IdpError):
    """What was asked for does not exist, or not for the one who asks."""

    code = "not_found"


class Conflict(IdpError):
    """A change that would break a rule of the house: a name taken, a second ID."""

    code = "conflict"


class LockOut(Conflict):
    """A change that would take the last administrator with a live device away."""

    code = "lock_out"


class Throttled(IdpError):
    """One more try is refused for now. ``retry_after_seconds``: whole seconds, at least 1."""

    code = "throttled"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = max(1, retry_after_seconds)


class Busy(IdpError):
    """This process has no room for one more costly act. Try again soon."""

    code = "busy"


class StoreUnavailable(IdpError):
    """The database does not answer. Nothing was signed; nothing was lost."""

    code = "store_unavailable"


class DeviceMessageRejected(IdpError):
    """A device's message is malformed, badly signed, replayed or out of date.

    ``reason``: the stable problem code told to the device (docs/device-protocol.md).
    """

    code = "device_message_rejected"


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in an operator's file.

    ``line`` and ``column`` are 1-based; 0 where the place is not known. ``key``: dotted.
    ``mend``: what to do, as a command to the operator.
    """

    file: str
    line: int
    column: int
    key: str
    problem: str
    mend: str

    def __str__(self) -> str:
        column = f":{self.column}" if self.column else ""
        place = f"{self.file}:{self.line}{column}" if self.line else self.file
        key = f" [{self.key}]" if self.key else ""
        return f"{place}:{key} {self.problem}. {self.mend}"


class ConfigurationError(IdpError):
    """The operator's file is wrong; ``faults`` names file, line, key and the mend, all at once."""

    code = "configuration_error"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)
