"""Clock and chance of the operating system."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from saml_idp.adapters.system import SystemClock, SystemEntropy
from saml_idp.domain.approval import ALPHABET


def test_the_clock_is_aware_and_in_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(("bits", "length"), [(128, 22), (160, 27), (256, 43), (129, 23)])
def test_a_token_has_all_its_bits_and_is_safe_in_a_url(bits: int, length: int) -> None:
    token = SystemEntropy().token(bits)
    assert len(token) == length
    assert token.replace("-", "").replace("_", "").isalnum()


def test_an_xml_id_is_an_ncname_with_160_bits() -> None:
    xml_id = SystemEntropy().xml_id()
    assert xml_id.startswith("_")
    assert len(bytes.fromhex(xml_id[1:])) == 20


def test_nothing_comes_twice() -> None:
    entropy = SystemEntropy()
    drawn = [entropy.token(128) for _ in range(2000)] + [entropy.xml_id() for _ in range(2000)]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("count", [0, 1, 4, 8])
def test_as_many_symbols_as_asked(count: int) -> None:
    symbols = SystemEntropy().symbols(count)
    assert len(symbols) == count
    assert set(symbols) <= set(ALPHABET)


def test_symbols_are_uniform() -> None:
    """Chi-square with 31 degrees of freedom: above 80 once in 300,000 runs (D03)."""
    drawn = SystemEntropy().symbols(320_000)
    expected = len(drawn) / len(ALPHABET)
    chi_square = sum((n - expected) ** 2 / expected for n in Counter(drawn).values())
    assert set(drawn) == set(ALPHABET)
    assert chi_square < 80
