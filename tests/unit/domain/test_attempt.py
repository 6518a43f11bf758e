"""The transition table, written a second time. Whoever changes a row changes it twice."""

import re
from itertools import product
from typing import Final

import pytest

from saml_idp.domain.attempt import (
    APPROVAL_ALONE,
    TRANSITIONS,
    TWO_STEP,
    Event,
    LoginAttempt,
    State,
    Steps,
)
from saml_idp.domain.errors import TransitionNotAllowed
from tests.build import an_attempt

# from --event--> to; a state alone on its line is an end.
TWO_STEP_DIAGRAM: Final = """
    opened            --nothing_resumed-->    awaiting_password
    opened            --password_resumed-->   awaiting_approval
    opened            --chain_resumed-->      chain_complete
    opened            --login_refused-->      refused
    opened            --timed_out-->          expired
    awaiting_password --password_accepted-->  awaiting_approval
    awaiting_password --password_rejected-->  awaiting_password
    awaiting_password --login_refused-->      refused
    awaiting_password --timed_out-->          expired
    awaiting_approval --approval_granted-->   chain_complete
    awaiting_approval --approval_failed-->    awaiting_approval
    awaiting_approval --approval_denied-->    refused
    awaiting_approval --restarted-->          awaiting_password
    awaiting_approval --login_refused-->      refused
    awaiting_approval --timed_out-->          expired
    chain_complete    --response_issued-->    done
    chain_complete    --login_refused-->      refused
    chain_complete    --timed_out-->          expired
    done
    refused
    expired
"""
APPROVAL_ALONE_DIAGRAM: Final = """
    opened            --nothing_resumed-->    awaiting_name
    opened            --password_resumed-->   awaiting_approval
    opened            --chain_resumed-->      chain_complete
    opened            --login_refused-->      refused
    opened            --timed_out-->          expired
    awaiting_name     --name_given-->         awaiting_approval
    awaiting_name     --login_refused-->      refused
    awaiting_name     --timed_out-->          expired
    awaiting_approval --approval_granted-->   chain_complete
    awaiting_approval --approval_failed-->    awaiting_approval
    awaiting_approval --approval_denied-->    refused
    awaiting_approval --restarted-->          awaiting_name
    awaiting_approval --login_refused-->      refused
    awaiting_approval --timed_out-->          expired
    chain_complete    --response_issued-->    done
    chain_complete    --login_refused-->      refused
    chain_complete    --timed_out-->          expired
    done
    refused
    expired
"""
DIAGRAMS: Final = {TWO_STEP: TWO_STEP_DIAGRAM, APPROVAL_ALONE: APPROVAL_ALONE_DIAGRAM}
_ROW: Final = re.compile(r"(\w+)\s+--(\w+)-->\s+(\w+)")


def _drawn(steps: Steps) -> dict[State, dict[Event, State]]:
    rows: dict[State, dict[Event, State]] = {}
    for line in filter(None, map(str.strip, DIAGRAMS[steps].splitlines())):
        found = _ROW.fullmatch(line)
        rows.setdefault(State(found[1] if found else line), {})
        if found:
            rows[State(found[1])][Event(found[2])] = State(found[3])
    return rows


def _at(steps: Steps, state: State) -> LoginAttempt:
    return an_attempt(state, steps=steps, evidence=())


EVERY: Final = [(p, s, e) for p, s, e in product(DIAGRAMS, State, Event) if s in TRANSITIONS[p]]


def test_there_are_two_plans_and_none_without_an_approval() -> None:
    assert set(TRANSITIONS) == set(DIAGRAMS)
    assert all("approval" in steps for steps in TRANSITIONS)


@pytest.mark.parametrize("steps", DIAGRAMS, ids=len)
def test_the_table_is_the_diagram(steps: Steps) -> None:
    assert {s: dict(events) for s, events in TRANSITIONS[steps].items()} == _drawn(steps)


@pytest.mark.parametrize(("steps", "state", "event"), EVERY)
def test_an_event_leads_where_the_diagram_says_or_nowhere(
    steps: Steps, state: State, event: Event
) -> None:
    attempt = _at(steps, state)
    expected = _drawn(steps)[state].get(event)
    if expected is None:
        with pytest.raises(TransitionNotAllowed) as refused:
            attempt.after(event)
        assert refused.value.reason == f"{event}_in_{state}"
    else:
        moved = attempt.after(event)
        assert (moved.state, moved.version) == (expected, attempt.version + 1)


@pytest.mark.parametrize("steps", DIAGRAMS, ids=len)
def test_no_road_leads_to_a_complete_chain_but_through_an_approval_or_a_session(
    steps: Steps,
) -> None:
    into = {e for row in _drawn(steps).values() for e, s in row.items() if s == "chain_complete"}
    assert into == {Event.APPROVAL_GRANTED, Event.CHAIN_RESUMED}


def test_a_state_of_another_plan_lets_nothing_happen() -> None:
    attempt = _at(TWO_STEP, State.AWAITING_NAME)
    with pytest.raises(TransitionNotAllowed):
        attempt.after(Event.NAME_GIVEN)


def test_a_plan_that_does_not_exist_lets_nothing_happen() -> None:
    attempt = _at((), State.OPENED)
    with pytest.raises(TransitionNotAllowed):
        attempt.after(Event.NOTHING_RESUMED)


@pytest.mark.parametrize("change", [{"state": State.DONE}, {"steps": APPROVAL_ALONE}])
def test_a_caller_cannot_choose_the_state_or_the_plan(change: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        _at(TWO_STEP, State.OPENED).after(Event.NOTHING_RESUMED, **change)


def test_other_changes_are_made_with_the_event() -> None:
    moved = _at(TWO_STEP, State.AWAITING_PASSWORD).after(
        Event.PASSWORD_REJECTED, entered_name="mallory"
    )
    assert moved.entered_name == "mallory"


@pytest.mark.parametrize("steps", DIAGRAMS, ids=len)
def test_a_login_is_over_exactly_at_its_three_ends(steps: Steps) -> None:
    over = {s for s in TRANSITIONS[steps] if _at(steps, s).is_over}
    assert over == {State.DONE, State.REFUSED, State.EXPIRED}
