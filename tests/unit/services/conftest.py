"""A house with alice, who has a phone, and a browser that nobody has used."""

import pytest

from tests.fakes import FakeStore
from tests.unit.services.house import House, Jar, Phone


@pytest.fixture
def house() -> House:
    made = House(FakeStore())
    made.add_person("alice")
    return made


@pytest.fixture
def phone(house: House) -> Phone:
    return house.add_phone("alice")


@pytest.fixture
def jar(house: House) -> Jar:
    return house.a_jar()
