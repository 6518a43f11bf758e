"""Devices, the invitations that bind them, and the message ids they used."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from saml_idp.adapters.db.tables import device_tokens, devices, enrolments
from saml_idp.adapters.db.transaction import Row, Transaction
from saml_idp.adapters.db.values import instant, instant_or_none, stored, stored_or_none
from saml_idp.domain.device import Device, Enrolment
from saml_idp.domain.errors import Conflict, NotFound, TransitionNotAllowed
from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import ApprovalIdentity, DeviceId, Digest, UserId

_d, _e, _t = devices.c, enrolments.c, device_tokens.c
_ADD: Final = insert(devices).on_conflict_do_nothing()
_GET: Final = select(devices).where(_d.device_id == bindparam("device_id"))
_OF_USER: Final = (
    select(devices).where(_d.user_id == bindparam("user_id")).order_by(_d.enrolled_at, _d.device_id)
)
_RETIRE: Final = (
    update(devices)
    .where(_d.device_id == bindparam("key"), _d.retired_at.is_(None))
    .values(retired_at=bindparam("at"))
)
_SEEN: Final = (
    update(devices).where(_d.device_id == bindparam("key")).values(last_seen_at=bindparam("at"))
)
_END_ENROLMENTS: Final = (
    update(enrolments)
    .where(_e.user_id == bindparam("owner"), _e.used_at.is_(None), _e.expires_at > bindparam("at"))
    .values(expires_at=bindparam("at"))
)
_ADD_ENROLMENT: Final = insert(enrolments).on_conflict_do_nothing()
_FIND_ENROLMENT: Final = select(enrolments).where(_e.code_hash == bindparam("code_hash"))
_USE_ENROLMENT: Final = (
    update(enrolments)
    .where(_e.code_hash == bindparam("code"), _e.used_at.is_(None), _e.expires_at > bindparam("at"))
    .values(used_at=bindparam("at"))
)
_USE_TOKEN: Final = insert(device_tokens).on_conflict_do_nothing()
_OLD_TOKENS: Final = (
    select(_t.device_id, _t.jti)
    .where(_t.expires_at < bindparam("instant"))
    .limit(bindparam("most"))
)
_DELETE_TOKEN: Final = delete(device_tokens).where(
    _t.device_id == bindparam("device"), _t.jti == bindparam("token")
)


class Devices:
    """The ``DeviceStore`` of one unit."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, device: Device) -> None:
        """Store a new device. Conflict when its public key is enrolled already."""
        added = self._transaction.change(
            _ADD,
            device_id=device.device_id,
            user_id=device.user_id,
            identity=device.identity,
            name=device.name,
            method=str(device.method),
            public_key=device.public_key,
            enrolled_at=stored(device.enrolled_at),
            retired_at=stored_or_none(device.retired_at),
            last_seen_at=stored_or_none(device.last_seen_at),
        )
        if added != 1:
            raise Conflict("this device is enrolled already", reason="device_enrolled")

    def get(self, device_id: DeviceId) -> Device:
        """Return the device, live or retired."""
        row = self._transaction.row(_GET, device_id=device_id)
        if row is None:
            raise NotFound("there is no such device")
        return _device_of(row)

    def of_user(self, user_id: UserId) -> Sequence[Device]:
        """Return the user's devices, oldest first, retired ones too."""
        return [_device_of(row) for row in self._transaction.rows(_OF_USER, user_id=user_id)]

    def retire(self, device_id: DeviceId, at: datetime) -> None:
        """Mark a live device retired; TransitionNotAllowed when it is already."""
        if self._transaction.change(_RETIRE, key=device_id, at=stored(at)) == 0:
            self.get(device_id)
            raise TransitionNotAllowed("the device is retired already", reason="device_retired")

    def seen(self, device_id: DeviceId, at: datetime) -> None:
        """Note the last call of the device."""
        if self._transaction.change(_SEEN, key=device_id, at=stored(at)) == 0:
            raise NotFound("there is no such device")

    def add_enrolment(self, enrolment: Enrolment) -> None:
        """Store an invitation; open ones of the same user end."""
        self._transaction.hold(f"enrolments of {enrolment.user_id}")
        created_at = stored(enrolment.created_at)
        self._transaction.change(_END_ENROLMENTS, owner=enrolment.user_id, at=created_at)
        added = self._transaction.change(
            _ADD_ENROLMENT,
            code_hash=enrolment.code_hash,
            user_id=enrolment.user_id,
            identity=enrolment.identity,
            created_at=created_at,
            expires_at=stored(enrolment.expires_at),
            created_by=enrolment.created_by,
            used_at=stored_or_none(enrolment.used_at),
        )
        if added != 1:
            raise Conflict("this invitation is stored already", reason="enrolment_taken")

    def find_enrolment(self, code_hash: Digest) -> Enrolment | None:
        """Return the invitation with that code, open or not."""
        row = self._transaction.row(_FIND_ENROLMENT, code_hash=code_hash)
        return _enrolment_of(row) if row is not None else None

    def use_enrolment(self, code_hash: Digest, at: datetime) -> None:
        """Mark an open invitation used, once; TransitionNotAllowed when used or too late."""
        if self._transaction.change(_USE_ENROLMENT, code=code_hash, at=stored(at)) == 1:
            return
        if self.find_enrolment(code_hash) is None:
            raise NotFound("there is no such invitation")
        raise TransitionNotAllowed("the invitation is used or too old", reason="enrolment_over")

    def use_token(self, device_id: str, jti: str, *, expires_at: datetime) -> None:
        """Remember the jti of a device's message; TransitionNotAllowed when seen before."""
        used = self._transaction.change(
            _USE_TOKEN, device_id=device_id, jti=jti, expires_at=stored(expires_at)
        )
        if used != 1:
            raise TransitionNotAllowed("this message was used before", reason="replayed")

    def delete_tokens_before(self, instant: datetime, *, limit: int) -> int:
        """Forget the jti of messages that expired before *instant*; return how many."""
        rows = self._transaction.rows(_OLD_TOKENS, instant=stored(instant), most=limit)
        change = self._transaction.change
        return sum(change(_DELETE_TOKEN, device=device, token=jti) for device, jti in rows)


def _device_of(row: Row) -> Device:
    (
        device_id, user_id, identity, name, method, public_key,
        enrolled_at, retired_at, last_seen_at,
    ) = row  # fmt: skip
    return Device(
        device_id=DeviceId(device_id),
        user_id=UserId(user_id),
        identity=ApprovalIdentity(identity),
        name=name,
        method=Method(method),
        public_key=public_key,
        enrolled_at=instant(enrolled_at),
        retired_at=instant_or_none(retired_at),
        last_seen_at=instant_or_none(last_seen_at),
    )


def _enrolment_of(row: Row) -> Enrolment:
    code_hash, user_id, identity, created_at, expires_at, created_by, used_at = row
    return Enrolment(
        code_hash=Digest(code_hash),
        user_id=UserId(user_id),
        identity=ApprovalIdentity(identity),
        created_at=instant(created_at),
        expires_at=instant(expires_at),
        created_by=created_by,
        used_at=instant_or_none(used_at),
    )
