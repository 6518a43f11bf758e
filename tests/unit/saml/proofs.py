"""Completed chains for the issuer's tests, at any time and under any policy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from saml_idp.domain.attempt import APPROVAL_ALONE, TWO_STEP, State
from saml_idp.domain.evidence import Evidence, Step
from saml_idp.domain.ids import AssertionId
from saml_idp.domain.person import Person
from saml_idp.domain.policy import Policy
from saml_idp.domain.proof import CompletedChain
from saml_idp.domain.release import Release, released
from saml_idp.domain.request import AuthnRequest
from saml_idp.domain.service_provider import ServiceProvider
from tests.build import (
    IDP,
    LOGIN_LIFETIME,
    NOW,
    a_person,
    a_provider,
    a_request,
    an_attempt,
    evidence_for,
    proven,
    seconds,
)


def an_accepted_request(**changes: Any) -> AuthnRequest:
    return a_request(**({"request_id": "_request1"} | changes))


def a_proof(
    *,
    request: AuthnRequest | None = None,
    provider: ServiceProvider | None = None,
    policy: Policy | None = None,
    person: Person | None = None,
    now: datetime = NOW,
    assertion_id: str = "_assertion1",
) -> CompletedChain:
    """Return the proof of a login that began at *now* and took 30 s."""
    policy = policy or Policy()
    steps = TWO_STEP if policy.two_step else APPROVAL_ALONE

    def moved(evidence: Evidence) -> Evidence:
        symbols = policy.access_symbols if evidence.step is Step.APPROVAL else 0
        return replace(evidence, at=evidence.at + (now - NOW), symbols=symbols)

    attempt = an_attempt(
        State.CHAIN_COMPLETE,
        steps=steps,
        evidence=tuple(moved(evidence) for evidence in evidence_for(steps)),
        request=request or an_accepted_request(),
        created_at=now,
        expires_at=now + LOGIN_LIFETIME,
    )
    return proven(
        attempt,
        now=now + seconds(30),
        provider=provider or a_provider(),
        policy=policy,
        person=person or a_person(),
        assertion_id=AssertionId(assertion_id),
        session_index="_session1",
    )


def a_release(proof: CompletedChain) -> Release:
    return released(
        proof,
        idp_entity_id=IDP,
        persistent_id=lambda user, provider: f"pairwise-of-{user}",
        transient_id=lambda: "_transient1",
    )


def counted_ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"_new{next(numbers)}"


def present() -> datetime:
    """The real time, for peers that ask their own clock."""
    return datetime.now(UTC).replace(microsecond=0)
