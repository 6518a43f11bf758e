"""Calls are limited by kind and key, in the memory of a worker (H06)."""

import time

import pytest

from saml_idp.domain.errors import Throttled
from saml_idp.web.rates import Rates


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The present second, first of a minute."""
    now = [6000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def allowed(rates: Rates, kind: str, key: str, *, tries: int = 400) -> int:
    """Return how many of *tries* calls pass."""
    passed = 0
    for _ in range(tries):
        try:
            rates.count(kind, key)
        except Throttled:
            continue
        passed += 1
    return passed


@pytest.mark.parametrize(
    ("kind", "most"),
    [("request", 100), ("password", 20), ("name", 20), ("enrol", 5), ("poll", 20), ("device", 40)],
)
@pytest.mark.usefixtures("clock")
def test_h06_each_kind_has_its_share_a_minute(kind: str, most: int) -> None:
    assert allowed(Rates(20), kind, "192.0.2.7") == most


@pytest.mark.usefixtures("clock")
def test_h06_keys_and_kinds_are_counted_apart() -> None:
    rates = Rates(20)
    assert allowed(rates, "password", "192.0.2.7") == 20
    assert allowed(rates, "password", "192.0.2.8") == 20
    assert allowed(rates, "name", "192.0.2.7") == 20


@pytest.mark.usefixtures("clock")
def test_h06_an_ipv6_network_of_64_bits_is_one_key() -> None:
    rates = Rates(20)
    passed = [allowed(rates, "password", f"2001:db8:0:1::{n:x}", tries=3) for n in range(20)]
    assert sum(passed) == 20
    assert allowed(rates, "password", "2001:db8:0:2::1") == 20


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("key", ["", "no: address", "fe80::1%eth0", "::ffff:192.0.2.7"])
def test_a_key_that_is_no_address_counts_as_it_is(key: str) -> None:
    assert allowed(Rates(20), "password", key) == 20


def test_the_next_minute_begins_anew_and_the_wait_is_told(clock: list[float]) -> None:
    rates = Rates(20)
    assert allowed(rates, "password", "a") == 20
    clock[0] += 45
    with pytest.raises(Throttled) as throttled:
        rates.count("password", "a")
    assert throttled.value.retry_after_seconds == 16
    clock[0] += 15
    assert allowed(rates, "password", "a") == 20


@pytest.mark.usefixtures("clock")
def test_strangers_cannot_fill_the_memory() -> None:
    rates = Rates(20)
    for number in range(50_100):
        rates.count("request", str(number))
    assert len(rates._counts) == 50_000
