"""Passwords: hashed whole, bounded, refused where others would try them first."""

import re
import statistics
import threading
import time
from collections.abc import Callable

import pytest

from saml_idp.crypto.passwords import PasswordHasher, checked_new_password
from saml_idp.domain.errors import Busy, Conflict

HASHER = PasswordHasher()
LONG = "correct horse! " * 68


def test_the_hash_is_argon2id_with_the_least_costs_and_a_salt_of_16_bytes() -> None:
    stored = HASHER.hash("tr0ub4dor & 3")
    found = re.fullmatch(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([^$]{22})\$[^$]{43}", stored)
    assert found is not None
    assert int(found[1]) >= 19 * 1024
    assert int(found[2]) >= 2


def test_the_right_password_fits_and_another_does_not() -> None:
    stored = HASHER.hash("tr0ub4dor & 3")
    assert HASHER.verify(stored, "tr0ub4dor & 3")
    assert not HASHER.verify(stored, "tr0ub4dor & 4")
    assert not HASHER.verify(stored, "")


@pytest.mark.parametrize(
    ("password", "other"),
    [
        pytest.param("x" * 72 + "a", "x" * 72 + "b", id="beyond 72 bytes"),
        pytest.param("before\x00a", "before\x00b", id="beyond a NUL"),
        pytest.param("before", "before\x00", id="NUL at the end"),
        pytest.param(LONG[:1023] + "a", LONG[:1023] + "b", id="the 1024th character"),
        pytest.param("case counts", "Case counts", id="case"),
        pytest.param("space counts", "space counts ", id="space"),
    ],
)
def test_every_character_counts(password: str, other: str) -> None:
    stored = HASHER.hash(password)
    assert HASHER.verify(stored, password)
    assert not HASHER.verify(stored, other)


def test_the_spelling_of_a_character_does_not_count() -> None:
    assert HASHER.verify(HASHER.hash("Zürich ﬁne"), "Zürich fine")


def test_the_same_password_is_never_hashed_alike() -> None:
    assert HASHER.hash("tr0ub4dor & 3") != HASHER.hash("tr0ub4dor & 3")


@pytest.mark.parametrize("stored", [None, "", "no hash", "$argon2id$v=19$m=8,t=1,p=1$$", "x" * 500])
def test_without_a_usable_hash_no_password_is_right(stored: str | None) -> None:
    assert not HASHER.verify(stored, "tr0ub4dor & 3")


@pytest.mark.parametrize("password", ["\ud800", "x" * 100_000, "\x00" * 10])
def test_a_hostile_password_is_wrong_and_no_error(password: str) -> None:
    assert not HASHER.verify(HASHER.hash("tr0ub4dor & 3"), password)


def test_more_than_the_longest_password_is_never_right() -> None:
    assert not HASHER.verify(HASHER.hash("x" * 1024), "x" * 1025)


def test_a_hash_with_lower_costs_is_to_be_made_anew() -> None:
    stored = HASHER.hash("tr0ub4dor & 3")
    stronger = PasswordHasher(time_cost=3)
    assert not HASHER.needs_rehash(stored)
    assert stronger.needs_rehash(stored)
    assert stronger.verify(stored, "tr0ub4dor & 3")


@pytest.mark.parametrize("costs", [{"memory_kib": 19 * 1024 - 1}, {"time_cost": 1}], ids=str)
def test_costs_turn_upward_only(costs: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        PasswordHasher(**costs)


def _cpu_seconds(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


def test_an_unknown_user_costs_as_much_as_a_wrong_password() -> None:
    stored = HASHER.hash("tr0ub4dor & 3")
    wrong = [_cpu_seconds(lambda: HASHER.verify(stored, "wrong")) for _ in range(15)]
    unknown = [_cpu_seconds(lambda: HASHER.verify(None, "wrong")) for _ in range(15)]
    too_long = [_cpu_seconds(lambda: HASHER.verify(stored, "x" * 2000)) for _ in range(15)]
    middle = statistics.median(wrong)
    # The same hash is made; the machine's noise is what is left.
    assert statistics.median(unknown) == pytest.approx(middle, rel=0.35)
    assert statistics.median(too_long) == pytest.approx(middle, rel=0.35)


def test_beyond_the_queue_a_try_is_refused_before_it_is_hashed() -> None:
    hasher = PasswordHasher(at_once=1, queue=2)
    stored = hasher.hash("tr0ub4dor & 3")
    outcomes: list[object] = []
    begin = threading.Barrier(12)

    def attempt() -> None:
        begin.wait()
        started = time.thread_time()
        try:
            outcomes.append(hasher.verify(stored, "tr0ub4dor & 3"))
        except Busy:
            outcomes.append(time.thread_time() - started)

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [cost for cost in outcomes if cost is not True]
    assert len(refused) >= 5
    assert max(float(str(cost)) for cost in refused) < 0.005
    assert hasher.verify(stored, "tr0ub4dor & 3"), "the queue is free again"


@pytest.mark.parametrize(
    "password",
    [
        "tr0ub4dor & 3",
        "zwölf Äpfel",
        "8 signs!",
        "   spaces   ",
        "🦊🐢🦉🐝🦋🐙🦀🐳",
        "y" * 1021 + "abc",
        "曇りのち晴れ時々雨",
    ],
)
def test_a_password_that_may_be_hashed_comes_back_unchanged(password: str) -> None:
    assert checked_new_password(password) == password


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("sh0rt &", id="7 characters"),
        pytest.param("", id="empty"),
        pytest.param("y" * 1022 + "abc", id="1025 characters"),
        pytest.param("tr0ub4dor\n3", id="line end"),
        pytest.param("tr0ub4dor\x003", id="NUL"),
        pytest.param("tr0ub4dor\ud8003", id="surrogate"),
        pytest.param("aaaaaaaaaa", id="one character"),
        pytest.param("abababababab", id="two characters"),
        pytest.param("12345678", id="row of figures"),
        pytest.param("87654321", id="row backwards"),
        pytest.param("qwertzuiop", id="row of keys"),
        pytest.param("abcdefgh", id="alphabet"),
        pytest.param("password", id="commonest"),
        pytest.param("PassWord", id="case"),
        pytest.param("\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44", id="wide letters"),
        pytest.param("Password2026!", id="figures and a sign behind"),
        pytest.param("123password", id="figures before"),
        pytest.param("Summer2026", id="season and year"),
        pytest.param("iloveyou", id="phrase"),
        pytest.param("01011990", id="date"),
    ],
)
def test_what_others_try_first_is_refused(password: str) -> None:
    with pytest.raises(Conflict) as caught:
        checked_new_password(password)
    assert caught.value.reason == "bad_password"


@pytest.mark.parametrize(
    "password",
    [
        "margarethe",
        "Margarethe1!",
        "Quasebarth99",
        "margarethe.quasebarth",
        "MargaretheQuasebarth",
        "Initech 2026",
    ],
)
def test_a_name_is_no_password(password: str) -> None:
    names = ("margarethe.quasebarth", "Margarethe Quasebarth", "initech", "")
    assert checked_new_password(password)
    with pytest.raises(Conflict):
        checked_new_password(password, names=names)


def test_the_list_of_common_passwords_is_long_enough() -> None:
    from saml_idp.crypto.passwords import _common

    assert sum(1 for word in _common() if len(word) >= 8) >= 3000
    assert all(word == word.casefold() for word in _common())
