"""Completed chains for the issuer's tests, minted by ``prove`` from real sealed links."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from saml_idp.domain.attempt import APPROVAL_ALONE, TWO_STEP, LoginAttempt, State
from saml_idp.domain.chain import SealKey, extend, open_chain
from saml_idp.domain.evidence import Evidence, Method, Step
from saml_idp.domain.ids import (
    ApprovalIdentity,
    AssertionId,
    AttemptId,
    DeviceId,
    Digest,
    EntityId,
    UserId,
)
from saml_idp.domain.person import Person
from saml_idp.domain.policy import Policy
from saml_idp.domain.proof import CompletedChain, prove
from saml_idp.domain.release import Release, released
from saml_idp.domain.request import AuthnRequest
from saml_idp.domain.service_provider import ServiceProvider
from tests.unit.saml.messages import ACS, NOW, PROVIDER, a_provider

IDP = "https://idp.example.org/saml"
SEAL = SealKey(b"k" * 32)
ALICE = UserId("u-alice")


def an_accepted_request(**changes: Any) -> AuthnRequest:
    values: dict[str, Any] = {
        "request_id": "_request1",
        "issuer": EntityId(PROVIDER),
        "reply_to": ACS,
        "relay_state": "state",
        "force_authn": False,
        "is_passive": False,
        "requested_context": None,
        "name_id_policy": None,
        "subject_name_id": None,
        "was_signed": False,
        "received_at": NOW,
    } | changes
    return AuthnRequest(**values)


def a_person(**changes: Any) -> Person:
    values: dict[str, Any] = {
        "user_id": ALICE,
        "username": "alice",
        "enabled": True,
        "is_administrator": False,
        "identity": ApprovalIdentity("alice"),
        "groups": ("jira-users", "staff"),
        "attributes": {"email": ("alice@example.org",), "name": ("Alice Example",)},
        "created_at": NOW,
    } | changes
    return Person(**values)


def a_proof(
    *,
    request: AuthnRequest | None = None,
    provider: ServiceProvider | None = None,
    policy: Policy | None = None,
    person: Person | None = None,
    now: datetime = NOW,
    assertion_id: str = "_assertion1",
    session_index: str = "_session1",
) -> CompletedChain:
    request = request or an_accepted_request()
    policy = policy or Policy()
    person = person or a_person()
    steps = TWO_STEP if policy.two_step else APPROVAL_ALONE
    attempt_id = AttemptId("attempt1")
    chain = open_chain(attempt_id, request, steps, SEAL)
    at = now + timedelta(seconds=1)
    if Step.PASSWORD in steps:
        done = Evidence(Step.PASSWORD, person.user_id, at, "evidence1", Method.PASSWORD)
        chain = extend(chain, done, SEAL)
    done = Evidence(
        Step.APPROVAL,
        person.user_id,
        at + timedelta(seconds=9),
        "approval1",
        Method.DEVICE,
        symbols=policy.access_symbols,
        device_id=DeviceId("device1"),
    )
    chain = extend(chain, done, SEAL)
    attempt = LoginAttempt(
        attempt_id=attempt_id,
        browser=Digest("0" * 64),
        request=request,
        steps=steps,
        state=State.CHAIN_COMPLETE,
        chain=chain,
        user_id=person.user_id,
        entered_name=person.username,
        ended_because=None,
        created_at=now,
        expires_at=now + timedelta(minutes=10),
    )
    return prove(
        attempt,
        SEAL,
        now + timedelta(seconds=15),
        provider=provider or a_provider(),
        policy=policy,
        person=person,
        assertion_id=AssertionId(assertion_id),
        session_index=session_index,
        session=None,
        session_whole=timedelta(hours=8),
    )


def a_release(proof: CompletedChain) -> Release:
    return released(
        proof,
        idp_entity_id=EntityId(IDP),
        persistent_id=lambda user, provider: f"pairwise-of-{user}",
        transient_id=lambda: "_transient1",
    )


def counted_ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"_new{next(numbers)}"


def present() -> datetime:
    """The real time, for peers that ask their own clock."""
    return datetime.now(UTC).replace(microsecond=0)
