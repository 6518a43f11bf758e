"""Users in our database, as the directory."""

from saml_idp.crypto.passwords import PasswordHasher
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.domain.ids import ApprovalIdentity, UserId, canonical_name
from saml_idp.domain.person import Credential, Person
from saml_idp.ports.store import Store


class DatabaseDirectory:
    """The ``Directory`` on our own store."""

    def __init__(self, store: Store, hasher: PasswordHasher) -> None:
        self._store = store
        self._hasher = hasher

    def get(self, user_id: UserId) -> Person:
        """Return the user."""
        with self._store.view() as unit:
            return unit.people.get(user_id)

    def find(self, name: str) -> Person | None:
        """Return the user by user name or ID, any spelling of the canonical name."""
        found = self._find(name)
        return found.person if found is not None else None

    def verify_password(self, name: str, password: str) -> Person | None:
        """Return the user if the password is right; see the port.

        Looking up costs microseconds, hashing tens of milliseconds: one hash is made for
        whoever is asked for, known or not, enabled or not (W06).
        """
        found = self._find(name)
        usable = found if found is not None and found.person.enabled else None
        stored = usable.password_hash if usable is not None else None
        if not self._hasher.verify(stored, password) or usable is None or stored is None:
            return None
        if self._hasher.needs_rehash(stored):
            self._rehash(usable.person, stored, password)
        return usable.person

    def _find(self, name: str) -> Credential | None:
        canonical = canonical_name(name)
        with self._store.view() as unit:
            found = unit.people.find_by_name(canonical)
            if found is None:
                person = unit.people.find_by_identity(ApprovalIdentity(canonical))
                found = unit.people.find_by_name(person.username) if person is not None else None
        return found

    def _rehash(self, person: Person, stored: str, password: str) -> None:
        """Hash anew with today's costs; leave it where the password was changed meanwhile."""
        fresh = self._hasher.hash(password)
        try:
            with self._store.unit() as unit:
                unit.people.set_password_hash(person.user_id, fresh, instead_of=stored)
        except TransitionNotAllowed:
            return
