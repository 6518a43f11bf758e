"""What a user name, an ID, a group and an attribute may look like when they are given.

All of them end up in an assertion: nothing passes that XML cannot carry (XML 1.0, 2.2).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from saml_idp.domain.errors import Conflict
from saml_idp.domain.ids import ApprovalIdentity, canonical_name
from saml_idp.domain.person import ATTRIBUTES

LONGEST_NAME: Final = 128
LONGEST_VALUE: Final = 256
MOST_VALUES: Final = 1000

_OWN_FIELDS: Final = frozenset({"username", "groups"})
_IDENTITY: Final = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")


def checked_username(given: str) -> str:
    """Return the canonical form of *given*.

    Raises:
        Conflict: ``bad_username``; empty, too long, or with white space or control characters.
    """
    name = canonical_name(given)
    if not name or len(name) > LONGEST_NAME:
        raise Conflict(f"a user name has 1 to {LONGEST_NAME} characters", reason="bad_username")
    if any(c.isspace() for c in name) or not _is_plain(name):
        raise Conflict(f"the user name {name!r} has a space in it", reason="bad_username")
    return name


def checked_identity(given: str) -> ApprovalIdentity:
    """Return *given* as an ID, in lower case.

    Raises:
        Conflict: ``bad_identity``.
    """
    identity = canonical_name(given)
    if not _IDENTITY.fullmatch(identity):
        raise Conflict(
            f"{identity[:80]!r} cannot be an ID: 1 to 64 of a-z, 0-9 and . _ @ + - between them",
            reason="bad_identity",
        )
    return ApprovalIdentity(identity)


def checked_groups(given: Iterable[str]) -> tuple[str, ...]:
    """Return *given* without doubles, in order; white space around a name is not part of it.

    Raises:
        Conflict: ``bad_group``.
    """
    groups = tuple(dict.fromkeys(group.strip() for group in given))
    for group in groups:
        if not 0 < len(group) <= LONGEST_VALUE or not _is_plain(group):
            raise Conflict(f"{group[:80]!r} cannot be a group", reason="bad_group")
    if len(groups) > MOST_VALUES:
        raise Conflict(f"more than {MOST_VALUES} groups", reason="bad_group")
    return groups


def checked_attributes(given: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Return *given* with values as tuples; an attribute without values stays, empty.

    Raises:
        Conflict: ``bad_attribute``; an unknown name, or a value that cannot be one.
    """
    checked: dict[str, tuple[str, ...]] = {}
    for name, values in given.items():
        if name not in ATTRIBUTES or name in _OWN_FIELDS:
            known = ", ".join(a for a in ATTRIBUTES if a not in _OWN_FIELDS)
            raise Conflict(f"unknown attribute {name!r}; known: {known}", reason="bad_attribute")
        checked[name] = tuple(value for v in values if (value := v.strip()))
        if len(checked[name]) > MOST_VALUES:
            raise Conflict(f"more than {MOST_VALUES} values of {name}", reason="bad_attribute")
        for value in checked[name]:
            if len(value) > LONGEST_VALUE or not _is_plain(value) or not _fits(name, value):
                raise Conflict(f"{value[:80]!r} cannot be a {name}", reason="bad_attribute")
    return checked


def _fits(name: str, value: str) -> bool:
    if name != "email":
        return True
    local, _, host = value.partition("@")
    return bool(local and host) and "@" not in host and not any(c.isspace() for c in value)


def _is_plain(text: str) -> bool:
    """True when *text* has no control character, no lone surrogate and no non-character."""
    return not any(unicodedata.category(c) in {"Cc", "Cs", "Cn"} for c in text)
