"""Name, another name, cancel: what a user may do to their own login besides passing steps."""

import pytest

from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.services.answer_approval import Result
from tests.build import ORIGIN, PROVIDER, a_policy
from tests.unit.services.house import House, Jar, Phone


@pytest.fixture
def alone(house: House, jar: Jar) -> LoginAttempt:
    """A login whose whole chain is the approval."""
    house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    return house.begin(jar)


@pytest.mark.parametrize("name", ["alice", "ALICE", "ali\u200bce"])
def test_a_name_leads_to_the_approval_of_its_user(
    house: House, alone: LoginAttempt, name: str
) -> None:
    moved = house.give_name(alone.attempt_id, name)
    assert (moved.state, moved.user_id, moved.entered_name) == (
        State.AWAITING_APPROVAL,
        "u-alice",
        "alice",
    )


@pytest.mark.parametrize("name", ["nobody", "", "x" * 5000])
def test_a_name_that_nobody_has_goes_the_same_way(
    house: House, alone: LoginAttempt, name: str
) -> None:
    moved = house.give_name(alone.attempt_id, name)
    assert (moved.state, moved.user_id) == (State.AWAITING_APPROVAL, None)
    assert moved.entered_name == name[:256]


def test_a_name_is_taken_once(house: House, alone: LoginAttempt) -> None:
    house.give_name(alone.attempt_id, "alice")
    with pytest.raises(TransitionNotAllowed):
        house.give_name(alone.attempt_id, "bob")


def test_a_name_is_no_way_round_the_password(house: House, jar: Jar) -> None:
    attempt = house.begin(jar)
    with pytest.raises(TransitionNotAllowed):
        house.give_name(attempt.attempt_id, "alice")


def test_another_user_begins_the_chain_anew(house: House, jar: Jar, phone: Phone) -> None:
    """L04: every step done is discarded, and the open approval is worthless."""
    attempt = house.begin(jar)
    house.password(attempt, jar)
    page = house.ask(attempt, jar)
    moved = house.restart_login(attempt.attempt_id, origin=ORIGIN)
    assert (moved.state, moved.user_id, moved.entered_name) == (
        State.AWAITING_PASSWORD,
        None,
        None,
    )
    assert moved.chain == attempt.chain
    assert moved.steps == attempt.steps
    assert house.approval(page.approval_id).state is ApprovalState.CANCELLED
    assert house.answer(phone, page.approval_id) is Result.OVER
    assert house.stored(attempt).state is State.AWAITING_PASSWORD
    assert house.events()[-1] == ("login_restarted", "")


def test_a_restart_of_an_approval_alone_asks_for_the_name(
    house: House, alone: LoginAttempt
) -> None:
    house.give_name(alone.attempt_id, "alice")
    moved = house.restart_login(alone.attempt_id, origin=ORIGIN)
    assert (moved.state, moved.steps) == (State.AWAITING_NAME, alone.steps)


def test_a_login_that_is_complete_is_not_restarted(house: House, jar: Jar, phone: Phone) -> None:
    attempt = house.password(house.begin(jar), jar)
    house.answer(phone, house.ask(attempt, jar).approval_id)
    with pytest.raises(TransitionNotAllowed):
        house.restart_login(attempt.attempt_id, origin=ORIGIN)


def test_a_cancelled_login_is_over_and_its_approval_with_it(
    house: House, jar: Jar, phone: Phone
) -> None:
    attempt = house.password(house.begin(jar), jar)
    page = house.ask(attempt, jar)
    moved = house.cancel_login(attempt.attempt_id, origin=ORIGIN)
    assert (moved.state, moved.ended_because) == (State.REFUSED, "cancelled")
    assert house.answer(phone, page.approval_id) is Result.OVER
    assert house.events()[-1] == ("login_refused", "cancelled")
    with pytest.raises(TransitionNotAllowed):
        house.cancel_login(attempt.attempt_id, origin=ORIGIN)


def test_an_approval_that_ended_by_itself_is_left_as_it_is(
    house: House, jar: Jar, phone: Phone
) -> None:
    attempt = house.password(house.begin(jar), jar)
    page = house.ask(attempt, jar)
    house.clock.advance(minutes=3)
    house.cancel_login(attempt.attempt_id, origin=ORIGIN)
    assert house.approval(page.approval_id).state is ApprovalState.PENDING  # past its time
