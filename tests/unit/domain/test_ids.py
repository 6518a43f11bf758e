"""One canonical user name; look-alikes map to it or to none (W09)."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from saml_idp.domain.ids import canonical_name, digest_of


@pytest.mark.parametrize(
    "spelling",
    [
        "alice",
        "Alice",
        "ALICE",
        "  alice\t",
        "ali\u200bce",  # zero width space
        "\u202ealice",  # right-to-left override
        "alice\u2060",  # word joiner
        "al\u00adice",  # soft hyphen
        "\uff41\uff4c\uff49\uff43\uff45",  # full width
        "ali\u0000ce",
        "alice\ufe0f",  # variation selector
        "ali\u034fce",  # combining grapheme joiner
        "\u3164alice",  # Hangul filler, which shows as nothing
    ],
)
def test_a_spelling_of_alice_is_alice(spelling: str) -> None:
    assert canonical_name(spelling) == "alice"


@pytest.mark.parametrize("name", ["\u0430lice", "al1ce", "alice b", "alicé"])
def test_a_look_alike_in_another_script_is_another_name(name: str) -> None:
    assert canonical_name(name) != "alice"


def test_an_accent_counts_once_however_it_is_written() -> None:
    assert canonical_name("Ren\u00e9") == canonical_name("rene\u0301") == "ren\u00e9"


@example("e\u200b\u0301")  # what a hidden character kept apart
@example("\u0345\u1fb3")  # folding composes anew
@given(st.text(max_size=12))
def test_a_canonical_name_is_its_own_canonical_name(name: str) -> None:
    once = canonical_name(name)
    assert canonical_name(once) == once


@given(st.text(max_size=12))
def test_a_canonical_name_holds_nothing_that_does_not_show(name: str) -> None:
    assert not {"Cf", "Cc", "Cs"} & {unicodedata.category(c) for c in canonical_name(name)}


def test_a_digest_is_the_sha_256_in_lower_case() -> None:
    assert digest_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
