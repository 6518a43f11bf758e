"""What the waiting browser may know: pending, decided or over (D21)."""

import pytest

from saml_idp.device_sdk.messages import Verdict
from saml_idp.domain.attempt import LoginAttempt
from saml_idp.services.watch_login import Waiting
from tests.build import ORIGIN, PROVIDER, a_policy
from tests.unit.services.house import House, Jar, Phone


@pytest.fixture
def attempt(house: House, jar: Jar, phone: Phone) -> LoginAttempt:
    return house.password(house.begin(jar), jar)


def watched(house: House, attempt: LoginAttempt) -> Waiting:
    return house.watch_login(house.stored(attempt))


def test_it_is_pending_while_the_question_is_open(
    house: House, jar: Jar, phone: Phone, attempt: LoginAttempt
) -> None:
    house.ask(attempt, jar)
    assert watched(house, attempt) is Waiting.PENDING
    house.list_approvals(phone.device)
    assert watched(house, attempt) is Waiting.PENDING  # not even that a device has seen it


@pytest.mark.parametrize("verdict", list(Verdict))
def test_it_is_decided_whatever_the_answer(
    house: House, jar: Jar, phone: Phone, attempt: LoginAttempt, verdict: Verdict
) -> None:
    house.answer(phone, house.ask(attempt, jar).approval_id, verdict=verdict)
    assert watched(house, attempt) is Waiting.DECIDED


def test_it_is_over_after_wrong_symbols_or_too_long(
    house: House, jar: Jar, phone: Phone, attempt: LoginAttempt
) -> None:
    page = house.ask(attempt, jar)
    house.clock.advance(seconds=120)
    assert watched(house, attempt) is Waiting.OVER
    page = house.ask(attempt, jar, again=True)
    house.answer(phone, page.approval_id, "AAAA")
    assert watched(house, attempt) is Waiting.OVER


def test_it_is_over_with_the_login(
    house: House, jar: Jar, phone: Phone, attempt: LoginAttempt
) -> None:
    house.clock.advance(minutes=10)
    assert watched(house, attempt) is Waiting.OVER


def test_it_is_decided_when_the_user_cancelled(
    house: House, jar: Jar, phone: Phone, attempt: LoginAttempt
) -> None:
    house.cancel_login(attempt.attempt_id, origin=ORIGIN)
    assert watched(house, attempt) is Waiting.DECIDED


def test_who_waits_for_another_browser_is_called_when_that_is_over(
    house: House, jar: Jar, phone: Phone, attempt: LoginAttempt
) -> None:
    page = house.ask(attempt, jar)
    other = house.a_jar()
    second = house.password(house.begin(other), other)
    house.ask(second, other)
    assert watched(house, second) is Waiting.PENDING
    house.answer(phone, page.approval_id)
    assert watched(house, second) is Waiting.OVER


def test_a_name_that_nobody_has_waits_like_any_other(house: House, phone: Phone) -> None:
    house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    logins = []
    for _ in range(2):
        jar = house.a_jar()
        attempt = house.give_name(house.begin(jar).attempt_id, "nobody")
        house.ask(attempt, jar)
        logins.append(attempt)
    assert [watched(house, a) for a in logins] == [Waiting.PENDING, Waiting.PENDING]
    house.clock.advance(seconds=120)
    assert [watched(house, a) for a in logins] == [Waiting.OVER, Waiting.OVER]
