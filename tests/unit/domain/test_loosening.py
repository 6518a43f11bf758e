"""Which change loosens a login: each key in both directions."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.domain.errors import Conflict
from saml_idp.domain.evidence import Method
from saml_idp.domain.loosening import PlannedChange, compare, loosens
from saml_idp.domain.policy import (
    STRICTEST,
    Encryption,
    NameIdFormat,
    Policy,
    Signing,
    UnsignedLogout,
    UserVerification,
)
from saml_idp.domain.policy_keys import FIELDS

DEVICE: Final = frozenset({Method.DEVICE})
PASSKEY: Final = frozenset({Method.PASSKEY})
BOTH: Final = DEVICE | PASSKEY

# key, the stricter value, the looser one
ONE_WAY: Final[tuple[tuple[str, Any, Any], ...]] = (
    ("login.two_step", True, False),
    ("login.step_max_age_seconds", timedelta(0), timedelta(seconds=1)),
    ("login.access_symbols", 4, 3),
    ("login.methods", DEVICE, BOTH),
    ("login.user_verification", UserVerification.REQUIRED, UserVerification.PREFERRED),
    ("login.approval_seconds", timedelta(seconds=60), timedelta(seconds=61)),
    ("login.groups", ("a",), ("a", "b")),
    ("login.groups", ("a",), ()),
    ("assertion.name_id_format", NameIdFormat.PERSISTENT, NameIdFormat.UNSPECIFIED),
    ("assertion.name_id_format", NameIdFormat.TRANSIENT, NameIdFormat.EMAIL),
    ("assertion.sign", Signing.BOTH, Signing.ASSERTION),
    ("assertion.sign", Signing.BOTH, Signing.RESPONSE),
    ("assertion.encrypt", Encryption.ALWAYS, Encryption.WHEN_POSSIBLE),
    ("assertion.encrypt", Encryption.WHEN_POSSIBLE, Encryption.NEVER),
    ("assertion.lifetime_seconds", timedelta(seconds=60), timedelta(seconds=300)),
    ("assertion.unsolicited", False, True),
    ("assertion.require_signed_requests", True, False),
    ("logout.accept_unsigned", UnsignedLogout.NEVER, UnsignedLogout.OWN_SESSION),
    ("compatibility.deflated_post", False, True),
    ("attributes", {}, {"mail": "email"}),
)
# key, two values of which each gives what the other does not
EITHER_WAY: Final[tuple[tuple[str, Any, Any], ...]] = (
    ("login.methods", DEVICE, PASSKEY),
    ("login.groups", ("a",), ("b",)),
    ("assertion.sign", Signing.ASSERTION, Signing.RESPONSE),
    ("attributes", {"mail": "email"}, {"mail": "phone"}),
)
NO_WAY: Final[tuple[tuple[str, Any, Any], ...]] = (
    ("assertion.name_id_attribute", "username", "email"),
    ("assertion.name_id_format", NameIdFormat.UNSPECIFIED, NameIdFormat.EMAIL),
    ("assertion.name_id_format", NameIdFormat.PERSISTENT, NameIdFormat.TRANSIENT),
)


def policy_with(key: str, value: Any) -> Policy:
    return replace(STRICTEST, **{FIELDS[key]: value})


@pytest.mark.parametrize(("key", "strict", "loose"), ONE_WAY)
def test_one_way_loosens_and_the_other_tightens(key: str, strict: Any, loose: Any) -> None:
    there = compare(policy_with(key, strict), policy_with(key, loose))
    back = compare(policy_with(key, loose), policy_with(key, strict))
    assert (there.loosened, there.tightened, there.other) == ((key,), (), ())
    assert (back.loosened, back.tightened, back.other) == ((), (key,), ())


@pytest.mark.parametrize(("key", "one", "other"), EITHER_WAY)
def test_giving_on_one_side_is_a_loosening(key: str, one: Any, other: Any) -> None:
    assert loosens(policy_with(key, one), policy_with(key, other)) == (key,)
    assert loosens(policy_with(key, other), policy_with(key, one)) == (key,)


@pytest.mark.parametrize(("key", "one", "other"), NO_WAY)
def test_some_changes_are_neither(key: str, one: Any, other: Any) -> None:
    for before, after in ((one, other), (other, one)):
        assert compare(policy_with(key, before), policy_with(key, after)).other == (key,)


def test_every_key_is_compared() -> None:
    assert {key for key, _, _ in (*ONE_WAY, *NO_WAY)} == set(FIELDS)


def test_equal_policies_change_nothing() -> None:
    assert compare(STRICTEST, replace(STRICTEST)) == compare(STRICTEST, STRICTEST)
    assert loosens(STRICTEST, STRICTEST) == ()


@given(st.lists(st.sampled_from(ONE_WAY), unique_by=lambda row: row[0]))
def test_several_loosenings_are_all_named(rows: list[tuple[str, Any, Any]]) -> None:
    strict = replace(STRICTEST, **{FIELDS[key]: value for key, value, _ in rows})
    loose = replace(STRICTEST, **{FIELDS[key]: value for key, _, value in rows})
    assert set(loosens(strict, loose)) == {key for key, _, _ in rows}


def a_planned_change(*loosened: str) -> PlannedChange:
    return PlannedChange(None, "default.toml", "policies/default.toml", "login.two_step", "true",
                         "false", loosened, (), None, b"")  # fmt: skip


def test_a_loosening_has_to_be_confirmed() -> None:
    with pytest.raises(Conflict) as caught:
        a_planned_change("login.two_step").require_confirmation(confirmed=False)
    assert caught.value.reason == "loosening_unconfirmed"
    a_planned_change("login.two_step").require_confirmation(confirmed=True)
    a_planned_change().require_confirmation(confirmed=False)
