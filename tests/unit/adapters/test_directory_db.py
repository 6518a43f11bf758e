"""Users in our database, as the directory."""

from dataclasses import replace

import pytest

from saml_idp.adapters.directory_db import DatabaseDirectory
from saml_idp.crypto.passwords import PasswordHasher
from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import ApprovalIdentity, UserId
from saml_idp.domain.person import Person
from tests.build import ALICE, a_person
from tests.fakes import FakeStore

HASHER = PasswordHasher()
STRONGER = PasswordHasher(time_cost=3)
RIGHT = "tr0ub4dor & 3"
HASHED = HASHER.hash(RIGHT)


def _directory(*people: Person, hasher: PasswordHasher = HASHER) -> DatabaseDirectory:
    store = FakeStore()
    with store.unit() as unit:
        for person in people:
            unit.people.add(person, HASHED if person.has_password else None)
    return DatabaseDirectory(store, hasher)


@pytest.mark.parametrize(
    "name", ["alice", "ALICE", " Alice ", "ali\u200bce", "\uff41\uff4c\uff49\uff43\uff45"]
)
def test_a_user_is_found_by_any_spelling_of_the_name(name: str) -> None:
    directory = _directory(a_person())
    assert directory.find(name) == a_person()
    assert directory.verify_password(name, RIGHT) == a_person()


def test_a_user_is_found_by_their_id() -> None:
    name = "A.Example-7"
    person = a_person(identity=ApprovalIdentity("a.example-7"))
    directory = _directory(person)
    assert directory.find(name) == person
    assert directory.verify_password(name, RIGHT) == person


@pytest.mark.parametrize("name", ["", "bob", "alic", "alice2", "%", "\x00", "\ud800"])
def test_an_unknown_name_finds_nobody(name: str) -> None:
    directory = _directory(a_person())
    assert directory.find(name) is None
    assert directory.verify_password(name, RIGHT) is None


@pytest.mark.parametrize("password", ["", "wrong", RIGHT.upper(), RIGHT + " "])
def test_a_wrong_password_is_nobodys(password: str) -> None:
    assert _directory(a_person()).verify_password("alice", password) is None


def test_a_disabled_user_has_no_right_password() -> None:
    assert _directory(a_person(enabled=False)).verify_password("alice", RIGHT) is None


def test_a_user_without_a_password_has_no_right_one() -> None:
    directory = _directory(a_person(has_password=False))
    for password in ("", RIGHT, "None"):
        assert directory.verify_password("alice", password) is None


def test_a_user_is_got_by_id() -> None:
    directory = _directory(a_person())
    assert directory.get(ALICE) == a_person()
    with pytest.raises(NotFound):
        directory.get(UserId("u-bob"))


def test_a_password_is_hashed_anew_when_the_costs_were_raised() -> None:
    directory = _directory(a_person(), hasher=STRONGER)
    assert directory.verify_password("alice", RIGHT) == a_person()
    with directory._store.view() as unit:
        found = unit.people.find_by_name("alice")
    assert found is not None
    assert found.password_hash is not None
    assert not STRONGER.needs_rehash(found.password_hash)
    assert STRONGER.verify(found.password_hash, RIGHT)


def test_a_wrong_password_is_not_hashed_anew() -> None:
    directory = _directory(a_person(), hasher=STRONGER)
    directory.verify_password("alice", "wrong")
    with directory._store.view() as unit:
        found = unit.people.find_by_name("alice")
    assert found is not None
    assert found.password_hash == HASHED


class ChangedMeanwhile(PasswordHasher):
    """Another process sets a new password while this one hashes the old one anew."""

    def __init__(self, store: FakeStore) -> None:
        super().__init__(time_cost=3)
        self._store = store

    def hash(self, password: str) -> str:
        with self._store.unit() as unit:
            unit.people.set_password_hash(ALICE, "a new one")
        return super().hash(password)


def test_a_rehash_never_brings_an_old_password_back() -> None:
    store = FakeStore()
    with store.unit() as unit:
        unit.people.add(a_person(), HASHED)
    directory = DatabaseDirectory(store, ChangedMeanwhile(store))
    assert directory.verify_password("alice", RIGHT) == a_person()
    with store.view() as unit:
        found = unit.people.find_by_name("alice")
    assert found == replace(found, password_hash="a new one") if found else False
