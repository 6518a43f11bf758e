"""Users and their devices in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from saml_idp.domain.device import Device, Enrolment
from saml_idp.domain.ids import ApprovalIdentity, DeviceId, Digest, UserId
from saml_idp.domain.person import Credential, Person


class PersonStore(Protocol):
    """Users in our database."""

    def add(self, person: Person, password_hash: str | None) -> None:
        """Store a new user; Conflict when name or identity is taken."""

    def get(self, user_id: UserId) -> Person:
        """Return the user."""

    def find_by_name(self, name: str) -> Credential | None:
        """Return the user with that canonical name, with the hash."""

    def find_by_identity(self, identity: ApprovalIdentity) -> Person | None:
        """Return the user whose ID it is."""

    def search(self, text: str, *, limit: int, offset: int = 0) -> Sequence[Person]:
        """Return users whose name, identity or e-mail contains *text*, by name."""

    def replace(self, old: Person, new: Person) -> None:
        """Store *new* if the stored user still equals *old*; Conflict on a taken name."""

    def set_password_hash(
        self, user_id: UserId, password_hash: str, *, instead_of: str | None = None
    ) -> None:
        """Store the hash of a new password, or of a rehash.

        ``instead_of``: the hash that has to be stored still, else TransitionNotAllowed; so
        that the rehash of an old password never undoes a new one.
        """

    def lock_administrators(self) -> None:
        """Serialise with every other unit that calls this, until this unit ends.

        Two changes that would each leave one last administrator must not both pass.
        """

    def count_ready_administrators(self, *, without: UserId | None = None) -> int:
        """Return how many enabled administrators have an ID with a live device."""

    def count_ready_administrators_without_device(self, device_id: DeviceId) -> int:
        """The same count as if that device were retired."""


class DeviceStore(Protocol):
    """Devices and invitations."""

    def add(self, device: Device) -> None:
        """Store a new device. Conflict when its public key is enrolled already."""

    def get(self, device_id: DeviceId) -> Device:
        """Return the device, live or retired."""

    def of_user(self, user_id: UserId) -> Sequence[Device]:
        """Return the user's devices, oldest first, retired ones too."""

    def retire(self, device_id: DeviceId, at: datetime) -> None:
        """Mark a live device retired; TransitionNotAllowed when it is already."""

    def seen(self, device_id: DeviceId, at: datetime) -> None:
        """Note the last call of the device."""

    def add_enrolment(self, enrolment: Enrolment) -> None:
        """Store an invitation; open ones of the same user end."""

    def find_enrolment(self, code_hash: Digest) -> Enrolment | None:
        """Return the invitation with that code, open or not."""

    def use_enrolment(self, code_hash: Digest, at: datetime) -> None:
        """Mark an open invitation used, once; TransitionNotAllowed when used or too late."""

    def use_token(self, device_id: str, jti: str, *, expires_at: datetime) -> None:
        """Remember the jti of a device's message; TransitionNotAllowed when seen before."""

    def delete_tokens_before(self, instant: datetime, *, limit: int) -> int:
        """Forget the jti of messages that expired before *instant*; return how many."""
