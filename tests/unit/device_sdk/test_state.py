"""The folder of enrolled IDs."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from saml_idp.device_sdk.client import EnrolledId
from saml_idp.device_sdk.errors import KeyUnreadable, StateUnreadable
from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.state import StateFolder


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "deep" / "state")


def an_id(identity: str = "alice") -> EnrolledId:
    return EnrolledId(
        base_url="https://idp.test",
        entity_id="https://idp.test/saml/metadata",
        idp_name="Büro",
        identity=identity,
        device_id=f"device-of-{identity}",
        device_name="build server",
        key=DeviceKey.generate(),
    )


def kept(folder: StateFolder, own: EnrolledId) -> None:
    folder.add(own, folder.keep_key(own.key))


def test_a_new_folder_has_no_ids(folder: StateFolder) -> None:
    assert folder.load() == ()
    assert not folder.path.exists()


def test_several_ids_come_back_as_they_were(folder: StateFolder) -> None:
    owns = [an_id("alice"), an_id("bob")]
    for own in owns:
        kept(folder, own)
    loaded = folder.load()
    assert [replace(own, key=owns[0].key) for own in loaded] == [
        replace(own, key=owns[0].key) for own in owns
    ]
    assert [own.key.public_jwk() for own in loaded] == [own.key.public_jwk() for own in owns]


def test_nobody_else_may_read_it(folder: StateFolder) -> None:
    kept(folder, an_id())
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.path.iterdir()} == {0o600}
    assert len(list(folder.path.iterdir())) == 2  # nothing half-written stays


def test_a_removed_id_takes_its_key_along(folder: StateFolder) -> None:
    alice, bob = an_id("alice"), an_id("bob")
    kept(folder, alice)
    kept(folder, bob)
    folder.remove(alice)
    assert [own.identity for own in folder.load()] == ["bob"]
    assert len(list(folder.path.glob("*.pem"))) == 1


def test_a_key_whose_enrolment_was_refused_goes(folder: StateFolder) -> None:
    folder.forget_key(folder.keep_key(DeviceKey.generate()))
    assert list(folder.path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"version":2,"ids":[]}', '{"version":1}', '{"version":1,"ids":[1]}',
     '{"version":1,"ids":[{}]}', '{"version":1,"ids":{}}'],
)  # fmt: skip
def test_a_damaged_list_is_told_and_not_replaced(folder: StateFolder, text: str) -> None:
    kept(folder, an_id())
    file = folder.path / "ids.json"
    file.write_text(text)
    with pytest.raises(StateUnreadable):
        folder.load()
    with pytest.raises(StateUnreadable):
        kept(folder, an_id("bob"))
    assert file.read_text() == text


def test_a_missing_key_is_told(folder: StateFolder) -> None:
    kept(folder, an_id())
    for key in folder.path.glob("*.pem"):
        key.unlink()
    with pytest.raises(KeyUnreadable):
        folder.load()


def test_an_entry_cannot_point_outside_the_folder(folder: StateFolder, tmp_path: Path) -> None:
    kept(folder, an_id())
    outside = tmp_path / "outside.pem"
    DeviceKey.generate().save(outside)
    file = folder.path / "ids.json"
    value = json.loads(file.read_text())
    value["ids"][0]["key"] = "../../outside.pem"
    file.write_text(json.dumps(value))
    with pytest.raises(KeyUnreadable):
        folder.load()
    folder.remove(an_id())
    assert outside.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnreadable):
        StateFolder(tmp_path / "file" / "state").keep_key(DeviceKey.generate())
