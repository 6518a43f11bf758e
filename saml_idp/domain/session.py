"""What an earlier login of this browser still counts for."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from saml_idp.domain.chain import Link, SealKey, open_from_session
from saml_idp.domain.errors import EvidenceForged
from saml_idp.domain.evidence import Evidence, Step
from saml_idp.domain.ids import Digest, SessionId, UserId
from saml_idp.domain.policy import Policy, UserVerification

LONGEST: Final = timedelta(hours=24)  # B 2.2.3: whole session at AAL2
LONGEST_IDLE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session. ``secret``: hash of the cookie's value. ``links``: one sealed
    link for each step that made it. A session counts for nothing but these steps (E08).
    """

    session_id: SessionId
    secret: Digest = field(repr=False)
    user_id: UserId
    links: tuple[Link, ...]
    created_at: datetime
    last_used_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None

    def is_live(self, now: datetime, *, idle: timedelta) -> bool:
        """True while the session may serve a login."""
        return (
            self.ended_at is None
            and now < self.ends_at
            and now - self.last_used_at < min(idle, LONGEST_IDLE)
        )

    def evidence(self, key: SealKey) -> tuple[Evidence, ...]:
        """Return the evidence behind the session, in order, marked as carried in by it.

        Raises:
            EvidenceForged: a link was not sealed for this session, or names another user.
        """
        found = tuple(open_from_session(self.session_id, link, key) for link in self.links)
        if any(e.user_id != self.user_id for e in found):
            raise EvidenceForged("session evidence of another user", reason="session_user")
        return tuple(replace(e, session=self.session_id) for e in found)


def still_good(evidence: Evidence, policy: Policy, now: datetime) -> bool:
    """True when *evidence* from a session is fresh and strong enough for *policy*."""
    if now - evidence.at >= policy.step_max_age or evidence.at > now:
        return False
    return strong_enough(evidence, policy)


def strong_enough(evidence: Evidence, policy: Policy) -> bool:
    """True when *evidence* meets what *policy* asks of its step, whatever its age."""
    if evidence.step is Step.PASSWORD:
        return True
    verified = evidence.user_verified or policy.user_verification is not UserVerification.REQUIRED
    return (
        verified and evidence.method in policy.methods and evidence.symbols >= policy.access_symbols
    )


def resumable(
    evidence: tuple[Evidence, ...], steps: tuple[Step, ...], policy: Policy, now: datetime
) -> tuple[Evidence, ...]:
    """Return the evidence that still serves, for a prefix of *steps*.

    Steps run in order: where a step has to be repeated, so has every later one. An approval
    given before a password proves nothing about that password (rules 1 and 3).
    """
    serving: list[Evidence] = []
    for step in steps:
        found = next((e for e in evidence if e.step is step), None)
        if found is None or not still_good(found, policy, now):
            break
        if serving and found.at < serving[-1].at:
            break
        serving.append(found)
    return tuple(serving)
