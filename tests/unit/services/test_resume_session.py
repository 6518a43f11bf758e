"""The browser came back with its cookies after a cross-site POST."""

from dataclasses import replace
from typing import Any

import pytest

from saml_idp.domain.attempt import APPROVAL_ALONE, LoginAttempt, State
from saml_idp.domain.errors import NotFound, TransitionNotAllowed
from tests.build import ORIGIN, PROVIDER, a_policy
from tests.unit.services.house import House, Jar, Phone


def opened(house: House, **request: Any) -> tuple[LoginAttempt, Jar]:
    """Return a login as a cross-site POST leaves it, with the one-time secret it belongs to."""
    once = house.a_jar()
    return house.begin(once, cookies_were_sent=False, **request), once


def test_the_login_is_bound_to_the_browser_from_here_on(house: House, jar: Jar) -> None:
    attempt, once = opened(house)
    moved = house.resume(attempt, jar)
    assert moved.state is State.AWAITING_PASSWORD
    assert house.find_login(attempt.attempt_id, browser=jar.browser.digest) == moved
    with pytest.raises(NotFound):
        house.find_login(attempt.attempt_id, browser=once.browser.digest)


def test_the_session_carries_the_login_to_its_end(house: House, jar: Jar, phone: Phone) -> None:
    house.log_in(jar, phone)
    attempt, _ = opened(house)
    moved = house.resume(attempt, jar)
    assert moved.state is State.CHAIN_COMPLETE
    assert not house.finish(moved, jar).session_started


def test_the_session_carries_the_password(house: House, jar: Jar, phone: Phone) -> None:
    house.log_in(jar, phone)
    house.policies.by_id[PROVIDER] = a_policy(access_symbols=5)
    attempt, _ = opened(house)
    assert house.resume(attempt, jar).state is State.AWAITING_APPROVAL


def test_a_forced_login_is_carried_nowhere(house: House, jar: Jar, phone: Phone) -> None:
    house.log_in(jar, phone)
    attempt, _ = opened(house, attributes='ForceAuthn="true"')
    assert house.resume(attempt, jar).state is State.AWAITING_PASSWORD


def test_a_passive_login_without_a_session_is_over(house: House, jar: Jar) -> None:
    attempt, _ = opened(house, attributes='IsPassive="true"')
    moved = house.resume(attempt, jar)
    assert (moved.state, moved.ended_because) == (State.REFUSED, "no_passive")
    assert house.events()[-1] == ("login_refused", "no_passive")


@pytest.mark.parametrize("two_step", [True, False])
def test_a_policy_that_changed_meanwhile_ends_the_login(
    house: House, jar: Jar, *, two_step: bool
) -> None:
    house.policies.by_id[PROVIDER] = a_policy(two_step=two_step)
    attempt, _ = opened(house)
    house.policies.by_id[PROVIDER] = a_policy(two_step=not two_step)
    moved = house.resume(attempt, jar)
    assert (moved.state, moved.ended_because) == (State.REFUSED, "policy_changed")


def test_a_user_who_lost_the_right_meanwhile_is_refused(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.log_in(jar, phone)
    attempt, _ = opened(house)
    house.policies.by_id[PROVIDER] = a_policy(groups=("nobody",))
    moved = house.resume(attempt, jar)
    assert (moved.state, moved.ended_because) == (State.REFUSED, "not_in_groups")


def test_the_session_of_a_disabled_user_carries_nothing(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.log_in(jar, phone)
    attempt, _ = opened(house)
    with house.store.unit() as unit:
        person = unit.people.get(phone.device.user_id)
        unit.people.replace(person, replace(person, enabled=False))
    assert house.resume(attempt, jar).state is State.AWAITING_PASSWORD


def test_coming_back_twice_changes_nothing(house: House, jar: Jar) -> None:
    attempt, _ = opened(house)
    moved = house.resume(attempt, jar)
    assert house.resume(attempt, jar) == moved
    assert house.resume(attempt, house.a_jar()) == moved  # bound already


def test_of_two_browsers_that_come_back_at_once_one_is_bound(house: House, jar: Jar) -> None:
    attempt, _ = opened(house)
    racing = house.resume_session
    policies = house.policies

    class Racing:
        """Comes back in another browser while this one is being thought about."""

        done = False

        def policy_for(self, entity_id: Any) -> Any:
            if not Racing.done:
                Racing.done = True
                house.resume(attempt, house.a_jar())
            return policies.policy_for(entity_id)

    second = type(racing)(
        racing.store,
        Racing(),  # type: ignore[arg-type]
        racing.clock,
        racing.seal_key,
        racing.session_idle,
    )
    with pytest.raises(TransitionNotAllowed):
        second(attempt.attempt_id, browser=jar.browser, session_secret=None, origin=ORIGIN)


def test_an_approval_alone_waits_for_a_name(house: House, jar: Jar) -> None:
    house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    attempt, _ = opened(house)
    moved = house.resume(attempt, jar)
    assert (moved.state, moved.steps) == (State.AWAITING_NAME, APPROVAL_ALONE)
