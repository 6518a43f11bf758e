"""The port ``ApprovalStore``: one open approval an ID, every move once."""

from datetime import datetime
from typing import Any

import pytest

from saml_idp.domain.approval import OPEN, SUCCESSORS, ApprovalState
from saml_idp.domain.errors import NotFound, TransitionNotAllowed
from saml_idp.domain.ids import ApprovalId, ApprovalIdentity, AttemptId, DeviceId, UserId
from saml_idp.ports.store import Store
from tests.build import ALICE, ATTEMPT, NOW, a_request, an_approval, an_attempt, seconds

APPROVAL = ApprovalId("approval-1")
OTHER = ApprovalId("approval-2")
ALICES = ApprovalIdentity("alice")
ANSWERS = {ApprovalState.GRANTED, ApprovalState.DENIED, ApprovalState.FAILED}
SOON = NOW + seconds(5)


def _store(store: Store, *numbers: int, **changes: Any) -> None:
    """Store the attempt once and an approval for each of *numbers*."""
    with store.unit() as unit:
        unit.attempts.add(an_attempt())
        for number in numbers:
            approval_id = ApprovalId(f"approval-{number}")
            assert unit.approvals.add(an_approval(approval_id=approval_id, **changes))


def test_an_approval_comes_back_as_it_was(store: Store) -> None:
    approval = an_approval(place="Zürich\n<b>", user_id=None, known_browser=True)
    with store.unit() as unit:
        unit.attempts.add(an_attempt())
        assert unit.approvals.add(approval)
    with store.view() as unit:
        assert unit.approvals.get(APPROVAL) == approval


def test_a_trial_belongs_to_no_login(store: Store) -> None:
    approval = an_approval(attempt_id=None)
    with store.unit() as unit:
        assert unit.approvals.add(approval)
        assert unit.approvals.get(APPROVAL) == approval
        assert unit.approvals.count_asked(ALICES, NOW) == 0


def test_an_unknown_approval_is_not_found(store: Store) -> None:
    with store.unit() as unit:
        with pytest.raises(NotFound):
            unit.approvals.get(APPROVAL)
        with pytest.raises(NotFound):
            unit.approvals.move(APPROVAL, to=ApprovalState.GRANTED, at=NOW)
        assert unit.approvals.find_latest(ATTEMPT) is None
        assert unit.approvals.find_open(ALICES, NOW) is None


@pytest.mark.parametrize("first", sorted(OPEN))
def test_a_second_open_approval_of_an_id_is_not_stored(store: Store, first: ApprovalState) -> None:
    _store(store, 1, state=first)
    with store.unit() as unit:
        assert not unit.approvals.add(an_approval(approval_id=OTHER))
        with pytest.raises(NotFound):
            unit.approvals.get(OTHER)


@pytest.mark.parametrize("first", sorted(set(ApprovalState) - OPEN))
def test_an_approval_that_is_over_leaves_room_for_another(
    store: Store, first: ApprovalState
) -> None:
    _store(store, 1, state=first)
    with store.unit() as unit:
        assert unit.approvals.add(an_approval(approval_id=OTHER))


def test_another_id_has_room_of_its_own(store: Store) -> None:
    _store(store, 1)
    bob = an_approval(approval_id=OTHER, identity=ApprovalIdentity("bob"))
    with store.unit() as unit:
        assert unit.approvals.add(bob)


def test_an_open_approval_past_its_time_gives_way(store: Store) -> None:
    _store(store, 1)
    with store.unit() as unit:
        end = an_approval().expires_at
        before = an_approval(approval_id=OTHER, created_at=end - seconds(0.000001))
        assert not unit.approvals.add(before)
        assert unit.approvals.add(an_approval(approval_id=OTHER, created_at=end))
        assert unit.approvals.get(APPROVAL).state is ApprovalState.EXPIRED


def test_the_open_approval_is_found_until_its_time_is_over(store: Store) -> None:
    _store(store, 1)
    end = an_approval().expires_at
    with store.view() as unit:
        assert unit.approvals.find_open(ALICES, end - seconds(0.000001)) == an_approval()
        assert unit.approvals.find_open(ALICES, end) is None
        assert unit.approvals.find_open(ApprovalIdentity("bob"), NOW) is None


def test_the_latest_approval_of_an_attempt_is_found(store: Store) -> None:
    _store(store, 1, state=ApprovalState.FAILED)
    with store.unit() as unit:
        latest = an_approval(approval_id=OTHER, created_at=SOON)
        unit.approvals.add(latest)
        assert unit.approvals.find_latest(ATTEMPT) == latest
        assert unit.approvals.find_latest(AttemptId("other")) is None


@pytest.mark.parametrize("to", list(ApprovalState))
@pytest.mark.parametrize("state", list(ApprovalState))
def test_every_move_follows_an_arrow(store: Store, state: ApprovalState, to: ApprovalState) -> None:
    _store(store, 1, state=state)
    with store.unit() as unit:
        if to in SUCCESSORS.get(state, frozenset()):
            unit.approvals.move(APPROVAL, to=to, at=SOON)
            expected = to
        else:
            with pytest.raises(TransitionNotAllowed):
                unit.approvals.move(APPROVAL, to=to, at=SOON)
            expected = state
    with store.view() as unit:
        assert unit.approvals.get(APPROVAL).state is expected


@pytest.mark.parametrize("to", sorted(set(ApprovalState) - {ApprovalState.PENDING}))
@pytest.mark.parametrize("at", [120, 119.999999], ids=["too late", "in time"])
def test_only_an_answer_can_come_too_late(store: Store, to: ApprovalState, at: float) -> None:
    before = ApprovalState.GRANTED if to is ApprovalState.SPENT else ApprovalState.PENDING
    _store(store, 1, state=before)
    with store.unit() as unit:
        if to in ANSWERS and at == 120:
            with pytest.raises(TransitionNotAllowed):
                unit.approvals.move(APPROVAL, to=to, at=NOW + seconds(at))
        else:
            unit.approvals.move(APPROVAL, to=to, at=NOW + seconds(at))


def _granted(store: Store, at: datetime) -> None:
    with store.unit() as unit:
        unit.approvals.move(
            APPROVAL,
            to=ApprovalState.GRANTED,
            at=at,
            device_id=DeviceId("device-1"),
            answer="the message",
            public_key="the key",
        )


def test_an_answer_is_kept_with_its_device_and_key(store: Store) -> None:
    _store(store, 1)
    _granted(store, SOON)
    with store.unit() as unit:
        unit.approvals.move(APPROVAL, to=ApprovalState.SPENT, at=SOON + seconds(1))
    with store.view() as unit:
        assert unit.approvals.get(APPROVAL) == an_approval(
            state=ApprovalState.SPENT,
            decided_at=SOON,
            device_id=DeviceId("device-1"),
            answer="the message",
            public_key="the key",
        )


def test_a_granted_approval_that_is_cancelled_keeps_its_answer(store: Store) -> None:
    _store(store, 1)
    _granted(store, SOON)
    with store.unit() as unit:
        unit.approvals.move(APPROVAL, to=ApprovalState.CANCELLED, at=SOON + seconds(1))
    with store.view() as unit:
        found = unit.approvals.get(APPROVAL)
    assert (found.answer, found.decided_at) == ("the message", SOON)


def test_a_second_grant_is_refused(store: Store) -> None:
    _store(store, 1)
    _granted(store, SOON)
    with pytest.raises(TransitionNotAllowed):
        _granted(store, SOON + seconds(1))


def test_fetching_decides_nothing(store: Store) -> None:
    _store(store, 1)
    with store.unit() as unit:
        unit.approvals.move(APPROVAL, to=ApprovalState.FETCHED, at=SOON)
        assert unit.approvals.get(APPROVAL) == an_approval(state=ApprovalState.FETCHED)


def test_another_waiting_browser_is_noted_while_the_approval_is_open(store: Store) -> None:
    _store(store, 1)
    with store.unit() as unit:
        unit.approvals.mark_other_waiting(APPROVAL)
        assert unit.approvals.get(APPROVAL).other_browser_waiting
        unit.approvals.mark_other_waiting(OTHER)


def test_a_waiting_browser_is_not_noted_on_an_approval_that_is_over(store: Store) -> None:
    _store(store, 1, state=ApprovalState.DENIED)
    with store.unit() as unit:
        unit.approvals.mark_other_waiting(APPROVAL)
        assert not unit.approvals.get(APPROVAL).other_browser_waiting


def test_asked_approvals_are_counted_from_an_instant_on(store: Store) -> None:
    _store(store, 1, 2, 3, state=ApprovalState.DENIED)
    with store.view() as unit:
        assert unit.approvals.count_asked(ALICES, NOW) == 3
        assert unit.approvals.count_asked(ALICES, NOW + seconds(0.000001)) == 0
        assert unit.approvals.count_asked(ApprovalIdentity("bob"), NOW) == 0


def test_not_me_is_remembered(store: Store) -> None:
    with store.unit() as unit:
        assert not unit.approvals.has_not_me(ALICES, NOW)
        unit.approvals.add_not_me(ALICES, NOW - seconds(10))
        unit.approvals.add_not_me(ALICES, NOW)
    with store.view() as unit:
        assert unit.approvals.has_not_me(ALICES, NOW)
        assert not unit.approvals.has_not_me(ALICES, SOON)
        assert not unit.approvals.has_not_me(ApprovalIdentity("bob"), NOW)


def test_open_approvals_of_a_user_are_cancelled(store: Store) -> None:
    _store(store, 1)
    with store.unit() as unit:
        assert unit.approvals.end_open_of_device_owner(UserId("u-bob"), SOON) == 0
        assert unit.approvals.end_open_of_device_owner(ALICE, SOON) == 1
        assert unit.approvals.end_open_of_device_owner(ALICE, SOON) == 0
        assert unit.approvals.get(APPROVAL) == an_approval(
            state=ApprovalState.CANCELLED, decided_at=SOON
        )


def test_approvals_past_their_time_expire_oldest_first(store: Store) -> None:
    with store.unit() as unit:
        for number in range(4):
            request = a_request(request_id=f"_{number}")
            attempt_id = AttemptId(f"attempt-{number}")
            unit.attempts.add(an_attempt(attempt_id=attempt_id, request=request))
            approval = an_approval(
                approval_id=ApprovalId(f"approval-{number}"),
                attempt_id=attempt_id,
                identity=ApprovalIdentity(f"user-{number}"),
                expires_at=NOW + seconds(10 - number),
            )
            assert unit.approvals.add(approval)
    with store.unit() as unit:
        assert unit.approvals.expire_due(NOW + seconds(6), limit=10) == []
        first = unit.approvals.expire_due(NOW + seconds(9), limit=2)
        rest = unit.approvals.expire_due(NOW + seconds(9), limit=2)
    assert [a.approval_id for a in first] == ["approval-3", "approval-2"]
    assert [a.approval_id for a in rest] == ["approval-1"]
    assert {a.state for a in [*first, *rest]} == {ApprovalState.EXPIRED}
    with store.view() as unit:
        assert unit.approvals.get(ApprovalId("approval-3")) == first[0]
        assert unit.approvals.get(ApprovalId("approval-0")).state is ApprovalState.PENDING


def test_old_decoys_go_and_evidence_stays(store: Store) -> None:
    _store(store, 1, user_id=None, identity=ApprovalIdentity("?nobody"))
    with store.unit() as unit:
        assert unit.approvals.add(an_approval(approval_id=OTHER))
    with store.unit() as unit:
        assert unit.approvals.delete_decoys_before(NOW, limit=9) == 0
        assert unit.approvals.delete_decoys_before(NOW + seconds(86400), limit=9) == 1
        with pytest.raises(NotFound):
            unit.approvals.get(APPROVAL)
        assert unit.approvals.get(OTHER).approval_id == OTHER
