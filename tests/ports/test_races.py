"""Of all who want the same thing at the same moment, one gets it (X09, D06, W07)."""

from datetime import timedelta

import pytest

from saml_idp.domain.throttle import FREE_TRIES, HARD_LOCK_AT, SOFT_LOCK
from tests.ports.conftest import DATABASES, OpenNode
from tests.ports.racers import prepare, run_guesses, run_races

_ROUNDS = 1000


@pytest.mark.slow
@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_every_race_has_one_winner(database_url: str, open_node: OpenNode) -> None:
    prepare(open_node(database_url), _ROUNDS)
    won = run_races(database_url, _ROUNDS)
    unfair = [(name, n) for name, w in won.items() for n, count in enumerate(w) if count != 1]
    assert unfair == []


@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_of_200_guesses_at_once_the_first_few_are_checked(database_url: str) -> None:
    assert run_guesses(database_url, apart=timedelta(0)) == FREE_TRIES + 1


@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_of_200_patient_guesses_at_most_a_hundred_are_checked(database_url: str) -> None:
    checked = run_guesses(database_url, apart=SOFT_LOCK)
    assert FREE_TRIES < checked <= HARD_LOCK_AT
