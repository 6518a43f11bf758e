"""Authentication context classes: what was done, never what was asked (Core 2.7.2.2)."""

from collections.abc import Sequence
from typing import Final

from saml_idp.domain.evidence import Evidence, Step
from saml_idp.domain.request import Comparison, RequestedContext

_AC: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
PASSWORD: Final = _AC + "Password"
PASSWORD_PROTECTED_TRANSPORT: Final = _AC + "PasswordProtectedTransport"
MOBILE_ONE_FACTOR: Final = _AC + "MobileOneFactorContract"
MOBILE_TWO_FACTOR: Final = _AC + "MobileTwoFactorContract"
REFEDS_MFA: Final = "https://refeds.org/profile/mfa"

# Weakest first; strength rises in this order (SAML.md, "Authentication context").
STRENGTH: Final = (
    PASSWORD,
    PASSWORD_PROTECTED_TRANSPORT,
    MOBILE_ONE_FACTOR,
    MOBILE_TWO_FACTOR,
    REFEDS_MFA,
)
MULTI_FACTOR_SYMBOLS: Final = 4  # fewer symbols never claim a multi-factor class


def satisfied_classes(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return the classes that hold for *evidence* of one user, weakest first."""
    return classes_of(
        password=any(e.step is Step.PASSWORD for e in evidence),
        symbols=max((e.symbols for e in evidence if e.step is Step.APPROVAL), default=None),
        user_verified=any(e.user_verified for e in evidence),
    )


def classes_of(*, password: bool, symbols: int | None, user_verified: bool) -> tuple[str, ...]:
    """Return the classes that a login of this kind satisfies, weakest first.

    Args:
        password: a password was verified.
        symbols: access symbols entered at the approval; None when there was no approval.
        user_verified: the device proved fingerprint, face or PIN at the answer (passkey).
    """
    held: set[str] = set()
    if password:
        held |= {PASSWORD, PASSWORD_PROTECTED_TRANSPORT}
    if symbols is not None:
        held.add(MOBILE_ONE_FACTOR)
        strong = user_verified or (password and symbols >= MULTI_FACTOR_SYMBOLS)
        if strong:
            held |= {MOBILE_TWO_FACTOR, REFEDS_MFA}
    return tuple(c for c in STRENGTH if c in held)


def stated_class(held: Sequence[str], requested: RequestedContext | None) -> str | None:
    """Return the class to state in the assertion, or None when the request cannot be met.

    Core 3.3.2.2.1: exact = one of the named; minimum = at least as strong as one named;
    better = stronger than every named; maximum = as strong as possible without exceeding
    the strength of at least one named. A class we do not know cannot be met.
    """
    if not held:
        return None
    if requested is None:
        return held[-1]
    known = [STRENGTH.index(c) for c in requested.classes if c in STRENGTH]
    ranked = [(STRENGTH.index(c), c) for c in held]
    match requested.comparison:
        case Comparison.EXACT:
            # The order of the request is the provider's preference.
            return next((c for c in requested.classes if c in held), None)
        case Comparison.MINIMUM if known:
            fitting = [c for rank, c in ranked if rank >= min(known)]
        case Comparison.BETTER if known and len(known) == len(requested.classes):
            fitting = [c for rank, c in ranked if rank > max(known)]
        case Comparison.MAXIMUM if known:
            fitting = [c for rank, c in ranked if rank <= max(known)]
        case _:
            fitting = []
    return fitting[-1] if fitting else None
