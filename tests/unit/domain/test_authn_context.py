"""Authentication context: class x comparison x what was done (Core 3.3.2.2.1)."""

from itertools import product
from typing import Final

import pytest

from saml_idp.domain.authn_context import (
    MOBILE_ONE_FACTOR,
    MOBILE_TWO_FACTOR,
    PASSWORD,
    PASSWORD_PROTECTED_TRANSPORT,
    REFEDS_MFA,
    STRENGTH,
    classes_of,
    satisfied_classes,
    stated_class,
)
from saml_idp.domain.evidence import Evidence
from saml_idp.domain.request import Comparison, RequestedContext
from tests.build import approval_evidence, password_evidence

PW, PPT, ONE, TWO, MFA = STRENGTH
UNKNOWN: Final = "urn:example:unknown"
PASSWORDS: Final = (PASSWORD, PASSWORD_PROTECTED_TRANSPORT)
FACTORS: Final = (MOBILE_TWO_FACTOR, REFEDS_MFA)


@pytest.mark.parametrize(
    ("evidence", "held"),
    [
        ((), ()),
        ((password_evidence(),), PASSWORDS),
        ((password_evidence(), approval_evidence()), (*PASSWORDS, ONE, TWO, MFA)),
        ((password_evidence(), approval_evidence(symbols=3)), (*PASSWORDS, ONE)),
        ((approval_evidence(symbols=6),), (ONE,)),
        ((approval_evidence(user_verified=True),), (ONE, TWO, MFA)),
        ((approval_evidence(symbols=1, user_verified=True),), (ONE, TWO, MFA)),
        (
            (password_evidence(), approval_evidence(symbols=1, user_verified=True)),
            (*PASSWORDS, ONE, TWO, MFA),
        ),
    ],
)
def test_the_classes_that_hold_follow_from_what_was_done(
    evidence: tuple[Evidence, ...], held: tuple[str, ...]
) -> None:
    assert satisfied_classes(evidence) == held


@pytest.mark.parametrize(
    ("password", "symbols", "verified"),
    [*product([True, False], [None, 1, 3, 4, 6], [True, False])],
)
def test_a_multi_factor_class_needs_two_factors(
    *, password: bool, symbols: int | None, verified: bool
) -> None:
    held = classes_of(password=password, symbols=symbols, user_verified=verified)
    two = symbols is not None and (verified or (password and symbols >= 4))
    assert (MFA in held, TWO in held) == (two, two)


TWO_STEP: Final = (*PASSWORDS, ONE, TWO, MFA)
COMFORT: Final = (*PASSWORDS, ONE)  # two steps with fewer than four symbols
ALONE: Final = (ONE,)
E, MIN, MAX, BETTER = Comparison.EXACT, Comparison.MINIMUM, Comparison.MAXIMUM, Comparison.BETTER

# what was done, comparison, classes asked for, class stated
TABLE: Final = [
    (TWO_STEP, E, (PW,), PW),
    (TWO_STEP, E, (PPT,), PPT),
    (TWO_STEP, E, (ONE,), ONE),
    (TWO_STEP, E, (TWO,), TWO),
    (TWO_STEP, E, (MFA,), MFA),
    (TWO_STEP, E, (UNKNOWN,), None),
    (TWO_STEP, E, (UNKNOWN, PPT), PPT),
    (TWO_STEP, E, (PPT, MFA), PPT),  # the provider's order is its preference
    (TWO_STEP, E, (MFA, PPT), MFA),
    (TWO_STEP, MIN, (PW,), MFA),
    (TWO_STEP, MIN, (MFA,), MFA),
    (TWO_STEP, MIN, (MFA, UNKNOWN), MFA),
    (TWO_STEP, MIN, (UNKNOWN,), None),
    (TWO_STEP, MAX, (PW,), PW),
    (TWO_STEP, MAX, (PPT,), PPT),
    (TWO_STEP, MAX, (PPT, TWO), TWO),
    (TWO_STEP, MAX, (MFA,), MFA),
    (TWO_STEP, MAX, (UNKNOWN,), None),
    (TWO_STEP, BETTER, (PPT,), MFA),
    (TWO_STEP, BETTER, (PPT, TWO), MFA),
    (TWO_STEP, BETTER, (MFA,), None),
    (TWO_STEP, BETTER, (PPT, UNKNOWN), None),  # nobody knows what is better than that
    (COMFORT, E, (MFA,), None),
    (COMFORT, E, (TWO, ONE), ONE),
    (COMFORT, MIN, (TWO,), None),
    (COMFORT, MIN, (PPT,), ONE),
    (COMFORT, MIN, (TWO, PPT), ONE),  # as strong as one of them is enough
    (COMFORT, MAX, (MFA,), ONE),
    (COMFORT, BETTER, (PPT,), ONE),
    (COMFORT, BETTER, (ONE,), None),
    (ALONE, E, (PPT,), None),
    (ALONE, E, (ONE,), ONE),
    (ALONE, MIN, (PPT,), ONE),
    (ALONE, MIN, (TWO,), None),
    (ALONE, MAX, (PPT,), None),
    (ALONE, MAX, (TWO,), ONE),
    (ALONE, BETTER, (PPT,), ONE),
    (ALONE, BETTER, (ONE,), None),
    ((), MIN, (PW,), None),
]


@pytest.mark.parametrize(("held", "comparison", "classes", "expected"), TABLE)
def test_the_stated_class_meets_the_request(
    held: tuple[str, ...], comparison: Comparison, classes: tuple[str, ...], expected: str | None
) -> None:
    assert stated_class(held, RequestedContext(comparison, classes)) == expected


@pytest.mark.parametrize("held", [TWO_STEP, COMFORT, ALONE, PASSWORDS])
@pytest.mark.parametrize("comparison", Comparison)
@pytest.mark.parametrize("wanted", [*STRENGTH, UNKNOWN])
def test_no_class_is_stated_that_was_not_reached(
    held: tuple[str, ...], comparison: Comparison, wanted: str
) -> None:
    assert stated_class(held, RequestedContext(comparison, (wanted,))) in {None, *held}


@pytest.mark.parametrize(
    ("held", "expected"),
    [(TWO_STEP, MFA), (COMFORT, MOBILE_ONE_FACTOR), (ALONE, ONE), (PASSWORDS, PPT), ((), None)],
)
def test_without_a_request_the_strongest_class_is_stated(
    held: tuple[str, ...], expected: str | None
) -> None:
    assert stated_class(held, None) == expected


def test_the_two_multi_factor_classes_are_the_strongest() -> None:
    assert STRENGTH[-2:] == FACTORS
