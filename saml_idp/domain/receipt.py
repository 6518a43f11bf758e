"""The stored link from a signed assertion to its evidence."""

from dataclasses import dataclass
from datetime import datetime

from saml_idp.domain.chain import Chain
from saml_idp.domain.ids import (
    ApprovalId,
    AssertionId,
    AttemptId,
    EntityId,
    EvidenceId,
    SessionId,
    UserId,
)


@dataclass(frozen=True, slots=True)
class VerifiedPassword:
    """The record behind a password step."""

    evidence_id: EvidenceId
    attempt_id: AttemptId
    user_id: UserId
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What proves one assertion. Stored before the assertion is signed; one for an attempt.

    ``password``: the verified password of a two-step chain, None for approval alone.
    ``approval``: the granted (then spent) approval. ``chain``: the sealed links as they were.
    """

    assertion_id: AssertionId
    attempt_id: AttemptId
    provider: EntityId
    user_id: UserId
    request_id: str | None
    approval: ApprovalId
    password: EvidenceId | None
    session_id: SessionId
    session_index: str
    name_id: str
    name_id_format: str
    context_class: str
    key_id: str
    chain: Chain
    explanation: tuple[str, ...]  # what policy asked and why, as explained at the finish
    issued_at: datetime
