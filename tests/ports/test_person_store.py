"""The port ``PersonStore``."""

from dataclasses import replace
from typing import Any

import pytest

from saml_idp.domain.errors import Conflict, NotFound, TransitionNotAllowed
from saml_idp.domain.ids import ApprovalIdentity, UserId
from saml_idp.domain.person import Credential, Person
from saml_idp.ports.store import Store
from tests.build import ALICE, NOW, a_device, a_person


def _add(store: Store, *people: Person, password_hash: str | None = "a hash") -> None:
    with store.unit() as unit:
        for person in people:
            unit.people.add(person, password_hash)


def test_a_user_comes_back_as_they_were(store: Store) -> None:
    person = a_person(groups=("Zoë's", "b"), attributes={"email": ("a@b", "c@d"), "name": ("ü",)})
    _add(store, person)
    with store.view() as unit:
        assert unit.people.get(ALICE) == person
        assert unit.people.find_by_name("alice") == Credential(person, "a hash")
        assert unit.people.find_by_identity(ApprovalIdentity("alice")) == person


def test_a_user_without_a_password_has_none(store: Store) -> None:
    _add(store, a_person(has_password=False), password_hash=None)
    with store.view() as unit:
        assert unit.people.find_by_name("alice") == Credential(a_person(has_password=False), None)


def test_whether_there_is_a_password_follows_from_the_hash(store: Store) -> None:
    _add(store, a_person(has_password=True), password_hash=None)
    with store.view() as unit:
        assert not unit.people.get(ALICE).has_password


@pytest.mark.parametrize(
    "name", ["", "nobody", "ALICE", "\x00", "al\x00ice", "\ud800", "%", "a_ice"]
)
def test_an_unknown_name_finds_nobody(store: Store, name: str) -> None:
    _add(store, a_person())
    with store.view() as unit:
        assert unit.people.find_by_name(name) is None
        assert unit.people.find_by_identity(ApprovalIdentity(name)) is None
        with pytest.raises(NotFound):
            unit.people.get(UserId(name))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"username": "alice"}, id="name"),
        pytest.param({"identity": ApprovalIdentity("alice")}, id="ID"),
        pytest.param({"user_id": ALICE}, id="user id"),
    ],
)
def test_what_is_taken_cannot_be_had_by_another(store: Store, changes: dict[str, Any]) -> None:
    _add(store, a_person())
    with pytest.raises(Conflict):
        _add(store, a_person("bob", **changes))


def test_users_without_an_id_are_no_conflict(store: Store) -> None:
    _add(store, a_person(identity=None), a_person("bob", identity=None))


def test_users_are_found_by_part_of_name_id_or_email_in_order(store: Store) -> None:
    _add(
        store,
        a_person("carol", identity=ApprovalIdentity("xyz-1"), attributes={}),
        a_person("bob", identity=None, attributes={"email": ("Robert.XYZ@example.org",)}),
        a_person("axyz", identity=None, attributes={}),
        a_person("other", identity=None, attributes={}),
    )
    with store.view() as unit:
        found = unit.people.search("xYz", limit=10)
        assert [p.username for p in found] == ["axyz", "bob", "carol"]
        page = unit.people.search("xyz", limit=1, offset=1)
        assert [p.username for p in page] == ["bob"]
        assert len(unit.people.search("", limit=10)) == 4


@pytest.mark.parametrize("text", ["%", "_", "\\", "a%e", "al_ce", "\x00", "\ud800"])
def test_a_search_takes_every_character_as_it_is(store: Store, text: str) -> None:
    _add(store, a_person(), a_person("mal%lo_ry\\"))
    with store.view() as unit:
        found = {p.username for p in unit.people.search(text, limit=10)}
    assert found <= {"mal%lo_ry\\"}


def test_a_changed_user_is_stored(store: Store) -> None:
    old = a_person()
    new = replace(old, enabled=False, is_administrator=True, identity=None, groups=())
    _add(store, old)
    with store.unit() as unit:
        unit.people.replace(old, new)
    with store.view() as unit:
        assert unit.people.find_by_name("alice") == Credential(new, "a hash")


@pytest.mark.parametrize(
    "meanwhile",
    [{"enabled": False}, {"groups": ()}, {"attributes": {}}, {"identity": None}],
    ids=str,
)
def test_a_user_who_was_changed_meanwhile_is_not_changed_again(
    store: Store, meanwhile: dict[str, Any]
) -> None:
    old = a_person()
    _add(store, old)
    with store.unit() as unit:
        unit.people.replace(old, replace(old, **meanwhile))
    with pytest.raises(TransitionNotAllowed), store.unit() as unit:
        unit.people.replace(old, replace(old, is_administrator=True))


def test_a_user_cannot_take_the_name_or_id_of_another(store: Store) -> None:
    alice, bob = a_person(), a_person("bob")
    _add(store, alice, bob)
    for taken in ({"username": "alice"}, {"identity": ApprovalIdentity("alice")}):
        changed = replace(bob, **taken)
        with pytest.raises(Conflict), store.unit() as unit:
            unit.people.replace(bob, changed)


def test_an_unknown_user_cannot_be_changed(store: Store) -> None:
    with store.unit() as unit:
        with pytest.raises(NotFound):
            unit.people.replace(a_person(), a_person())
        with pytest.raises(NotFound):
            unit.people.set_password_hash(ALICE, "hash")


def test_a_new_password_hash_is_stored(store: Store) -> None:
    _add(store, a_person(), password_hash=None)
    with store.unit() as unit:
        unit.people.set_password_hash(ALICE, "new")
        assert unit.people.find_by_name("alice") == Credential(a_person(), "new")


def test_a_rehash_never_undoes_a_new_password(store: Store) -> None:
    _add(store, a_person(), password_hash="new")
    with store.unit() as unit:
        with pytest.raises(TransitionNotAllowed):
            unit.people.set_password_hash(ALICE, "rehash of old", instead_of="old")
        unit.people.set_password_hash(ALICE, "rehash of new", instead_of="new")
    with store.view() as unit:
        assert unit.people.find_by_name("alice") == Credential(a_person(), "rehash of new")


def test_ready_administrators_are_counted(store: Store) -> None:
    admins = [a_person(name, is_administrator=True) for name in ("alice", "bob")]
    _add(
        store,
        *admins,
        a_person("user"),
        a_person("disabled", is_administrator=True, enabled=False),
        a_person("without-id", is_administrator=True, identity=None),
        a_person("without-device", is_administrator=True),
        a_person("retired", is_administrator=True),
        a_person("new-id", is_administrator=True),
    )
    with store.unit() as unit:
        unit.people.lock_administrators()
        for name in ("alice", "bob", "user", "disabled", "without-id"):
            unit.devices.add(a_device(name))
        unit.devices.add(a_device("retired", retired_at=NOW))
        unit.devices.add(a_device("new-id", identity=ApprovalIdentity("old-id")))
        unit.devices.add(a_device("bob", 2))
        people = unit.people
        assert people.count_ready_administrators() == 2
        assert people.count_ready_administrators(without=ALICE) == 1
        assert people.count_ready_administrators(without=UserId("u-user")) == 2
        without = people.count_ready_administrators_without_device
        assert without(a_device("alice").device_id) == 1
        assert without(a_device("bob").device_id) == 2
