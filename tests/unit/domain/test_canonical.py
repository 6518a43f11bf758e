"""One value, one row of octets; two values, two rows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.domain.canonical import canonical_json

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(plain)
def test_the_octets_are_json_of_the_same_value(value: object) -> None:
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text("abcdeé", max_size=3), st.integers(), min_size=2), st.randoms())
def test_the_order_of_keys_does_not_count(value: dict[str, int], random: object) -> None:
    keys = list(value)
    random.shuffle(keys)  # type: ignore[attr-defined]
    assert canonical_json({k: value[k] for k in keys}) == canonical_json(value)


def test_there_is_no_white_space_and_no_escape_beyond_need() -> None:
    assert canonical_json({"b": [1, True, None], "a": "é\n"}) == (
        '{"a":"é\\n","b":[1,true,null]}'.encode()
    )


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), [1.5], {"a": {"b": (0.1,)}}, object(), b"x", {1, 2}]
)
def test_what_has_no_one_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


@pytest.mark.parametrize("value", [{1: "a"}, {None: "a"}, {True: "a"}, [{2.5: "a"}]])
def test_a_key_that_is_no_text_is_refused(value: object) -> None:
    # {1: …} and {"1": …} would have the same octets
    with pytest.raises(TypeError):
        canonical_json(value)
