"""A user as the directory describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from saml_idp.domain.ids import ApprovalIdentity, UserId

# Attributes that a policy file may release; "username" is the name itself.
ATTRIBUTES: Final = (
    "username",
    "name",
    "given_name",
    "family_name",
    "email",
    "groups",
    "phone",
    "department",
    "employee_number",
    "language",
)


@dataclass(frozen=True, slots=True)
class Person:
    """A user. ``attributes``: name → values (in order), names from ``ATTRIBUTES`` without
    ``username``, ``groups``; a name without values is absent. ``identity``: the user's ID,
    None until an administrator assigns one.
    """

    user_id: UserId
    username: str  # canonical, see ids.canonical_name
    enabled: bool
    is_administrator: bool
    identity: ApprovalIdentity | None
    groups: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]
    created_at: datetime
    has_password: bool = True

    def values(self, attribute: str) -> tuple[str, ...]:
        """Return the values of *attribute*; empty when the user has none."""
        if attribute == "username":
            return (self.username,)
        if attribute == "groups":
            return self.groups
        return tuple(self.attributes.get(attribute, ()))


@dataclass(frozen=True, slots=True)
class Credential:
    """A person with the stored hash of their password (PHC string), None without one."""

    person: Person
    password_hash: str | None = field(repr=False)
