"""What a device may see: the open question of its own ID (D05)."""

import pytest

from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.errors import TransitionNotAllowed
from tests.build import PROVIDER, a_policy
from tests.unit.services.house import House, Jar, Phone


def asked(house: House, jar: Jar, name: str = "alice") -> str:
    return house.ask(house.password(house.begin(jar), jar, name), jar).approval_id


def test_a_device_sees_the_open_question_of_its_id_and_that_is_noted(
    house: House, jar: Jar, phone: Phone
) -> None:
    approval_id = asked(house, jar)
    (shown,) = house.list_approvals(phone.device)
    assert (shown.approval_id, shown.state) == (approval_id, ApprovalState.FETCHED)
    assert house.approval(approval_id) == shown
    with house.store.view() as unit:
        seen = unit.devices.get(phone.device.device_id).last_seen_at
    assert seen == house.clock.now()
    assert house.list_approvals(phone.device) == (shown,)


def test_there_is_nothing_to_see_before_or_after(house: House, jar: Jar, phone: Phone) -> None:
    assert house.list_approvals(phone.device) == ()
    approval_id = asked(house, jar)
    house.clock.advance(seconds=120)
    assert house.list_approvals(phone.device) == ()
    assert house.approval(approval_id).state is ApprovalState.PENDING


def test_another_users_question_is_not_shown(house: House, jar: Jar, phone: Phone) -> None:
    house.add_person("bob")
    bobs = house.add_phone("bob")
    asked(house, jar)
    assert house.list_approvals(bobs.device) == ()


def test_a_former_owner_of_the_id_sees_nothing(house: House, jar: Jar, phone: Phone) -> None:
    asked(house, jar)
    before = house.add_phone("mallory", identity="alice")
    assert house.list_approvals(before.device) == ()


def test_a_decoy_is_shown_to_nobody(house: House, jar: Jar, phone: Phone) -> None:
    house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    attempt = house.give_name(house.begin(jar).attempt_id, "nobody")
    house.ask(attempt, jar)
    curious = house.add_phone("mallory", identity="?nobody")
    assert house.list_approvals(curious.device) == ()


def test_a_device_enrolled_after_the_question_does_not_see_it(
    house: House, jar: Jar, phone: Phone
) -> None:
    asked(house, jar)
    late = house.add_phone("alice", number=2, enrolled_at=house.clock.advance(seconds=1))
    assert house.list_approvals(late.device) == ()


@pytest.mark.parametrize("decided", [True, False])
def test_a_question_fetched_or_decided_in_this_very_moment_is_shown_as_it_is(
    house: House, jar: Jar, phone: Phone, *, decided: bool
) -> None:
    approval_id = asked(house, jar)
    store = house.store

    class Overtaken:
        """Another device is quicker."""

        def view(self) -> object:
            return store.view()

        def unit(self) -> object:
            if decided:
                house.answer(phone, approval_id)
            else:
                house.list_approvals(phone.device)
            raise TransitionNotAllowed("moved on")

    from dataclasses import replace

    slow = replace(house.list_approvals, store=Overtaken())  # type: ignore[arg-type]
    shown = slow(phone.device)
    assert [a.state for a in shown] == ([] if decided else [ApprovalState.FETCHED])
