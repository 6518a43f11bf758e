"""Second step, first half: who is asked, how often, and what the page shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from saml_idp.device_sdk.messages import Verdict
from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.asking import ApprovalView
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.domain.evidence import Method
from saml_idp.services.answer_approval import Result
from tests.build import ORIGIN, PROVIDER, a_policy, seconds
from tests.unit.services.house import House, Jar, Phone

UNASKABLE: dict[str, dict[str, Any]] = {
    "disabled": {"enabled": False},
    "no identity": {"identity": None},
}
ASKED, LIMITED, WAITING = ApprovalView.ASKED, ApprovalView.LIMITED, ApprovalView.WAITING_OTHER


def waiting(house: House, jar: Jar, name: str = "alice") -> LoginAttempt:
    """Return a login of *name* that waits for the approval."""
    return house.password(house.begin(jar), jar, name)


def waiting_alone(house: House, jar: Jar, name: str = "alice") -> LoginAttempt:
    house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    return house.give_name(house.begin(jar).attempt_id, name)


def test_the_question_names_provider_place_browser_and_the_policys_methods(
    house: House, jar: Jar, phone: Phone
) -> None:
    policy = a_policy(methods=frozenset({Method.DEVICE}), access_symbols=6)
    house.policies.by_id[PROVIDER] = policy
    attempt = waiting(house, jar)
    page = house.ask(attempt, jar)
    approval = house.approval(page.approval_id)
    assert (page.view, len(page.symbols), page.seconds_left) == (ASKED, 6, 120)
    assert (approval.provider, approval.provider_name) == (PROVIDER, "Example service")
    assert (approval.place, approval.browser) == (ORIGIN.address, ORIGIN.browser)
    assert (approval.identity, approval.user_id) == ("alice", "u-alice")
    assert (approval.methods, approval.symbols_count) == (policy.methods, 6)
    assert approval.attempt_id == attempt.attempt_id
    assert house.notifier.woken == ["alice"]
    assert house.events()[-1] == ("approval_asked", "")


def test_the_symbols_are_stored_under_seal_only(house: House, jar: Jar, phone: Phone) -> None:
    page = house.ask(waiting(house, jar), jar)
    approval = house.approval(page.approval_id)
    assert page.symbols not in repr(approval) + approval.symbols
    with house.store.view() as unit:
        assert page.symbols not in repr(unit.audit.read(limit=100))


def test_a_reload_shows_the_same_question(house: House, jar: Jar, phone: Phone) -> None:
    attempt = waiting(house, jar)
    page = house.ask(attempt, jar)
    house.clock.advance(seconds=30)
    for again in (False, True):
        assert house.ask(attempt, jar, again=again) == replace(page, seconds_left=90)
    assert house.notifier.woken == ["alice"]  # none is re-sent


@pytest.mark.parametrize("state", [State.OPENED, State.AWAITING_PASSWORD, State.AWAITING_NAME])
def test_nobodys_phone_rings_before_the_steps_before_are_done(
    house: House, jar: Jar, phone: Phone, state: State
) -> None:
    """L02."""
    if state is State.AWAITING_NAME:
        house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    attempt = house.begin(jar, cookies_were_sent=state is not State.OPENED)
    assert attempt.state is state
    with pytest.raises(TransitionNotAllowed):
        house.ask(attempt, jar)
    assert house.notifier.woken == []


def test_a_login_past_its_time_asks_nobody(house: House, jar: Jar, phone: Phone) -> None:
    attempt = waiting(house, jar)
    house.clock.advance(minutes=10)
    with pytest.raises(TransitionNotAllowed):
        house.ask(attempt, jar)


def test_a_question_lives_no_longer_than_its_login(house: House, jar: Jar, phone: Phone) -> None:
    attempt = waiting(house, jar)
    house.clock.advance(minutes=9)
    page = house.ask(attempt, jar)
    assert (page.seconds_left, page.lifetime_seconds) == (60, 60)


@pytest.mark.parametrize(
    ("end", "view"),
    [("expire", ApprovalView.EXPIRED), ("wrong", ApprovalView.FAILED)],
)
def test_a_question_that_is_over_is_asked_anew_only_at_the_users_wish(
    house: House, jar: Jar, phone: Phone, end: str, view: ApprovalView
) -> None:
    """D08: nothing new is asked by itself."""
    attempt = waiting(house, jar)
    first = house.ask(attempt, jar)
    if end == "expire":
        house.clock.advance(seconds=120)
    else:
        house.answer(phone, first.approval_id, "AAAA")
    assert house.ask(attempt, jar).view is view
    second = house.ask(attempt, jar, again=True)
    assert second.view is ASKED
    assert second.approval_id != first.approval_id


def test_five_questions_in_a_quarter_of_an_hour_and_no_sixth(house: House, phone: Phone) -> None:
    """D10."""
    for number in range(5):
        jar = house.a_jar()
        assert house.ask(waiting(house, jar), jar).view is ASKED, number
        house.clock.advance(seconds=121)
    jar = house.a_jar()
    attempt = waiting(house, jar)
    assert house.ask(attempt, jar).view is LIMITED
    assert house.events()[-1] == ("approval_limited", "")
    house.clock.advance(seconds=15 * 60 - 5 * 121 + 1)
    jar = house.a_jar()
    assert house.ask(waiting(house, jar), jar).view is ASKED


def test_where_the_approval_is_everything_a_stranger_asks_twice_and_the_owner_goes_on(
    house: House, phone: Phone
) -> None:
    owner = house.a_jar()
    house.log_in(owner, phone)
    owner.session = None
    house.clock.advance(minutes=15, seconds=1)
    for _ in range(2):
        stranger = house.a_jar()
        assert house.ask(waiting_alone(house, stranger), stranger).view is ASKED
        house.clock.advance(seconds=121)
    stranger = house.a_jar()
    assert house.ask(waiting_alone(house, stranger), stranger).view is LIMITED
    assert house.ask(waiting_alone(house, owner), owner).view is ASKED


def test_not_me_quiets_unknown_browsers_and_not_the_owners(house: House, phone: Phone) -> None:
    owner = house.a_jar()
    house.log_in(owner, phone)
    owner.session = None
    stranger = house.a_jar()
    page = house.ask(waiting(house, stranger), stranger)
    house.answer(phone, page.approval_id, verdict=Verdict.NOT_ME)
    assert house.notifier.told == [("alice", "not_me")]
    another = house.a_jar()
    assert house.ask(waiting(house, another), another).view is LIMITED
    assert house.ask(waiting(house, owner), owner).view is ASKED
    house.cancel_login(house.stored(waiting(house, owner)).attempt_id, origin=ORIGIN)
    house.clock.advance(minutes=15, seconds=1)
    later = house.a_jar()
    assert house.ask(waiting(house, later), later).view is ASKED


def test_another_browser_waits_until_the_first_is_over_and_the_device_is_told(
    house: House, jar: Jar, phone: Phone
) -> None:
    first = waiting(house, jar)
    page = house.ask(first, jar)
    other = house.a_jar()
    second = waiting(house, other)
    assert house.ask(second, other).view is WAITING
    approval = house.approval(page.approval_id)
    assert (approval.state, approval.other_browser_waiting) == (ApprovalState.PENDING, True)
    assert house.answer(phone, page.approval_id) is Result.GRANTED
    assert house.ask(second, other).view is ASKED


def test_a_second_login_of_the_same_browser_takes_the_place_of_the_first(
    house: House, jar: Jar, phone: Phone
) -> None:
    page = house.ask(waiting(house, jar), jar)
    second = house.ask(waiting(house, jar), jar)
    assert second.view is ASKED
    assert house.approval(page.approval_id).state is ApprovalState.SUPERSEDED
    assert house.answer(phone, page.approval_id) is Result.OVER


def test_a_login_takes_the_place_of_a_trial(house: House, jar: Jar, phone: Phone) -> None:
    trial = _trial(house)
    assert house.ask(waiting(house, jar), jar).view is ASKED
    assert house.approval(trial).state is ApprovalState.SUPERSEDED


def _trial(house: House) -> str:
    from tests.build import an_approval

    now = house.clock.now()
    trial = an_approval(
        attempt_id=None, created_at=now, expires_at=now + seconds(120), approval_id="trial"
    )
    with house.store.unit() as unit:
        assert unit.approvals.add(trial)
    return trial.approval_id


@pytest.mark.parametrize("why", ["nobody", "disabled", "no identity", "no device", "lost device"])
def test_a_name_that_cannot_be_asked_gets_a_decoy_that_rings_nowhere(
    house: House, jar: Jar, phone: Phone, why: str
) -> None:
    """W06, L11: the page looks the same, and simply expires."""
    if why != "nobody":
        house.add_person("bob", **UNASKABLE.get(why, {}))
    if why not in {"nobody", "no device"}:
        retired = house.clock.now() if why == "lost device" else None
        house.add_phone("bob", retired_at=retired)
    attempt = waiting_alone(house, jar, "bob")
    decoy = house.ask(attempt, jar)
    approval = house.approval(decoy.approval_id)
    assert (approval.user_id, approval.identity) == (None, "?bob")
    assert house.notifier.woken == []
    other = house.a_jar()
    real = house.ask(waiting_alone(house, other), other)
    shape = [(p.view, len(p.symbols), len(p.approval_id), p.seconds_left) for p in (decoy, real)]
    assert shape[0] == shape[1]
    assert house.answer_refused(phone, decoy.approval_id) == "not_found"
    house.clock.advance(seconds=120)
    assert house.ask(attempt, jar).view is ApprovalView.EXPIRED


def test_a_decoy_is_limited_like_a_real_question(house: House, phone: Phone) -> None:
    def views(name: str) -> list[ApprovalView]:
        found = []
        for _ in range(3):
            jar = house.a_jar()
            found.append(house.ask(waiting_alone(house, jar, name), jar).view)
            house.clock.advance(seconds=121)
        return found

    assert views("nobody") == views("alice") == [ASKED, ASKED, LIMITED]


def test_a_decoy_takes_no_real_ids_place(house: House, jar: Jar, phone: Phone) -> None:
    house.ask(waiting_alone(house, jar, "?alice"), jar)
    other = house.a_jar()
    assert house.ask(waiting_alone(house, other), other).view is ASKED


def test_an_account_that_is_locked_is_not_asked(house: House, jar: Jar, phone: Phone) -> None:
    """D12: wrong symbols and wrong passwords count together."""
    attempt = waiting(house, jar)
    stranger = house.a_jar()
    guessing = house.begin(stranger)
    for _ in range(5):
        house.password(house.stored(guessing), stranger, "alice", "wrong")
    assert house.ask(attempt, jar).view is LIMITED
    house.clock.advance(seconds=1)
    assert house.ask(attempt, jar).view is ASKED


def test_a_device_lost_between_password_and_approval_is_not_asked(
    house: House, jar: Jar, phone: Phone
) -> None:
    attempt = waiting(house, jar)
    house.retire_device(phone.device.device_id, origin=ORIGIN)
    page = house.ask(attempt, jar)
    assert house.approval(page.approval_id).user_id is None
    assert house.notifier.woken == []


def test_of_two_browsers_that_ask_at_once_the_second_waits(
    house: House, jar: Jar, phone: Phone
) -> None:
    """Both have seen that nothing is open; the store's constraint lets one of them ask."""

    class Blind:
        def __init__(self, approvals: Any) -> None:
            self._approvals = approvals

        def find_open(self, *_: object) -> None:
            return None

        def __getattr__(self, name: str) -> Any:
            return getattr(self._approvals, name)

    class Overtaken:
        view = staticmethod(house.store.view)

        @contextmanager
        def unit(self) -> Iterator[Any]:
            with house.store.unit() as unit:
                yield replace(unit, approvals=Blind(unit.approvals))  # type: ignore[type-var]

    page = house.ask(waiting(house, jar), jar)
    other = house.a_jar()
    second = waiting(house, other)
    slow = replace(house.ask_approval, store=Overtaken())  # type: ignore[arg-type]
    seen = slow(second.attempt_id, again=False, browser=other.browser, origin=ORIGIN)
    assert seen.view is WAITING
    assert house.approval(page.approval_id).state is ApprovalState.PENDING
