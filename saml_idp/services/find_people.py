"""Who the users are, with their devices: for the administrator's pages and the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

from saml_idp.domain.device import Device
from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import ApprovalIdentity, UserId, canonical_name
from saml_idp.domain.person import Person
from saml_idp.ports.store import Store


@dataclass(frozen=True, slots=True)
class PersonWithDevices:
    """A user and all devices they ever had, oldest first."""

    person: Person
    devices: Sequence[Device]

    @property
    def live_devices(self) -> int:
        """How many of the devices may answer."""
        return sum(device.is_live for device in self.devices)

    @property
    def is_ready(self) -> bool:
        """True when the user can complete a login: enabled, with an ID and a live device."""
        return self.person.enabled and self.person.identity is not None and self.live_devices > 0


@dataclass(frozen=True, slots=True)
class FindPeople:
    store: Store

    def named(self, name: str) -> PersonWithDevices:
        """Return the user by user name or ID, in any spelling.

        Raises:
            NotFound: there is no such user.
        """
        canonical = canonical_name(name)
        with self.store.view() as unit:
            credential = unit.people.find_by_name(canonical)
            if credential is not None:
                person = credential.person
            elif (found := unit.people.find_by_identity(ApprovalIdentity(canonical))) is not None:
                person = found
            else:
                raise NotFound(f"there is no user {name[:80]!r}", reason="no_such_user")
            return PersonWithDevices(person, unit.devices.of_user(person.user_id))

    def get(self, user_id: UserId) -> PersonWithDevices:
        """Return the user.

        Raises:
            NotFound: there is no such user.
        """
        with self.store.view() as unit:
            return PersonWithDevices(unit.people.get(user_id), unit.devices.of_user(user_id))

    def search(self, text: str = "", *, limit: int, offset: int = 0) -> list[PersonWithDevices]:
        """Return users whose name, ID or e-mail contains *text*, by name."""
        with self.store.view() as unit:
            return [
                PersonWithDevices(person, unit.devices.of_user(person.user_id))
                for person in unit.people.search(text, limit=limit, offset=offset)
            ]
