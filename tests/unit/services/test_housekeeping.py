"""Expire and sweep what is past its time, and nothing that is evidence."""

import pytest

from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.errors import NotFound
from tests.build import PROVIDER, a_policy
from tests.unit.services.house import House, Jar, Phone


def test_a_question_past_its_time_is_expired_and_recorded_once(
    house: House, jar: Jar, phone: Phone
) -> None:
    page = house.ask(house.password(house.begin(jar), jar), jar)
    assert house.keep_house() == 0
    house.clock.advance(seconds=120)
    assert house.keep_house() == 1
    assert house.approval(page.approval_id).state is ApprovalState.EXPIRED
    assert house.events()[-1] == ("approval_expired", "")
    assert house.keep_house() == 0


def test_a_login_that_came_to_nothing_is_swept_after_a_day(
    house: House, jar: Jar, phone: Phone
) -> None:
    abandoned = house.begin(jar)
    house.clock.advance(hours=24)
    house.keep_house()
    assert house.is_stored(abandoned)  # its request ID is still remembered
    house.clock.advance(minutes=11)
    house.keep_house()
    assert not house.is_stored(abandoned)


def test_what_a_receipt_refers_to_is_never_swept(house: House, jar: Jar, phone: Phone) -> None:
    finished = house.log_in(jar, phone)
    house.clock.advance(days=400)
    house.keep_house()
    with house.store.view() as unit:
        receipt = unit.receipts.get(finished.response.assertion_id)
        unit.attempts.get(receipt.attempt_id)
        unit.approvals.get(receipt.approval)
        assert receipt.password is not None
        unit.receipts.get_password(receipt.password)


def test_a_session_is_swept_a_day_after_its_end(house: House, jar: Jar, phone: Phone) -> None:
    house.log_in(jar, phone)
    assert jar.session is not None
    house.clock.advance(hours=36)
    house.keep_house()
    with house.store.view() as unit:
        assert unit.sessions.find(jar.session) is not None
    house.clock.advance(seconds=1)
    assert house.keep_house() >= 1
    with house.store.view() as unit:
        assert unit.sessions.find(jar.session) is None


def test_nothing_of_a_flood_of_invented_names_stays(house: House) -> None:
    house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    attempts = []
    for number in range(3):
        jar = house.a_jar()
        attempts.append(attempt := house.begin(jar))
        house.give_name(attempt.attempt_id, f"nobody-{number}")
        house.ask(attempt, jar)
    house.clock.advance(days=2)
    house.keep_house()
    assert house.keep_house() == 0
    with house.store.view() as unit:
        assert unit.attempts.count_open() == 0
        with pytest.raises(NotFound):
            unit.attempts.get(attempts[0].attempt_id)


def test_the_messages_of_devices_and_old_failures_are_forgotten(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.log_in(jar, phone)
    with house.store.unit() as unit:
        unit.tallies.count_try("nobody", house.clock.now())
        unit.devices.use_token("a-device", "a-jti", expires_at=house.clock.now())
    house.clock.advance(days=31)
    house.keep_house()
    with house.store.unit() as unit:
        assert unit.tallies.find("nobody") is None
        unit.devices.use_token("a-device", "a-jti", expires_at=house.clock.now())


def test_an_empty_house_is_kept_without_work(house: House) -> None:
    assert house.keep_house() == 0
    try:
        house.approval("none")
    except NotFound:
        return
    raise AssertionError
