"""Which login a browser may touch: its own (L03)."""

import pytest

from saml_idp.domain.attempt import State
from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import AttemptId
from tests.build import ORIGIN
from tests.unit.services.house import House, Jar


def test_a_browser_finds_its_own_login(house: House, jar: Jar) -> None:
    attempt = house.begin(jar)
    assert house.find_login(attempt.attempt_id, browser=jar.browser.digest) == attempt


def test_another_browsers_login_is_as_unknown_as_none(house: House, jar: Jar) -> None:
    attempt = house.begin(jar)
    stranger = house.a_jar().browser.digest
    said = []
    for attempt_id in (attempt.attempt_id, AttemptId("none")):
        with pytest.raises(NotFound) as refused:
            house.find_login(attempt_id, browser=stranger)
        said.append(refused.value.reason)
    assert said == ["not_found", "not_found"]


def test_a_login_past_its_time_comes_back_expired(house: House, jar: Jar) -> None:
    attempt = house.begin(jar)
    house.clock.advance(minutes=10)
    found = house.find_login(attempt.attempt_id, browser=jar.browser.digest)
    assert found.state is State.EXPIRED


def test_a_login_that_is_over_stays_what_it_was(house: House, jar: Jar) -> None:
    attempt = house.begin(jar)
    house.cancel_login(attempt.attempt_id, origin=ORIGIN)
    house.clock.advance(minutes=10)
    found = house.find_login(attempt.attempt_id, browser=jar.browser.digest)
    assert found.state is State.REFUSED
