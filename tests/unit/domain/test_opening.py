"""A login is opened, and a session carries it as far as it serves."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from saml_idp.domain.attempt import APPROVAL_ALONE, TWO_STEP, State, Steps
from saml_idp.domain.chain import walk
from saml_idp.domain.decision import LoginPlan
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.domain.evidence import Evidence
from saml_idp.domain.ids import Digest
from saml_idp.domain.opening import opened, resumed
from tests.build import (
    ALICE,
    ATTEMPT,
    BROWSER,
    NOW,
    SEAL_KEY,
    a_person,
    a_request,
    an_attempt,
    approval_evidence,
    password_evidence,
)

P, A = password_evidence(), approval_evidence()


def a_plan(steps: Steps, *evidence: Evidence) -> LoginPlan:
    return LoginPlan(steps, evidence, steps[len(evidence) :], "", ())


def test_an_opened_login_holds_its_request_its_browser_and_nothing_done() -> None:
    attempt = opened(
        a_request(),
        TWO_STEP,
        attempt_id=ATTEMPT,
        browser=BROWSER,
        key=SEAL_KEY,
        now=NOW,
        lifetime=timedelta(minutes=10),
    )
    assert attempt == an_attempt(State.OPENED)


@pytest.mark.parametrize(
    ("steps", "evidence", "state"),
    [
        (TWO_STEP, (), State.AWAITING_PASSWORD),
        (APPROVAL_ALONE, (), State.AWAITING_NAME),
        (TWO_STEP, (P,), State.AWAITING_APPROVAL),
        (TWO_STEP, (P, A), State.CHAIN_COMPLETE),
        (APPROVAL_ALONE, (A,), State.CHAIN_COMPLETE),
    ],
)
def test_a_login_goes_as_far_as_the_session_carries_it(
    steps: Steps, evidence: tuple[Evidence, ...], state: State
) -> None:
    attempt = an_attempt(State.OPENED, steps=steps)
    moved = resumed(attempt, a_plan(steps, *evidence), a_person(), SEAL_KEY)
    assert moved.state is state
    assert moved.entered_name == "alice"  # named on the form
    assert moved.user_id == (ALICE if evidence else None)  # but known only by what was done
    found = walk(
        moved.chain,
        SEAL_KEY,
        expected_attempt=ATTEMPT,
        expected_request=attempt.request,
        expected_steps=steps,
    )
    assert found == evidence


def test_without_a_session_nobody_is_named() -> None:
    moved = resumed(an_attempt(State.OPENED), a_plan(TWO_STEP), None, SEAL_KEY)
    assert (moved.user_id, moved.entered_name) == (None, None)


def test_other_changes_are_made_with_it() -> None:
    changes: dict[str, Any] = {"browser": Digest("f" * 64)}
    moved = resumed(an_attempt(State.OPENED), a_plan(TWO_STEP), None, SEAL_KEY, **changes)
    assert moved.browser == "f" * 64


def test_a_login_is_carried_once() -> None:
    attempt = replace(an_attempt(State.OPENED), state=State.AWAITING_PASSWORD)
    with pytest.raises(TransitionNotAllowed):
        resumed(attempt, a_plan(TWO_STEP, P), a_person(), SEAL_KEY)
