"""The port ``Store``: units and views."""

import threading
from contextlib import suppress

import pytest

from saml_idp.domain.errors import Conflict, NotFound
from saml_idp.domain.ids import AttemptId
from saml_idp.ports.store import Store
from tests.build import ATTEMPT, a_person, an_approval, an_attempt


class OnPurposeError(Exception):
    """Something went wrong in a unit."""


def _add_and_fail(store: Store) -> None:
    with store.unit() as unit:
        unit.attempts.add(an_attempt())
        raise OnPurposeError


def test_a_unit_is_there_for_the_next_one(store: Store) -> None:
    attempt = an_attempt()
    with store.unit() as unit:
        unit.attempts.add(attempt)
        assert unit.attempts.get(ATTEMPT) == attempt
    with store.view() as unit:
        assert unit.attempts.get(ATTEMPT) == attempt


def test_a_failed_unit_leaves_nothing(store: Store) -> None:
    with pytest.raises(OnPurposeError):
        _add_and_fail(store)
    with store.view() as unit, pytest.raises(NotFound):
        unit.attempts.get(ATTEMPT)
    with store.unit() as unit:
        unit.attempts.add(an_attempt())


def test_a_view_sees_one_moment(store: Store) -> None:
    with store.view() as before:
        assert before.attempts.count_open() == 0
        with store.unit() as unit:
            unit.attempts.add(an_attempt())
        assert before.attempts.count_open() == 0
    with store.view() as after:
        assert after.attempts.count_open() == 1


def test_what_a_unit_wrote_is_not_seen_before_it_ends(store: Store) -> None:
    with store.unit() as unit:
        unit.people.add(a_person(), None)
        with store.view() as view:
            assert view.people.find_by_name("alice") is None


def test_units_of_many_threads_all_count(store: Store) -> None:
    def work(number: int) -> None:
        for step in range(5):
            with store.unit() as unit:
                unit.people.add(a_person(f"user-{number}-{step}"), None)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.view() as unit:
        assert len(unit.people.search("user-", limit=100)) == 30


def test_failed_units_among_others_take_back_only_themselves(store: Store) -> None:
    def work(number: int) -> None:
        for step in range(10):
            try:
                with store.unit() as unit:
                    unit.people.add(a_person(f"user-{number}-{step}"), None)
                    if step % 2:
                        raise OnPurposeError
            except OnPurposeError:
                continue

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.view() as unit:
        found = {person.username for person in unit.people.search("user-", limit=100)}
    assert found == {f"user-{n}-{step}" for n in range(6) for step in range(0, 10, 2)}


def test_a_sound_store_has_no_faults(store: Store) -> None:
    assert list(store.check()) == []


def test_a_unit_in_which_a_change_was_refused_is_not_stored(store: Store) -> None:
    def go_on_after_the_refusal() -> None:
        with store.unit() as unit:
            unit.people.add(a_person(), None)
            with suppress(Conflict):
                unit.approvals.add(an_approval(attempt_id=AttemptId("unknown")))

    with pytest.raises(Conflict):
        go_on_after_the_refusal()
    with store.view() as unit:
        assert unit.people.find_by_name("alice") is None
