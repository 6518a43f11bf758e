"""The login state machine: states, events, the table.

A state is named for what we wait for, an event for what has happened. Everything about
transitions is in this file; it knows nothing of steps' insides, stores or pages.

    two-step:       OPENED ─► AWAITING_PASSWORD ─► AWAITING_APPROVAL ─► CHAIN_COMPLETE ─► DONE
    approval alone: OPENED ─► AWAITING_NAME ─────► AWAITING_APPROVAL ─► CHAIN_COMPLETE ─► DONE
    every state but the three ends: ─► REFUSED, ─► EXPIRED

A running session may lead from OPENED straight to AWAITING_APPROVAL or CHAIN_COMPLETE.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from saml_idp.domain.chain import Chain
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.domain.evidence import Step
from saml_idp.domain.ids import AttemptId, Digest, UserId
from saml_idp.domain.request import AuthnRequest


class State(StrEnum):
    """What a login attempt waits for."""

    OPENED = "opened"  # the browser has yet to come back with its cookies
    AWAITING_PASSWORD = "awaiting_password"
    AWAITING_NAME = "awaiting_name"
    AWAITING_APPROVAL = "awaiting_approval"
    CHAIN_COMPLETE = "chain_complete"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"


class Event(StrEnum):
    """What has happened."""

    NOTHING_RESUMED = "nothing_resumed"
    PASSWORD_RESUMED = "password_resumed"  # the session still counts for the password
    CHAIN_RESUMED = "chain_resumed"  # the session still counts for every step
    PASSWORD_ACCEPTED = "password_accepted"
    PASSWORD_REJECTED = "password_rejected"
    NAME_GIVEN = "name_given"
    APPROVAL_GRANTED = "approval_granted"
    APPROVAL_FAILED = "approval_failed"  # wrong symbols, or no answer in time: may be asked anew
    APPROVAL_DENIED = "approval_denied"
    RESTARTED = "restarted"  # another user: all steps are discarded
    RESPONSE_ISSUED = "response_issued"
    LOGIN_REFUSED = "login_refused"
    TIMED_OUT = "timed_out"


Rows = Mapping[State, Mapping[Event, State]]
Steps = tuple[Step, ...]

TWO_STEP: Final[Steps] = (Step.PASSWORD, Step.APPROVAL)
APPROVAL_ALONE: Final[Steps] = (Step.APPROVAL,)

_ENDS: Final = {Event.LOGIN_REFUSED: State.REFUSED, Event.TIMED_OUT: State.EXPIRED}
_FINAL: Final[Rows] = {State.DONE: {}, State.REFUSED: {}, State.EXPIRED: {}}


def _rows_from(first: State, first_rows: Mapping[Event, State]) -> Rows:
    """Return the rows of a plan whose first state is *first*."""
    return {
        State.OPENED: {
            Event.NOTHING_RESUMED: first,
            Event.PASSWORD_RESUMED: State.AWAITING_APPROVAL,
            Event.CHAIN_RESUMED: State.CHAIN_COMPLETE,
            **_ENDS,
        },
        first: {**first_rows, **_ENDS},
        State.AWAITING_APPROVAL: {
            Event.APPROVAL_GRANTED: State.CHAIN_COMPLETE,
            Event.APPROVAL_FAILED: State.AWAITING_APPROVAL,
            Event.APPROVAL_DENIED: State.REFUSED,
            Event.RESTARTED: first,
            **_ENDS,
        },
        State.CHAIN_COMPLETE: {Event.RESPONSE_ISSUED: State.DONE, **_ENDS},
        **_FINAL,
    }


TRANSITIONS: Final[Mapping[Steps, Rows]] = MappingProxyType(
    {
        TWO_STEP: _rows_from(
            State.AWAITING_PASSWORD,
            {
                Event.PASSWORD_ACCEPTED: State.AWAITING_APPROVAL,
                Event.PASSWORD_REJECTED: State.AWAITING_PASSWORD,
            },
        ),
        APPROVAL_ALONE: _rows_from(
            State.AWAITING_NAME, {Event.NAME_GIVEN: State.AWAITING_APPROVAL}
        ),
    }
)


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """One run of a chain, for one browser and one provider, as storage holds it.

    Not proof of anything: the proof is made from ``chain`` by ``domain.proof``. ``version``
    counts stored changes; a change is stored by compare-and-swap on it.
    ``user_id`` is set once a user is known (an unknown user of an approval-alone login has
    none). ``entered_name``: canonical, for the pages and the throttle.
    ``ended_because``: stable word, set with REFUSED.
    """

    attempt_id: AttemptId
    browser: Digest  # hash of the mark of the browser it belongs to
    request: AuthnRequest
    steps: Steps
    state: State
    chain: Chain
    user_id: UserId | None
    entered_name: str | None
    ended_because: str | None
    created_at: datetime
    expires_at: datetime
    version: int = 0

    def after(self, event: Event, **changes: object) -> "LoginAttempt":
        """Return the attempt as *event* leaves it, with the other *changes* made.

        Raises:
            TransitionNotAllowed: the event has no place in this state.
        """
        try:
            state = TRANSITIONS[self.steps][self.state][event]
        except KeyError:
            raise TransitionNotAllowed(
                f"{event} is not allowed in {self.state}", reason=f"{event}_in_{self.state}"
            ) from None
        if "state" in changes or "steps" in changes:
            raise TypeError("state and steps follow from the table")
        return replace(self, state=state, version=self.version + 1, **changes)  # type: ignore[arg-type]

    @property
    def is_over(self) -> bool:
        """True when nothing can happen any more."""
        return not TRANSITIONS[self.steps][self.state]
