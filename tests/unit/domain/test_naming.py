"""Names, IDs, groups and attributes as they are given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.domain.errors import Conflict
from saml_idp.domain.naming import (
    LONGEST_NAME,
    LONGEST_VALUE,
    MOST_VALUES,
    checked_attributes,
    checked_groups,
    checked_identity,
    checked_username,
)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("alice", "alice"),
        (" Alice ", "alice"),
        ("a\u200blice", "alice"),
        ("\uff21lice", "alice"),
        ("M\u00dcLLER", "m\u00fcller"),
        ("corp\\alice", "corp\\alice"),
        ("alice@example.org", "alice@example.org"),
        ("x" * LONGEST_NAME, "x" * LONGEST_NAME),
    ],
)
def test_a_user_name_has_one_form(given: str, stored: str) -> None:
    assert checked_username(given) == stored


@pytest.mark.parametrize(
    "given",
    ["", "  ", "\u200b", "x" * (LONGEST_NAME + 1), "two words", "a\u00a0b", "\uffff"],
)
def test_what_cannot_be_a_user_name(given: str) -> None:
    with pytest.raises(Conflict) as caught:
        checked_username(given)

    assert caught.value.reason == "bad_username"


@pytest.mark.parametrize(
    ("given", "stored"),
    [("Alice", "alice"), ("a", "a"), ("a.b_c-d+e@f", "a.b_c-d+e@f"), ("7", "7")],
)
def test_an_id_is_lower_case(given: str, stored: str) -> None:
    assert checked_identity(given) == stored


@pytest.mark.parametrize("given", ["", ".a", "a.", "a b", "a/b", "\u00e4", "x" * 65, "a'b"])
def test_what_cannot_be_an_id(given: str) -> None:
    with pytest.raises(Conflict) as caught:
        checked_identity(given)

    assert caught.value.reason == "bad_identity"


def test_groups_lose_doubles_and_outer_space_and_keep_their_order() -> None:
    assert checked_groups(["b", " a ", "b", "Two words"]) == ("b", "a", "Two words")


@pytest.mark.parametrize(
    "given",
    [
        [""],
        [" "],
        ["a\x00"],
        ["a\nb"],
        ["x" * (LONGEST_VALUE + 1)],
        [str(n) for n in range(MOST_VALUES + 1)],
    ],
)
def test_what_cannot_be_groups(given: list[str]) -> None:
    with pytest.raises(Conflict) as caught:
        checked_groups(given)

    assert caught.value.reason == "bad_group"


def test_an_attribute_without_values_stays_empty() -> None:
    assert checked_attributes({"email": ["", " "], "name": [" A B "]}) == {
        "email": (),
        "name": ("A B",),
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shoe", "43"),
        ("username", "root"),
        ("groups", "admins"),
        ("email", "nobody"),
        ("email", "@example.org"),
        ("email", "a@"),
        ("email", "a@b@c"),
        ("email", "a b@c"),
        ("name", "a\x07b"),
        ("name", "a\ud800b"),
        ("name", "\ufffe"),
        ("name", "x" * (LONGEST_VALUE + 1)),
    ],
)
def test_what_cannot_be_an_attribute(name: str, value: str) -> None:
    with pytest.raises(Conflict) as caught:
        checked_attributes({name: [value]})

    assert caught.value.reason == "bad_attribute"


def test_an_attribute_has_a_bounded_number_of_values() -> None:
    with pytest.raises(Conflict):
        checked_attributes({"phone": [str(n) for n in range(MOST_VALUES + 1)]})


@given(st.text())
def test_a_name_that_was_accepted_is_in_its_one_form(text: str) -> None:
    try:
        name = checked_username(text)
    except Conflict:
        return
    assert checked_username(name) == name
