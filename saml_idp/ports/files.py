"""The operator's files in force, and how they are changed."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from saml_idp.domain.errors import Fault
from saml_idp.domain.ids import EntityId
from saml_idp.domain.loosening import PlannedChange
from saml_idp.domain.policy import Policy
from saml_idp.domain.service_provider import ServiceProvider


class ProviderRegistry(Protocol):
    """The providers in force. A look-up is a dictionary read of an immutable snapshot."""

    def find(self, entity_id: EntityId) -> ServiceProvider | None:
        """Return the provider, None when there is none or it was set aside."""

    def __iter__(self) -> Iterator[ServiceProvider]: ...

    def faults(self) -> Sequence[Fault]:
        """Return what is wrong in the files now."""


class PolicyBook(Protocol):
    """The policies in force."""

    def policy_for(self, entity_id: EntityId) -> Policy:
        """Return the policy of the provider; the default where it has no file.

        Raises:
            LoginRefused: reason ``policy_fault``; its file is wrong and no good version
                is known, or the default is.
        """

    def faults(self) -> Sequence[Fault]:
        """Return what is wrong in the files now, the last good version being in force."""


class PolicyEditor(Protocol):
    """Changes one value of one policy file, through the checks that every file passes."""

    def plan_change(self, entity_id: EntityId | None, key: str, value: object) -> PlannedChange:
        """Return what setting *key* would change, checked; nothing is written.

        Args:
            entity_id: None: default.toml.
            value: plain, as in ``policy_keys.plain_values``; None: remove the key.

        Raises:
            ConfigurationError: the files have faults, or the value cannot be.
            LockOut: it switches two-step on while no administrator could undo it.
        """

    def apply(self, planned: PlannedChange, *, confirm_loosening: bool) -> None:
        """Write *planned* and put it in force here at once, elsewhere within a second.

        Raises:
            Conflict: reason ``loosening_unconfirmed``, or ``file_changed`` since it was planned.
        """


class ProviderEditor(Protocol):
    """Adds files to the metadata."""

    def check_octets(self, octets: bytes, *, file: str) -> Sequence[ServiceProvider]:
        """Return the providers that *octets* would add; raises as ``add``. Nothing is written."""

    def add(self, octets: bytes) -> Sequence[ServiceProvider]:
        """Put metadata into a file of its own; return the providers it adds.

        Raises:
            ConfigurationError: a fault in it, or a provider that is known already.
        """
