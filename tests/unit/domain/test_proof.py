"""What ``prove`` lets through, and everything that it does not."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, Final

import pytest

from saml_idp.domain.attempt import APPROVAL_ALONE, TWO_STEP, LoginAttempt, State
from saml_idp.domain.authn_context import (
    MOBILE_ONE_FACTOR,
    MOBILE_TWO_FACTOR,
    PASSWORD_PROTECTED_TRANSPORT,
    REFEDS_MFA,
)
from saml_idp.domain.chain import Link, extend, open_chain
from saml_idp.domain.errors import ChainIncomplete, EvidenceForged, IdpError
from saml_idp.domain.evidence import Evidence, Method, Step
from saml_idp.domain.ids import AttemptId, EntityId, SessionId
from saml_idp.domain.policy import UserVerification
from saml_idp.domain.proof import CompletedChain, _class_reached
from saml_idp.domain.request import Comparison, RequestedContext
from saml_idp.domain.service_provider import AssertionConsumer, Binding
from tests.build import (
    ACS,
    ALICE,
    BOB,
    LOGIN_LIFETIME,
    NOW,
    OTHER_SEAL_KEY,
    PROVIDER,
    SEAL_KEY,
    SESSION,
    SESSION_WHOLE,
    a_chain,
    a_completed_chain,
    a_person,
    a_policy,
    a_provider,
    a_request,
    a_session,
    an_attempt,
    approval_evidence,
    evidence_for,
    password_evidence,
    proven,
    seconds,
)

FORGED: Final = EvidenceForged
INCOMPLETE: Final = ChainIncomplete


def complete(*evidence: Evidence, **changes: Any) -> LoginAttempt:
    """Return a login that says it is complete, its chain holding *evidence* (else: all)."""
    return an_attempt(State.CHAIN_COMPLETE, evidence=evidence or None, **changes)


def refusal(attempt: LoginAttempt, expected: type[IdpError], **changes: Any) -> str:
    with pytest.raises(expected) as refused:
        proven(attempt, **changes)
    return refused.value.reason


# ---- what it lets through


def test_both_steps_in_order_are_a_proof() -> None:
    proof = proven(complete())
    assert proof.evidence == evidence_for(TWO_STEP)
    assert proof.person == a_person()
    assert proof.stated_class == REFEDS_MFA
    assert proof.authn_instant == password_evidence().at  # P05: of the oldest step needed
    assert proof.session_ends_at == NOW + seconds(30) + SESSION_WHOLE


def test_an_approval_alone_is_a_proof_where_policy_says_so() -> None:
    attempt = an_attempt(State.CHAIN_COMPLETE, steps=APPROVAL_ALONE)
    proof = proven(attempt, policy=a_policy(two_step=False))
    assert [e.step for e in proof.evidence] == [Step.APPROVAL]
    assert proof.stated_class == MOBILE_ONE_FACTOR


def test_a_password_that_policy_stopped_asking_for_claims_nothing() -> None:
    proof = proven(complete(), policy=a_policy(two_step=False))
    assert proof.evidence == (approval_evidence(),)
    assert proof.stated_class == MOBILE_ONE_FACTOR


def test_the_default_policy_serves_a_provider_without_a_file_of_its_own() -> None:
    assert proven(complete(), policy=a_policy(entity_id=None)).provider == a_provider()


# ---- every way that does not lead through


@pytest.mark.parametrize("state", [s for s in State if s is not State.CHAIN_COMPLETE])
def test_prove_refuses_a_login_in_any_other_state(state: State) -> None:
    attempt = an_attempt(state, evidence=evidence_for(TWO_STEP), user_id=ALICE)
    assert refusal(attempt, INCOMPLETE) == "not_complete"


def test_prove_refuses_an_expired_login() -> None:
    proven(complete(), now=NOW + LOGIN_LIFETIME - seconds(0.001))
    assert refusal(complete(), INCOMPLETE, now=NOW + LOGIN_LIFETIME) == "not_complete"


def _added(attempt: LoginAttempt) -> LoginAttempt:
    return replace(attempt, chain=(*attempt.chain, Link(attempt.chain[-1].body, "0" * 64)))


def _dropped(attempt: LoginAttempt) -> LoginAttempt:
    return replace(attempt, chain=(attempt.chain[0], attempt.chain[2]))


def _moved(attempt: LoginAttempt) -> LoginAttempt:
    opening, password, approval = attempt.chain
    return replace(attempt, chain=(opening, approval, password))


def _changed(attempt: LoginAttempt) -> LoginAttempt:
    last = attempt.chain[-1]
    stronger = Link(last.body.replace('"symbols":4', '"symbols":6'), last.seal)
    return replace(attempt, chain=(*attempt.chain[:-1], stronger))


def _from_another_login(attempt: LoginAttempt) -> LoginAttempt:
    other = a_chain(*evidence_for(TWO_STEP), attempt_id=AttemptId("attempt-2"))
    return replace(attempt, chain=(*attempt.chain[:2], other[2]))


def _without_links(attempt: LoginAttempt) -> LoginAttempt:
    return replace(attempt, chain=())


def _of_another_key(attempt: LoginAttempt) -> LoginAttempt:
    return replace(attempt, chain=a_chain(*evidence_for(TWO_STEP), key=OTHER_SEAL_KEY))


def _whole_chain_of_another_login(attempt: LoginAttempt) -> LoginAttempt:
    return replace(attempt, attempt_id=AttemptId("attempt-2"))


def _other_reply_address(attempt: LoginAttempt) -> LoginAttempt:
    return replace(attempt, request=a_request(reply_to="https://evil.example/acs"))


def _no_longer_forced(attempt: LoginAttempt) -> LoginAttempt:
    forced = complete(request=a_request(force_authn=True))
    return replace(forced, request=a_request(force_authn=False))


def _shorter_plan(attempt: LoginAttempt) -> LoginAttempt:
    return replace(attempt, steps=APPROVAL_ALONE)


FORGERIES: Final = (
    _added,
    _dropped,
    _moved,
    _changed,
    _from_another_login,
    _without_links,
    _of_another_key,
    _whole_chain_of_another_login,
    _other_reply_address,
    _no_longer_forced,
    _shorter_plan,
)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_prove_refuses_a_row_that_was_touched(
    forgery: Callable[[LoginAttempt], LoginAttempt],
) -> None:
    """The reply address is registered and the policy asks for less: only the seal is in the way."""
    provider = a_provider(
        consumers=(
            AssertionConsumer(ACS, Binding.POST, 0),
            AssertionConsumer("https://evil.example/acs", Binding.POST, 1),
        )
    )
    policy = a_policy(two_step=False)
    assert refusal(forgery(complete()), FORGED, provider=provider, policy=policy) in {
        "seal_differs",
        "chain_empty",
        "opening_differs",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"provider": a_provider("https://other.example/metadata")},
        {"policy": a_policy(entity_id=EntityId("https://other.example/metadata"))},
    ],
)
def test_prove_refuses_the_provider_or_policy_of_another_login(changes: dict[str, Any]) -> None:
    assert refusal(complete(), FORGED, **changes) == "provider_differs"


@pytest.mark.parametrize(
    "consumer",
    [
        AssertionConsumer(ACS + "/", Binding.POST, 0),
        AssertionConsumer(ACS, Binding.ARTIFACT, 0),
    ],
)
def test_prove_refuses_a_reply_address_that_metadata_lost(consumer: AssertionConsumer) -> None:
    provider = a_provider(consumers=(consumer,))
    assert refusal(complete(), INCOMPLETE, provider=provider) == "provider_gone"


@pytest.mark.parametrize(
    "attempt",
    [
        complete(password_evidence(), approval_evidence(user_id=BOB)),
        complete(password_evidence(user_id=BOB), approval_evidence()),
        complete(user_id=BOB),
        complete(user_id=None),
    ],
)
def test_prove_refuses_steps_of_two_users(attempt: LoginAttempt) -> None:
    assert refusal(attempt, FORGED, person=a_person()) == "user_differs"


def test_prove_refuses_a_person_who_is_not_the_user_of_the_steps() -> None:
    assert refusal(complete(), FORGED, person=a_person("bob")) == "user_differs"


@pytest.mark.parametrize(
    ("person", "policy", "reason"),
    [
        (a_person(enabled=False), a_policy(), "user_disabled"),
        (a_person(groups=("staff",)), a_policy(groups=("jira-users",)), "not_in_groups"),
        (a_person(identity=None), a_policy(), "no_identity"),
    ],
)
def test_prove_refuses_who_may_not_sign_in_any_more(person: Any, policy: Any, reason: str) -> None:
    assert refusal(complete(), INCOMPLETE, person=person, policy=policy) == reason


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ((password_evidence(),), "approval_missing"),
        ((approval_evidence(),), "password_missing"),
        ((approval_evidence(), password_evidence()), "approval_missing"),
        ((password_evidence(), password_evidence()), "approval_missing"),
    ],
)
def test_prove_refuses_a_step_missing_or_out_of_turn(
    evidence: tuple[Evidence, ...], reason: str
) -> None:
    assert refusal(complete(*evidence), INCOMPLETE) == reason


def test_prove_refuses_a_chain_that_holds_nothing_yet() -> None:
    attempt = an_attempt(State.CHAIN_COMPLETE, evidence=())
    assert refusal(attempt, INCOMPLETE) == "password_missing"


@pytest.mark.parametrize(
    ("change", "policy"),
    [
        ({"symbols": 3}, a_policy()),
        ({"symbols": 0}, a_policy(access_symbols=1)),
        ({"method": Method.DEVICE}, a_policy(methods=frozenset({Method.PASSKEY}))),
        ({"method": Method.PASSWORD}, a_policy()),
        ({"user_verified": False}, a_policy(user_verification=UserVerification.REQUIRED)),
        ({"at": NOW + seconds(31)}, a_policy()),  # not yet
    ],
)
def test_prove_refuses_an_approval_weaker_than_the_policy(
    change: dict[str, Any], policy: Any
) -> None:
    attempt = complete(password_evidence(), approval_evidence(**change))
    assert refusal(attempt, INCOMPLETE, policy=policy) == "approval_not_enough"


def test_prove_refuses_an_approval_from_before_this_login() -> None:
    early = approval_evidence(at=NOW - seconds(1))
    attempt = complete(early, steps=APPROVAL_ALONE)
    policy = a_policy(two_step=False)
    assert refusal(attempt, INCOMPLETE, policy=policy) == "approval_not_enough"


@pytest.mark.parametrize("at", [NOW - seconds(1), NOW + seconds(31)])
def test_prove_refuses_a_password_of_another_time(at: Any) -> None:
    attempt = complete(password_evidence(at=at), approval_evidence())
    assert refusal(attempt, INCOMPLETE) == "password_not_enough"


def test_prove_refuses_an_approval_that_was_over_before_its_password() -> None:
    """Rules 1 and 3: it says nothing about that password, whatever order the links have."""
    edge = password_evidence(at=approval_evidence().at)
    proven(complete(edge, approval_evidence()))
    attempt = complete(replace(edge, at=edge.at + seconds(0.001)), approval_evidence())
    assert refusal(attempt, INCOMPLETE) == "approval_out_of_turn"


def test_prove_refuses_approval_alone_when_policy_asks_for_a_password_by_now() -> None:
    attempt = an_attempt(State.CHAIN_COMPLETE, steps=APPROVAL_ALONE)
    assert refusal(attempt, INCOMPLETE, policy=a_policy()) == "password_missing"


def test_prove_refuses_a_context_that_no_chain_reaches() -> None:
    context = RequestedContext(Comparison.EXACT, ("urn:unknown",))
    attempt = complete(request=a_request(requested_context=context))
    assert refusal(attempt, INCOMPLETE) == "no_authn_context"


def test_prove_refuses_approval_alone_for_a_context_that_adds_the_password() -> None:
    context = RequestedContext(Comparison.EXACT, (MOBILE_TWO_FACTOR,))
    alone = an_attempt(
        State.CHAIN_COMPLETE, steps=APPROVAL_ALONE, request=a_request(requested_context=context)
    )
    reason = refusal(alone, INCOMPLETE, policy=a_policy(two_step=False))
    assert reason == "password_missing"


def test_a_class_is_stated_by_the_evidence_even_if_the_plan_promised_more() -> None:
    """No plan reaches this check; it stands between a wrong plan and a wrong claim."""
    wanted = RequestedContext(Comparison.MINIMUM, (REFEDS_MFA,))
    assert _class_reached(evidence_for(TWO_STEP), wanted) == REFEDS_MFA
    with pytest.raises(ChainIncomplete) as refused:
        _class_reached((password_evidence(),), wanted)
    assert refused.value.reason == "no_authn_context"


def test_the_stated_class_is_that_of_what_was_done_not_of_what_policy_would_allow() -> None:
    context = RequestedContext(Comparison.EXACT, (PASSWORD_PROTECTED_TRANSPORT,))
    proof = proven(complete(request=a_request(requested_context=context)))
    assert proof.stated_class == PASSWORD_PROTECTED_TRANSPORT


# ---- evidence that a session carried in

CARRIED: Final = tuple(replace(e, session=SESSION) for e in evidence_for(TWO_STEP))
LATER: Final = NOW + timedelta(hours=1)


def later(*evidence: Evidence, **changes: Any) -> LoginAttempt:
    """Return a complete login of an hour later, made of *evidence*."""
    return complete(
        *evidence, created_at=LATER, expires_at=LATER + LOGIN_LIFETIME, user_id=ALICE, **changes
    )


def test_a_live_session_serves_every_step() -> None:
    proof = proven(later(*CARRIED), now=LATER, session=a_session())
    assert proof.authn_instant == password_evidence().at
    assert proof.session_ends_at == a_session().ends_at  # never longer by being used


def test_a_session_serves_the_password_and_the_approval_is_new() -> None:
    fresh = approval_evidence(at=LATER + seconds(5), reference="approval-2")
    proof = proven(later(CARRIED[0], fresh), now=LATER + seconds(9), session=a_session())
    assert proof.evidence == (CARRIED[0], fresh)
    assert proof.session_ends_at == a_session().ends_at


@pytest.mark.parametrize("session", [None, a_session(session_id=SessionId("session-2"))])
def test_prove_refuses_steps_of_a_session_that_is_over_or_another_one(session: Any) -> None:
    assert refusal(later(*CARRIED), INCOMPLETE, now=LATER, session=session) == "session_over"


def test_prove_refuses_steps_of_two_sessions() -> None:
    mixed = (CARRIED[0], replace(CARRIED[1], session="session-2"))
    reason = refusal(later(*mixed), INCOMPLETE, now=LATER, session=a_session())
    assert reason == "session_over"


def test_prove_refuses_session_evidence_when_every_step_was_forced() -> None:
    """P06: an attempt whose request says ForceAuthn counts nothing of the session."""
    attempt = later(*CARRIED, request=a_request(force_authn=True))
    reason = refusal(attempt, INCOMPLETE, now=LATER, session=a_session())
    assert reason == "password_not_enough"


def test_prove_refuses_session_evidence_that_got_too_old() -> None:
    policy = a_policy(step_max_age=LATER - password_evidence().at)
    edge = {"session": a_session(), "policy": policy}
    proven(later(*CARRIED), now=LATER - seconds(0.001), **edge)
    assert refusal(later(*CARRIED), INCOMPLETE, now=LATER, **edge) == "password_not_enough"


def test_prove_refuses_session_evidence_too_weak_for_this_provider() -> None:
    policy = a_policy(access_symbols=5)
    reason = refusal(later(*CARRIED), INCOMPLETE, now=LATER, session=a_session(), policy=policy)
    assert reason == "approval_not_enough"


def test_prove_refuses_a_fresh_password_under_an_older_approval_of_the_session() -> None:
    fresh = password_evidence(at=LATER + seconds(5))
    reason = refusal(
        later(fresh, CARRIED[1]), INCOMPLETE, now=LATER + seconds(9), session=a_session()
    )
    assert reason == "approval_out_of_turn"


# ---- the mint


def test_nothing_but_prove_makes_a_completed_chain() -> None:
    values = {f.name: getattr(a_completed_chain(), f.name) for f in fields(CompletedChain)}
    with pytest.raises(EvidenceForged) as refused:
        CompletedChain(**values, _mint=object())
    assert refused.value.reason == "minted_elsewhere"
    with pytest.raises(EvidenceForged):
        replace(a_completed_chain(), _mint=None)


def test_a_proof_does_not_carry_what_makes_another_one() -> None:
    assert not hasattr(a_completed_chain(), "_mint")


@pytest.mark.parametrize(
    "forge",
    [
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
        lambda proof: pickle.dumps(proof, protocol=0),
        lambda proof: proof.__reduce_ex__(2),
        lambda proof: proof.__replace__(person=a_person("bob")),
        lambda proof: replace(proof, person=a_person("bob")),
    ],
)
def test_a_completed_chain_is_not_copied_pickled_or_changed(
    forge: Callable[[CompletedChain], object],
) -> None:
    with pytest.raises((TypeError, ValueError)):
        forge(a_completed_chain())


def test_a_completed_chain_is_not_changed_in_place() -> None:
    with pytest.raises(AttributeError):
        a_completed_chain().person = a_person("bob")  # type: ignore[misc]


def test_the_mint_does_not_show() -> None:
    assert "_mint" not in repr(a_completed_chain())


def test_a_chain_for_a_provider_of_the_same_address_is_no_proof_for_another() -> None:
    """Two providers may share an ACS; the assertion is for the one that asked."""
    other = EntityId("https://other.example/metadata")
    chain = open_chain(AttemptId("attempt-1"), a_request(issuer=other), TWO_STEP, SEAL_KEY)
    for evidence in evidence_for(TWO_STEP):
        chain = extend(chain, evidence, SEAL_KEY)
    stolen = replace(complete(), chain=chain)
    assert stolen.request.issuer == PROVIDER
    assert refusal(stolen, FORGED) == "opening_differs"
