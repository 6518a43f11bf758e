"""Who the users are, and how they are told."""

from typing import Protocol

from saml_idp.domain.ids import ApprovalIdentity, UserId
from saml_idp.domain.person import Person


class Directory(Protocol):
    """Who the users are: our database, or LDAP."""

    def get(self, user_id: UserId) -> Person:
        """Return the user."""

    def find(self, name: str) -> Person | None:
        """Return the user by user name or ID, any spelling of the canonical name."""

    def verify_password(self, name: str, password: str) -> Person | None:
        """Return the user if the password is right; None for an unknown, disabled or wrong one.

        Does the same work for each of these (W06).

        Raises:
            Busy: too many hashes are under way (W10).
        """


class Notifier(Protocol):
    """Wakes the devices of an ID. Best effort: failure never touches a login."""

    def wake(self, identity: ApprovalIdentity) -> None:
        """Tell the devices of *identity* to look; says nothing else."""

    def tell(self, person: Person, message: str, **values: str) -> None:
        """Tell the user of a security change by another way (D16)."""
