"""Users in our database."""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, bindparam, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from saml_idp.adapters.db.tables import devices, people
from saml_idp.adapters.db.transaction import Row, Transaction
from saml_idp.adapters.db.values import instant, stored
from saml_idp.domain.errors import Conflict, NotFound, TransitionNotAllowed
from saml_idp.domain.ids import ApprovalIdentity, DeviceId, UserId
from saml_idp.domain.person import Credential, Person

_c = people.c
_ADD: Final = insert(people).on_conflict_do_nothing()
_BY_ID: Final = select(people).where(_c.user_id == bindparam("user_id"))
_HOLD: Final = _BY_ID.with_for_update()
_BY_NAME: Final = select(people).where(_c.username == bindparam("username"))
_BY_IDENTITY: Final = select(people).where(_c.identity == bindparam("identity"))
_SEARCH: Final = (
    select(people)
    .where(
        or_(
            *(
                func.lower(column).like(bindparam("pattern"), escape="\\")
                for column in (_c.username, _c.identity, _c.email)
            )
        )
    )
    .order_by(_c.username)
    .limit(bindparam("most"))
    .offset(bindparam("skipped"))
)
_REPLACE: Final = (
    update(people)
    .where(_c.user_id == bindparam("key"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "username",
                "enabled",
                "is_administrator",
                "identity",
                "groups",
                "attributes",
                "email",
            )
        }
    )
)
_SET_PASSWORD: Final = (
    update(people).where(_c.user_id == bindparam("key")).values(password_hash=bindparam("hashed"))
)
_REHASH: Final = _SET_PASSWORD.where(_c.password_hash == bindparam("before"))


def _ready(*, but_for_device: bool) -> Select[int]:
    """Return the count of enabled administrators that have an ID with a live device."""
    live = exists().where(
        devices.c.user_id == _c.user_id,
        devices.c.identity == _c.identity,
        devices.c.retired_at.is_(None),
    )
    if but_for_device:
        live = live.where(devices.c.device_id != bindparam("device_id"))
    return (
        select(func.count())
        .select_from(people)
        .where(
            _c.enabled.is_(True),
            _c.is_administrator.is_(True),
            _c.user_id != bindparam("without"),
            live,
        )
    )


_COUNT_READY: Final = _ready(but_for_device=False)
_COUNT_READY_WITHOUT_DEVICE: Final = _ready(but_for_device=True)
_NOBODY: Final = ""


class People:
    """The ``PersonStore`` of one unit."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, person: Person, password_hash: str | None) -> None:
        """Store a new user; Conflict when name or identity is taken."""
        added = self._transaction.change(
            _ADD,
            user_id=person.user_id,
            password_hash=password_hash,
            created_at=stored(person.created_at),
            **_changing(person),
        )
        if added != 1:
            raise Conflict("the name or the ID is taken", reason="taken")

    def get(self, user_id: UserId) -> Person:
        """Return the user."""
        return self._one(_BY_ID, user_id)

    def find_by_name(self, name: str) -> Credential | None:
        """Return the user with that canonical name, with the hash."""
        row = self._transaction.row(_BY_NAME, username=name)
        return Credential(_person_of(row), row[8]) if row is not None else None

    def find_by_identity(self, identity: ApprovalIdentity) -> Person | None:
        """Return the user whose ID it is."""
        row = self._transaction.row(_BY_IDENTITY, identity=identity)
        return _person_of(row) if row is not None else None

    def search(self, text: str, *, limit: int, offset: int = 0) -> Sequence[Person]:
        """Return users whose name, identity or e-mail contains *text*, any case, by name."""
        if "\x00" in text:
            return []  # nobody has one in their name, and SQLite would end the pattern there
        needle = text.casefold()
        for special in ("\\", "%", "_"):
            needle = needle.replace(special, f"\\{special}")
        rows = self._transaction.rows(_SEARCH, pattern=f"%{needle}%", most=limit, skipped=offset)
        return [_person_of(row) for row in rows]

    def replace(self, old: Person, new: Person) -> None:
        """Store *new* if the stored user still equals *old*; Conflict on a taken name."""
        if self._one(_HOLD, old.user_id) != old:
            raise TransitionNotAllowed("the user was changed meanwhile", reason="person_changed")
        self._transaction.change(_REPLACE, key=old.user_id, **_changing(new))

    def set_password_hash(
        self, user_id: UserId, password_hash: str, *, instead_of: str | None = None
    ) -> None:
        """Store the hash of a new password, or of a rehash *instead_of* the one that is stored."""
        change = self._transaction.change
        if instead_of is None:
            changed = change(_SET_PASSWORD, key=user_id, hashed=password_hash)
        else:
            changed = change(_REHASH, key=user_id, hashed=password_hash, before=instead_of)
        if changed == 1:
            return
        self.get(user_id)
        raise TransitionNotAllowed("the password was changed meanwhile", reason="password_changed")

    def lock_administrators(self) -> None:
        """Serialise with every other unit that calls this, until this unit ends."""
        self._transaction.hold("administrators")

    def count_ready_administrators(self, *, without: UserId | None = None) -> int:
        """Return how many enabled administrators have an ID with a live device."""
        return self._count(_COUNT_READY, without=without or _NOBODY)

    def count_ready_administrators_without_device(self, device_id: DeviceId) -> int:
        """The same count as if that device were retired."""
        return self._count(_COUNT_READY_WITHOUT_DEVICE, without=_NOBODY, device_id=device_id)

    def _one(self, statement: Select[Any], user_id: UserId) -> Person:
        row = self._transaction.row(statement, user_id=user_id)
        if row is None:
            raise NotFound("there is no such user")
        return _person_of(row)

    def _count(self, statement: Select[int], **values: str) -> int:
        row = self._transaction.row(statement, **values)
        return int(row[0]) if row is not None else 0


def _changing(person: Person) -> dict[str, Any]:
    return {
        "username": person.username,
        "enabled": person.enabled,
        "is_administrator": person.is_administrator,
        "identity": person.identity,
        "groups": json.dumps(person.groups),
        "attributes": json.dumps({name: list(v) for name, v in person.attributes.items()}),
        "email": " ".join(person.values("email")).casefold()[:320],
    }


def _person_of(row: Row) -> Person:
    (
        user_id, username, enabled, is_administrator, identity,
        groups, attributes, _, password_hash, created_at,
    ) = row  # fmt: skip
    return Person(
        user_id=UserId(user_id),
        username=username,
        enabled=bool(enabled),
        is_administrator=bool(is_administrator),
        identity=ApprovalIdentity(identity) if identity is not None else None,
        groups=tuple(json.loads(groups)),
        attributes={name: tuple(values) for name, values in json.loads(attributes).items()},
        created_at=instant(created_at),
        has_password=password_hash is not None,
    )
