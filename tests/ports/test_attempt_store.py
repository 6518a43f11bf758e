"""The port ``AttemptStore``."""

from dataclasses import replace

import pytest

from saml_idp.domain.attempt import APPROVAL_ALONE, Event, State
from saml_idp.domain.errors import NotFound, RequestRejected, TransitionNotAllowed
from saml_idp.domain.ids import AttemptId, EntityId, EvidenceId
from saml_idp.domain.receipt import VerifiedPassword
from saml_idp.domain.request import AuthnRequest, Comparison, NameIdPolicy, RequestedContext
from saml_idp.ports.store import Store
from tests.build import ALICE, ATTEMPT, NOW, a_request, an_approval, an_attempt, seconds

FULL_REQUEST = a_request(
    relay_state='"\x00\ud800 ü\n',
    force_authn=True,
    is_passive=True,
    requested_context=RequestedContext(Comparison.MINIMUM, ("urn:a", "urn:b")),
    name_id_policy=NameIdPolicy("urn:format", "qualifier", allow_create=True),
    subject_name_id="alice",
    was_signed=True,
    received_at=NOW + seconds(0.123457),
)
BARE_REQUEST = a_request(request_id=None, relay_state=None)


@pytest.mark.parametrize("state", list(State))
def test_an_attempt_comes_back_as_it_was(store: Store, state: State) -> None:
    attempt = an_attempt(state)
    with store.unit() as unit:
        unit.attempts.add(attempt)
    with store.view() as unit:
        assert unit.attempts.get(ATTEMPT) == attempt


def test_an_attempt_of_the_other_plan_comes_back_as_it_was(store: Store) -> None:
    attempt = an_attempt(State.CHAIN_COMPLETE, steps=APPROVAL_ALONE)
    with store.unit() as unit:
        unit.attempts.add(attempt)
    with store.view() as unit:
        assert unit.attempts.get(ATTEMPT) == attempt


@pytest.mark.parametrize("asked", [BARE_REQUEST, FULL_REQUEST], ids=["bare", "full"])
def test_a_request_comes_back_as_it_was(store: Store, asked: AuthnRequest) -> None:
    attempt = replace(an_attempt(), request=asked)
    with store.unit() as unit:
        unit.attempts.add(attempt)
    with store.view() as unit:
        assert unit.attempts.get(ATTEMPT).request == asked


def test_the_same_request_of_the_same_provider_is_a_replay(store: Store) -> None:
    with store.unit() as unit:
        unit.attempts.add(an_attempt())
    again = an_attempt(attempt_id=AttemptId("attempt-2"))
    with pytest.raises(RequestRejected) as caught, store.unit() as unit:
        unit.attempts.add(again)
    assert caught.value.reason == "replayed"


def test_the_same_request_id_of_another_provider_is_another_request(store: Store) -> None:
    other = a_request(issuer=EntityId("https://other.example/sp"))
    with store.unit() as unit:
        unit.attempts.add(an_attempt())
        unit.attempts.add(an_attempt(attempt_id=AttemptId("attempt-2"), request=other))
        assert unit.attempts.count_open() == 2


def test_logins_without_a_request_are_never_replays(store: Store) -> None:
    with store.unit() as unit:
        unit.attempts.add(an_attempt(request=BARE_REQUEST))
        unit.attempts.add(an_attempt(attempt_id=AttemptId("attempt-2"), request=BARE_REQUEST))
        assert unit.attempts.count_open() == 2


def test_an_unknown_attempt_is_not_found(store: Store) -> None:
    with store.view() as unit, pytest.raises(NotFound):
        unit.attempts.get(AttemptId("nobody's"))


@pytest.mark.parametrize("hostile", ["", "\x00", "a\x00b", "\ud800", "' OR 1=1 --", "x" * 5000])
def test_a_hostile_id_is_not_found(store: Store, hostile: str) -> None:
    with store.unit() as unit:
        unit.attempts.add(an_attempt())
    with store.view() as unit:
        with pytest.raises(NotFound):
            unit.attempts.get(AttemptId(hostile))
        assert unit.attempts.get(ATTEMPT) == an_attempt()


def test_a_moved_attempt_is_stored(store: Store) -> None:
    old = an_attempt()
    new = old.after(Event.PASSWORD_REJECTED, entered_name="mallory")
    with store.unit() as unit:
        unit.attempts.add(old)
        unit.attempts.replace(old, new)
    with store.view() as unit:
        assert unit.attempts.get(ATTEMPT) == new


def test_of_two_moves_from_one_state_the_second_is_refused(store: Store) -> None:
    old = an_attempt()
    with store.unit() as unit:
        unit.attempts.add(old)
        unit.attempts.replace(old, old.after(Event.PASSWORD_REJECTED))
    with pytest.raises(TransitionNotAllowed), store.unit() as unit:
        unit.attempts.replace(old, old.after(Event.LOGIN_REFUSED, ended_because="denied"))
    with store.view() as unit:
        assert unit.attempts.get(ATTEMPT).state is State.AWAITING_PASSWORD


def test_an_attempt_that_is_not_there_cannot_move(store: Store) -> None:
    old = an_attempt()
    with store.unit() as unit, pytest.raises(NotFound):
        unit.attempts.replace(old, old.after(Event.TIMED_OUT))


@pytest.mark.parametrize("state", list(State))
def test_open_attempts_are_those_that_are_not_over(store: Store, state: State) -> None:
    with store.unit() as unit:
        unit.attempts.add(an_attempt(state))
        is_over = state in {State.DONE, State.REFUSED, State.EXPIRED}
        assert unit.attempts.count_open() == (0 if is_over else 1)


def test_old_attempts_are_deleted_as_many_as_asked(store: Store) -> None:
    with store.unit() as unit:
        for number in range(5):
            request = a_request(request_id=f"_{number}")
            unit.attempts.add(an_attempt(attempt_id=AttemptId(f"a{number}"), request=request))
        expired_at = an_attempt().expires_at
        assert unit.attempts.delete_before(expired_at, limit=10) == 0
        assert unit.attempts.delete_before(expired_at + seconds(1), limit=3) == 3
        assert unit.attempts.delete_before(expired_at + seconds(1), limit=3) == 2


def test_an_attempt_that_something_refers_to_is_kept(store: Store) -> None:
    other = an_attempt(attempt_id=AttemptId("attempt-2"), request=BARE_REQUEST)
    with store.unit() as unit:
        unit.attempts.add(an_attempt())
        unit.attempts.add(other)
        unit.approvals.add(an_approval())
        unit.receipts.add_password(
            VerifiedPassword(EvidenceId("password-1"), other.attempt_id, ALICE, NOW)
        )
        assert unit.attempts.delete_before(NOW + seconds(10_000), limit=10) == 0
