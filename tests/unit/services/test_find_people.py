"""Finding users, with their devices."""

import pytest

from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import ApprovalIdentity
from tests.build import a_device, a_person
from tests.unit.services.office import ALICE, OPERATOR, Office


@pytest.fixture
def office() -> Office:
    made = Office()
    with made.store.unit() as unit:
        unit.people.add(a_person("bob", identity=ApprovalIdentity("builder")), None)
    return made


@pytest.mark.parametrize("name", ["bob", "BOB", "builder", "Builder", "b\u200bob"])
def test_a_user_is_found_by_name_or_id_in_any_spelling(office: Office, name: str) -> None:
    assert office.find_people.named(name).person.username == "bob"


@pytest.mark.parametrize("name", ["", "nobody", "bob2", "a\x00b", "\ud800"])
def test_who_is_not_there_is_not_found(office: Office, name: str) -> None:
    with pytest.raises(NotFound) as caught:
        office.find_people.named(name)

    assert caught.value.reason == "no_such_user"


def test_devices_come_along_retired_ones_too(office: Office) -> None:
    office.retire_device(a_device().device_id, origin=OPERATOR)
    with office.store.unit() as unit:
        unit.devices.add(a_device("alice", 2))

    found = office.find_people.get(ALICE)

    assert [device.is_live for device in found.devices] == [False, True]
    assert found.live_devices == 1


def test_ready_is_enabled_with_an_id_and_a_live_device(office: Office) -> None:
    assert office.find_people.named("alice").is_ready
    assert not office.find_people.named("bob").is_ready

    office.people.disable(ALICE, origin=OPERATOR)

    assert not office.find_people.named("alice").is_ready


def test_a_search_without_a_text_finds_all_by_name(office: Office) -> None:
    found = office.find_people.search(limit=10)

    assert [one.person.username for one in found] == ["alice", "bob", "root"]


def test_a_search_goes_on_where_the_last_one_ended(office: Office) -> None:
    assert [o.person.username for o in office.find_people.search(limit=1, offset=1)] == ["bob"]
    assert [o.person.username for o in office.find_people.search("BUILD", limit=9)] == ["bob"]
