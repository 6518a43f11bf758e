"""The port ``SessionStore``."""

from dataclasses import replace

import pytest

from saml_idp.domain.errors import Conflict, NotFound, TransitionNotAllowed
from saml_idp.domain.ids import Digest, SessionId, UserId, digest_of
from saml_idp.domain.session import Session
from saml_idp.ports.store import Store
from tests.build import ALICE, NOW, SESSION, a_session, seconds

LATER = NOW + seconds(90)


def _another(number: int) -> Session:
    return replace(
        a_session(), session_id=SessionId(f"s{number}"), secret=digest_of(f"cookie {number}")
    )


def test_a_session_comes_back_as_it_was(store: Store) -> None:
    with store.unit() as unit:
        unit.sessions.add(a_session())
    with store.view() as unit:
        assert unit.sessions.find(a_session().secret) == a_session()


@pytest.mark.parametrize("secret", ["", "\x00", SESSION, "' OR ''='"])
def test_a_session_is_found_by_its_secret_alone(store: Store, secret: str) -> None:
    with store.unit() as unit:
        unit.sessions.add(a_session())
    with store.view() as unit:
        assert unit.sessions.find(Digest(secret)) is None


def test_a_session_and_its_secret_are_stored_once(store: Store) -> None:
    with store.unit() as unit:
        unit.sessions.add(a_session())
        with pytest.raises(Conflict):
            unit.sessions.add(a_session())
        with pytest.raises(Conflict):
            unit.sessions.add(replace(a_session(), session_id=SessionId("other")))


def test_a_use_is_noted(store: Store) -> None:
    with store.unit() as unit:
        unit.sessions.add(a_session())
        unit.sessions.touch(SESSION, LATER)
        assert unit.sessions.find(a_session().secret) == replace(a_session(), last_used_at=LATER)


def test_a_session_that_ended_is_not_used_again(store: Store) -> None:
    with store.unit() as unit:
        unit.sessions.add(a_session())
        unit.sessions.end(SESSION, NOW)
        with pytest.raises(TransitionNotAllowed):
            unit.sessions.touch(SESSION, LATER)
        unit.sessions.end(SESSION, LATER)
        assert unit.sessions.find(a_session().secret) == replace(a_session(), ended_at=NOW)


def test_an_unknown_session_is_not_found(store: Store) -> None:
    with store.unit() as unit:
        with pytest.raises(NotFound):
            unit.sessions.touch(SESSION, NOW)
        with pytest.raises(NotFound):
            unit.sessions.end(SESSION, NOW)


def test_all_sessions_of_a_user_end(store: Store) -> None:
    with store.unit() as unit:
        unit.sessions.add(_another(1))
        unit.sessions.add(_another(2))
        unit.sessions.add(replace(_another(3), user_id=UserId("u-bob")))
        unit.sessions.end(SessionId("s1"), NOW)
        assert unit.sessions.end_of_user(ALICE, LATER) == 1
        ended = [unit.sessions.find(_another(n).secret) for n in (1, 2, 3)]
    assert [s.ended_at for s in ended if s is not None] == [NOW, LATER, None]


def test_sessions_that_are_over_are_deleted(store: Store) -> None:
    end = a_session().ends_at
    with store.unit() as unit:
        for number in range(4):
            unit.sessions.add(_another(number))
        unit.sessions.end(SessionId("s0"), NOW)
        assert unit.sessions.delete_before(NOW, limit=10) == 0
        assert unit.sessions.delete_before(LATER, limit=10) == 1
        assert unit.sessions.find(_another(0).secret) is None
        assert unit.sessions.delete_before(end, limit=10) == 0
        assert unit.sessions.delete_before(end + seconds(1), limit=2) == 2
        assert unit.sessions.delete_before(end + seconds(1), limit=2) == 1
