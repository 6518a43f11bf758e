"""What a login has to do now, and why."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from saml_idp.domain.attempt import APPROVAL_ALONE, TWO_STEP, Steps
from saml_idp.domain.authn_context import (
    MOBILE_ONE_FACTOR,
    MOBILE_TWO_FACTOR,
    PASSWORD,
    PASSWORD_PROTECTED_TRANSPORT,
    REFEDS_MFA,
)
from saml_idp.domain.decision import LoginPlan, Refusal, RefusalReason, decide
from saml_idp.domain.evidence import Evidence
from saml_idp.domain.policy import Policy, UserVerification
from saml_idp.domain.request import Comparison, RequestedContext
from saml_idp.domain.service_provider import Source
from tests.build import (
    NOW,
    SESSION,
    a_person,
    a_policy,
    approval_evidence,
    evidence_for,
    password_evidence,
    seconds,
)

TWO: Final = a_policy()
ALONE: Final = a_policy(two_step=False)
COMFORT: Final = a_policy(access_symbols=2)
VERIFIED: Final = a_policy(two_step=False, user_verification=UserVerification.REQUIRED)
SESSION_EVIDENCE: Final = tuple(replace(e, session=SESSION) for e in evidence_for(TWO_STEP))
CARRIED_P, CARRIED_A = SESSION_EVIDENCE
BOTH: Final = (CARRIED_P, CARRIED_A)
E, MIN = Comparison.EXACT, Comparison.MINIMUM


def decided(policy: Policy, **changes: Any) -> LoginPlan | Refusal:
    values: dict[str, Any] = {
        "context": None,
        "force_authn": False,
        "is_passive": False,
        "person": None,
        "session_evidence": (),
        "now": NOW + seconds(60),
    } | changes
    return decide(policy, **values)


def planned(policy: Policy, **changes: Any) -> LoginPlan:
    plan = decided(policy, **changes)
    assert isinstance(plan, LoginPlan)
    return plan


def refused(policy: Policy, **changes: Any) -> RefusalReason:
    refusal = decided(policy, **changes)
    assert isinstance(refusal, Refusal)
    assert refusal.reasons
    return refusal.reason


@pytest.mark.parametrize(
    ("policy", "steps", "claims"),
    [
        (TWO, TWO_STEP, REFEDS_MFA),
        (ALONE, APPROVAL_ALONE, MOBILE_ONE_FACTOR),
        (COMFORT, TWO_STEP, MOBILE_ONE_FACTOR),
        (VERIFIED, APPROVAL_ALONE, REFEDS_MFA),
    ],
)
def test_the_policy_names_the_steps_and_the_least_class(
    policy: Policy, steps: Steps, claims: str
) -> None:
    plan = planned(policy)
    assert (plan.steps, plan.remaining, plan.resumed, plan.claims) == (steps, steps, (), claims)


@pytest.mark.parametrize(
    ("policy", "comparison", "wanted", "steps"),
    [
        (TWO, E, PASSWORD, TWO_STEP),  # P04: a lower class never takes a step away
        (TWO, E, PASSWORD_PROTECTED_TRANSPORT, TWO_STEP),
        (TWO, E, REFEDS_MFA, TWO_STEP),
        (ALONE, E, PASSWORD_PROTECTED_TRANSPORT, TWO_STEP),  # and a higher one adds one
        (ALONE, E, MOBILE_TWO_FACTOR, TWO_STEP),
        (ALONE, MIN, PASSWORD, APPROVAL_ALONE),
        (ALONE, MIN, REFEDS_MFA, TWO_STEP),
        (VERIFIED, MIN, REFEDS_MFA, APPROVAL_ALONE),
        (COMFORT, E, REFEDS_MFA, None),
        (TWO, E, "urn:unknown", None),
    ],
)
def test_a_requested_context_only_adds(
    policy: Policy, comparison: Comparison, wanted: str, steps: Steps | None
) -> None:
    context = RequestedContext(comparison, (wanted,))
    if steps is None:
        assert refused(policy, context=context) is RefusalReason.NO_AUTHN_CONTEXT
    else:
        assert planned(policy, context=context).steps == steps


def test_a_step_that_the_context_added_is_told() -> None:
    context = RequestedContext(E, (MOBILE_TWO_FACTOR,))
    texts = [r.text for r in planned(ALONE, context=context).reasons]
    assert "the requested context adds the password step" in texts


@pytest.mark.parametrize(
    ("policy", "evidence", "forced", "remaining"),
    [
        (TWO, BOTH, False, ()),
        (TWO, BOTH, True, TWO_STEP),  # P06
        (TWO, (CARRIED_P,), False, APPROVAL_ALONE),
        (TWO, (CARRIED_A,), False, TWO_STEP),  # P08
        (TWO, (), False, TWO_STEP),
        (ALONE, BOTH, False, ()),
        (ALONE, (CARRIED_A,), False, ()),
        (ALONE, (CARRIED_A,), True, APPROVAL_ALONE),
        (a_policy(access_symbols=6), BOTH, False, APPROVAL_ALONE),
        (a_policy(step_max_age=timedelta(0)), BOTH, False, TWO_STEP),
        (a_policy(step_max_age=seconds(50)), BOTH, False, TWO_STEP),
    ],
)
def test_only_the_steps_that_the_session_does_not_serve_remain(
    *, policy: Policy, evidence: tuple[Evidence, ...], forced: bool, remaining: Steps
) -> None:
    plan = planned(policy, session_evidence=evidence, person=a_person(), force_authn=forced)
    assert plan.remaining == remaining
    assert tuple(e.step for e in plan.resumed) + plan.remaining == plan.steps
    passive = decided(
        policy,
        session_evidence=evidence,
        person=a_person(),
        force_authn=forced,
        is_passive=True,
    )
    if remaining:  # P07
        assert isinstance(passive, Refusal)
        assert passive.reason is RefusalReason.NO_PASSIVE
    else:
        assert passive == plan


@pytest.mark.parametrize(
    ("policy", "person", "reason"),
    [
        (TWO, a_person(enabled=False), RefusalReason.USER_DISABLED),
        (TWO, a_person(identity=None), RefusalReason.NO_IDENTITY),
        (ALONE, a_person(identity=None), RefusalReason.NO_IDENTITY),
        (a_policy(groups=("other",)), a_person(), RefusalReason.NOT_IN_GROUPS),
        (a_policy(groups=("Staff",)), a_person(), RefusalReason.NOT_IN_GROUPS),
        (a_policy(groups=("staff",)), a_person(groups=()), RefusalReason.NOT_IN_GROUPS),
    ],
)
def test_a_user_who_may_not_sign_in_is_refused_whatever_the_session_holds(
    policy: Policy, person: Any, reason: RefusalReason
) -> None:
    assert refused(policy, person=person) is reason
    assert refused(policy, person=person, session_evidence=BOTH) is reason


def test_one_of_the_policys_groups_is_enough() -> None:
    plan = planned(a_policy(groups=("other", "staff")), person=a_person())
    assert "the user is in staff" in [r.text for r in plan.reasons]


def test_every_reason_of_the_policy_says_where_it_stands() -> None:
    place = Source("policies/sp.toml", 7)
    policy = a_policy(groups=("staff",), sources={"login.groups": place})
    reasons = planned(policy, person=a_person(), session_evidence=BOTH).reasons
    by_key = {r.key: r.source for r in reasons}
    assert by_key["login.groups"] == place
    assert str(by_key["login.two_step"]) == "built-in default"
    assert {"login.access_symbols", "login.step_max_age_seconds"} <= set(by_key)


def test_a_session_that_serves_nothing_is_told_as_well() -> None:
    old = (password_evidence(at=NOW - timedelta(days=1), session=SESSION), approval_evidence())
    texts = [r.text for r in planned(TWO, session_evidence=old, person=a_person()).reasons]
    assert "the session serves no step (at most 28800 s old)" in texts
