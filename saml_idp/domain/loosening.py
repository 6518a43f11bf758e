"""Which keys of a policy a change loosens, and which it tightens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from saml_idp.domain.errors import Conflict
from saml_idp.domain.ids import EntityId
from saml_idp.domain.policy import (
    Encryption,
    NameIdFormat,
    Policy,
    Signing,
    UnsignedLogout,
    UserVerification,
)
from saml_idp.domain.policy_keys import FIELDS

_PSEUDONYMS: Final = (NameIdFormat.PERSISTENT, NameIdFormat.TRANSIENT)
_SIGNED: Final = {
    Signing.BOTH: frozenset({"assertion", "response"}),
    Signing.ASSERTION: frozenset({"assertion"}),
    Signing.RESPONSE: frozenset({"response"}),
}
_ENCRYPTED: Final = (Encryption.NEVER, Encryption.WHEN_POSSIBLE, Encryption.ALWAYS)


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """Dotted keys by what happened to them. ``other``: changed, and neither of the two.
    A key that gives on one side and takes on another counts as loosened.
    """

    loosened: tuple[str, ...] = ()
    tightened: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A change of one value in a policy file that passed every check and is not made yet.

    ``entity_id`` None: the default. ``name``: of the file in its folder, ``file``: with it.
    ``before``, ``after``: the value in force, as TOML. ``loosened``, ``tightened``: keys, for
    anyone. ``old``: octets of the file, None: there is none yet.
    """

    entity_id: EntityId | None
    name: str
    file: str
    key: str
    before: str
    after: str
    loosened: tuple[str, ...]
    tightened: tuple[str, ...]
    old: bytes | None = field(repr=False)
    new: bytes = field(repr=False)

    def require_confirmation(self, *, confirmed: bool) -> None:
        """Raise Conflict, reason ``loosening_unconfirmed``, if it loosens and is not confirmed."""
        if self.loosened and not confirmed:
            raise Conflict(
                f"this loosens {', '.join(self.loosened)} and is not confirmed",
                reason="loosening_unconfirmed",
            )


def compare(before: Policy, after: Policy) -> PolicyChange:
    """Return what changes for a login when *after* takes the place of *before*."""
    loosened, tightened, other = [], [], []
    for key, name in FIELDS.items():
        weaker = _WEAKER[key]
        old, new = getattr(before, name), getattr(after, name)
        if old == new:
            continue
        if weaker(old, new):
            loosened.append(key)
        elif weaker(new, old):
            tightened.append(key)
        else:
            other.append(key)
    return PolicyChange(tuple(loosened), tuple(tightened), tuple(other))


def loosens(before: Policy, after: Policy) -> tuple[str, ...]:
    """Return the keys that *after* loosens; empty when it is nowhere weaker."""
    return compare(before, after).loosened


def _grows(old: Any, new: Any) -> bool:
    return bool(new > old)


def _shrinks(old: Any, new: Any) -> bool:
    return bool(new < old)


def _gains(old: frozenset[Any], new: frozenset[Any]) -> bool:
    return bool(new - old)


def _lets_in(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    """True when someone may sign in who could not: no groups at all means everyone."""
    if not old:
        return False
    return not new or bool(set(new) - set(old))


def _releases(old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    return bool(new.items() - old.items())


def _drops(wanted: object) -> Callable[[Any, Any], bool]:
    return lambda old, _new: bool(old is wanted)


def _switches_on(old: bool, new: bool) -> bool:  # noqa: FBT001 - two values of one key
    return new and not old


def _names(old: NameIdFormat, new: NameIdFormat) -> bool:
    """True when the provider learns who the user is, where it had a pseudonym."""
    return old in _PSEUDONYMS and new not in _PSEUDONYMS


# Dotted key → is the second value weaker than the first.
_WEAKER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "login.two_step": _drops(wanted=True),
    "login.step_max_age_seconds": _grows,
    "login.access_symbols": _shrinks,
    "login.methods": _gains,
    "login.user_verification": _drops(UserVerification.REQUIRED),
    "login.approval_seconds": _grows,
    "login.groups": _lets_in,
    "assertion.name_id_format": _names,
    "assertion.name_id_attribute": lambda _old, _new: False,
    "assertion.sign": lambda old, new: bool(_SIGNED[old] - _SIGNED[new]),
    "assertion.encrypt": lambda old, new: _ENCRYPTED.index(new) < _ENCRYPTED.index(old),
    "assertion.lifetime_seconds": _grows,
    "assertion.unsolicited": _switches_on,
    "assertion.require_signed_requests": _drops(wanted=True),
    "logout.accept_unsigned": _drops(UnsignedLogout.NEVER),
    "compatibility.deflated_post": _switches_on,
    "attributes": _releases,
}
