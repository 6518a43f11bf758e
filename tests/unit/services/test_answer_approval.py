"""Second step, second half: which answer counts, once, for what."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.messages import Verdict
from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.chain import walk
from saml_idp.domain.errors import DeviceMessageRejected, Throttled
from saml_idp.domain.evidence import Method, Step
from saml_idp.domain.ids import ApprovalId
from saml_idp.domain.policy import UserVerification
from saml_idp.domain.throttle import subject_for
from saml_idp.services.answer_approval import Result
from tests.build import ORIGIN, PROVIDER, SEAL_KEY, a_policy
from tests.unit.services.house import House, Jar, Phone, password_of


class Asked:
    """A login that waits, and the question that was put."""

    def __init__(self, house: House, jar: Jar, name: str = "alice") -> None:
        self.house = house
        self.attempt: LoginAttempt = house.password(house.begin(jar), jar, name)
        page = house.ask(self.attempt, jar)
        self.approval_id, self.symbols = page.approval_id, page.symbols

    @property
    def wrong(self) -> str:
        return self.symbols[::-1] if self.symbols[::-1] != self.symbols else "ABCD"

    @property
    def state(self) -> State:
        return self.house.stored(self.attempt).state

    @property
    def approval_state(self) -> ApprovalState:
        return self.house.approval(self.approval_id).state


@pytest.fixture
def asked(house: House, jar: Jar, phone: Phone) -> Asked:
    return Asked(house, jar)


def failures(house: House) -> int:
    with house.store.view() as unit:
        tally = unit.tallies.find("alice")
    return tally.failures if tally is not None else 0


def test_the_right_symbols_complete_the_chain_and_leave_evidence(
    house: House, phone: Phone, asked: Asked
) -> None:
    house.clock.advance(seconds=7)
    assert house.answer(phone, asked.approval_id) is Result.GRANTED
    assert (asked.state, asked.approval_state) == (
        State.CHAIN_COMPLETE,
        ApprovalState.GRANTED,
    )
    moved, approval = house.stored(asked.attempt), house.approval(asked.approval_id)
    evidence = walk(
        moved.chain,
        SEAL_KEY,
        expected_attempt=moved.attempt_id,
        expected_request=moved.request,
        expected_steps=moved.steps,
    )[-1]
    assert (evidence.step, evidence.method, evidence.symbols) == (Step.APPROVAL, Method.DEVICE, 4)
    assert evidence.reference == asked.approval_id
    assert evidence.device_id == phone.device.device_id
    assert evidence.at == house.clock.now() == approval.decided_at
    assert (approval.device_id, approval.public_key) == (
        phone.device.device_id,
        phone.device.public_key,
    )
    assert approval.answer is not None
    assert failures(house) == 0
    assert house.events()[-1] == ("approval_granted", "")


def test_wrong_symbols_end_the_question_and_count(house: House, phone: Phone, asked: Asked) -> None:
    """D08."""
    assert house.answer(phone, asked.approval_id, asked.wrong) is Result.FAILED
    assert (asked.state, asked.approval_state) == (
        State.AWAITING_APPROVAL,
        ApprovalState.FAILED,
    )
    assert failures(house) == 1
    assert house.stored(asked.attempt).ended_because is None  # it may be asked anew
    assert house.events()[-1] == ("approval_failed", "wrong_symbols")
    assert house.answer(phone, asked.approval_id) is Result.OVER  # 1 wrong, then right


@pytest.mark.parametrize(
    ("verdict", "because", "event"),
    [
        (Verdict.DENY, "denied", "approval_denied"),
        (Verdict.NOT_ME, "not_me", "approval_not_me"),
    ],
)
def test_a_no_ends_the_login(
    house: House, phone: Phone, asked: Asked, verdict: Verdict, because: str, event: str
) -> None:
    assert house.answer(phone, asked.approval_id, verdict=verdict) is Result.DENIED
    ended = house.stored(asked.attempt)
    assert (ended.state, ended.ended_because) == (State.REFUSED, because)
    assert asked.approval_state is ApprovalState.DENIED
    assert failures(house) == 0
    assert house.events()[-1][0] == event


@pytest.mark.parametrize("first", list(Verdict))
@pytest.mark.parametrize("second", list(Verdict))
def test_an_answer_counts_once(
    house: House, phone: Phone, asked: Asked, first: Verdict, second: Verdict
) -> None:
    house.answer(phone, asked.approval_id, verdict=first)
    before = (asked.state, asked.approval_state)
    assert house.answer(phone, asked.approval_id, verdict=second) is Result.OVER
    assert (asked.state, asked.approval_state) == before


def test_an_answer_after_its_time_is_over(house: House, phone: Phone, asked: Asked) -> None:
    house.clock.advance(seconds=119)
    message = phone.answer(
        house.approval(asked.approval_id), Verdict.APPROVE, asked.symbols, now=house.clock.now()
    )
    house.clock.advance(seconds=1)
    approval_id = ApprovalId(asked.approval_id)
    result = house.answer_approval(phone.device, approval_id, message, origin=ORIGIN)
    assert result is Result.OVER
    assert asked.state is State.AWAITING_APPROVAL


def test_the_device_of_another_user_may_not_answer(
    house: House, asked: Asked, phone: Phone
) -> None:
    """D05, CVE-2018-8340."""
    house.add_person("mallory")
    assert house.answer_refused(house.add_phone("mallory"), asked.approval_id) == "not_found"
    assert asked.approval_state is ApprovalState.PENDING  # and cannot end it either
    assert house.events()[-1] == ("device_rejected", "not_found")
    assert house.answer(phone, asked.approval_id) is Result.GRANTED


def test_a_bad_signature_of_another_users_device_does_not_end_the_question(
    house: House, asked: Asked, phone: Phone
) -> None:
    house.add_person("mallory")
    stranger = replace(house.add_phone("mallory"), key=DeviceKey.generate())
    assert house.answer_refused(stranger, asked.approval_id) == "bad_signature"
    assert asked.approval_state is ApprovalState.PENDING


def test_a_device_enrolled_after_the_question_may_not_answer(house: House, asked: Asked) -> None:
    house.clock.advance(seconds=5)
    late = house.add_phone("alice", number=2, enrolled_at=house.clock.now())
    assert house.answer_refused(late, asked.approval_id) == "not_found"


def test_a_retired_device_may_not_answer(house: House, phone: Phone, asked: Asked) -> None:
    """D12, D17: also when it was recognised a moment before it was removed."""
    house.retire_device(phone.device.device_id, origin=ORIGIN)
    assert asked.approval_state is ApprovalState.CANCELLED
    assert house.answer(phone, asked.approval_id) is Result.OVER
    assert asked.state is State.AWAITING_APPROVAL


def test_a_device_retired_while_its_answer_is_checked_does_not_count(
    house: House, jar: Jar, phone: Phone, asked: Asked
) -> None:
    with house.store.unit() as unit:
        unit.devices.retire(phone.device.device_id, house.clock.now())
    assert house.answer(phone, asked.approval_id) is Result.OVER
    assert asked.approval_state is ApprovalState.PENDING
    assert asked.state is State.AWAITING_APPROVAL


@pytest.mark.parametrize("change", [{"enabled": False}, {"identity": None}])
def test_a_user_disabled_or_without_the_id_meanwhile_may_not_answer(
    house: House, phone: Phone, asked: Asked, change: dict[str, Any]
) -> None:
    """D12."""
    with house.store.unit() as unit:
        person = unit.people.get(phone.device.user_id)
        unit.people.replace(person, replace(person, **change))
    assert house.answer(phone, asked.approval_id) is Result.OVER
    assert asked.state is State.AWAITING_APPROVAL


def test_a_bad_signature_of_the_owners_device_ends_the_question(
    house: House, phone: Phone, asked: Asked
) -> None:
    forged = replace(phone, key=DeviceKey.generate())
    assert house.answer_refused(forged, asked.approval_id) == "bad_signature"
    assert asked.approval_state is ApprovalState.FAILED
    assert house.events()[-1] == ("device_rejected", "bad_signature")
    assert house.answer_refused(forged, asked.approval_id) == "bad_signature"  # over already
    assert house.answer(phone, asked.approval_id) is Result.OVER


def test_an_answer_to_another_question_is_no_answer_to_this_one(
    house: House, phone: Phone, asked: Asked
) -> None:
    """D04: what was signed is that very question."""
    house.add_person("bob")
    bobs_phone, bobs_jar = house.add_phone("bob"), house.a_jar()
    other = Asked(house, bobs_jar, "bob")
    message = phone.answer(
        house.approval(other.approval_id), Verdict.APPROVE, asked.symbols, now=house.clock.now()
    )
    with pytest.raises(DeviceMessageRejected) as refused:
        house.answer_approval(phone.device, ApprovalId(asked.approval_id), message, origin=ORIGIN)
    assert refused.value.reason == "mismatch"
    assert house.answer(bobs_phone, other.approval_id) is Result.GRANTED


def test_there_is_no_such_question(house: House, phone: Phone) -> None:
    with pytest.raises(DeviceMessageRejected) as refused:
        house.answer_approval(phone.device, ApprovalId("none"), "x", origin=ORIGIN)
    assert refused.value.reason == "not_found"


def test_a_bare_key_does_not_answer_where_the_user_must_be_verified(
    house: House, phone: Phone, asked: Asked
) -> None:
    """Also when policy began to ask for it after the question was put."""
    required = a_policy(user_verification=UserVerification.REQUIRED)
    house.policies.by_id[PROVIDER] = required
    assert house.answer_refused(phone, asked.approval_id) == "user_verification"
    assert asked.approval_state is ApprovalState.PENDING


def test_an_account_that_is_locked_cannot_answer(house: House, phone: Phone, asked: Asked) -> None:
    """D12: right symbols do not pass a lock."""
    stranger = house.a_jar()
    guessing = house.begin(stranger)
    for _ in range(5):
        house.password(house.stored(guessing), stranger, "alice", "wrong")
    assert house.answer(phone, asked.approval_id) is Result.OVER
    assert asked.state is State.AWAITING_APPROVAL


def test_wrong_symbols_in_many_logins_share_one_count(house: House, phone: Phone) -> None:
    """D09: AuthQuake."""
    for _ in range(5):
        jar = house.a_jar()
        asked = Asked(house, jar)
        assert house.answer(phone, asked.approval_id, asked.wrong) is Result.FAILED
    jar = house.a_jar()
    attempt = house.begin(jar)
    assert failures(house) == 5
    with pytest.raises(Throttled):
        house.password(attempt, jar, "alice", password_of("alice"))


def test_an_answer_to_a_login_that_went_on_is_over(
    house: House, phone: Phone, asked: Asked
) -> None:
    """The login was restarted by another browser tab in between: no evidence is added."""
    with house.store.unit() as unit:
        stored = unit.attempts.get(asked.attempt.attempt_id)
        unit.attempts.replace(stored, replace(stored, user_id=None, version=stored.version + 1))
    assert house.answer(phone, asked.approval_id) is Result.OVER
    assert asked.approval_state is ApprovalState.PENDING


def test_a_login_that_expired_takes_no_answer(house: House, jar: Jar, phone: Phone) -> None:
    attempt = house.password(house.begin(jar), jar)
    house.clock.advance(minutes=9, seconds=59)
    page = house.ask(attempt, jar)
    message = phone.answer(
        house.approval(page.approval_id), Verdict.APPROVE, page.symbols, now=house.clock.now()
    )
    house.clock.advance(seconds=1)
    approval_id = ApprovalId(page.approval_id)
    result = house.answer_approval(phone.device, approval_id, message, origin=ORIGIN)
    assert result is Result.OVER


def test_a_trial_is_answered_without_a_login(house: House, phone: Phone) -> None:
    invitation = house.assign_identity(phone.device.user_id, origin=ORIGIN)
    key = DeviceKey.generate()
    enrolled = house.enrol(invitation.code, key)
    fresh = Phone(enrolled.device, key)
    assert enrolled.trial is not None
    assert house.answer(fresh, enrolled.trial.approval_id) is Result.GRANTED
    assert house.approval(enrolled.trial.approval_id).state is ApprovalState.GRANTED
    assert failures(house) == 0


def test_of_sixteen_answers_at_once_one_counts(house: House, phone: Phone, asked: Asked) -> None:
    """X09: approve and deny together have one winner."""
    results: list[Result] = []
    barrier = threading.Barrier(16)

    def answer(number: int) -> None:
        barrier.wait()
        verdict = Verdict.APPROVE if number % 2 else Verdict.DENY
        results.append(house.answer(phone, asked.approval_id, asked.symbols, verdict))

    threads = [threading.Thread(target=answer, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results).count(Result.OVER) == 15
    events = [e for e, _ in house.events()]
    assert events.count("approval_granted") + events.count("approval_denied") == 1


def test_wrong_symbols_in_the_owners_browser_count_there_alone(
    house: House, jar: Jar, phone: Phone
) -> None:
    """W08: a slip at home locks nobody out elsewhere, nor the other way round."""
    house.log_in(jar, phone)
    jar.session = None
    asked = Asked(house, jar)
    house.answer(phone, asked.approval_id, asked.wrong)
    own = subject_for("alice", known_browser=jar.browser.digest)
    with house.store.view() as unit:
        tally = unit.tallies.find(own)
    assert tally is not None
    assert (tally.failures, failures(house)) == (1, 0)
