"""Keys of an installation: made once, for their owner alone, never overwritten."""

import stat
from pathlib import Path

import pytest

from saml_idp.crypto.keys import load_named_key, load_secret
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.errors import ConfigurationError, Conflict
from saml_idp.services.make_keys import MakeKeys, list_keys
from tests.build import NOW
from tests.fakes import FakeClock, FakeStore
from tests.unit.services.office import OPERATOR

NAMES = ["assertion-active", "metadata", "seal", "cookie"]


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def make_keys(tmp_path: Path, store: FakeStore) -> MakeKeys:
    return MakeKeys(tmp_path / "a" / "keys", "idp.example.org", FakeClock(NOW), store)


def test_every_key_is_made_and_can_be_used(make_keys: MakeKeys) -> None:
    made = make_keys("p-256", origin=OPERATOR)

    assert [key.name for key in made] == NAMES
    assert load_named_key(make_keys.directory, "assertion-active").algorithm == "p-256"
    assert len(load_secret(make_keys.directory / "seal.key")) == 32


def test_the_default_is_an_rsa_key_of_3072_bits(make_keys: MakeKeys) -> None:
    made = make_keys("rsa-3072", origin=OPERATOR)

    assert made[0].algorithm == "rsa-3072"
    assert not made[0].is_weak


def test_each_purpose_has_a_key_of_its_own(make_keys: MakeKeys) -> None:
    """K03: a signature over metadata is never by the assertion key."""
    made = make_keys("p-256", origin=OPERATOR)

    directory = make_keys.directory
    assert made[0].key_id != made[1].key_id
    assert load_secret(directory / "seal.key") != load_secret(directory / "cookie.key")


def test_files_and_directory_are_for_their_owner_alone(make_keys: MakeKeys) -> None:
    make_keys("p-256", origin=OPERATOR)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in make_keys.directory.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(make_keys.directory.stat().st_mode) == 0o700


def test_a_second_run_makes_nothing_and_changes_nothing(make_keys: MakeKeys) -> None:
    make_keys("p-256", origin=OPERATOR)
    before = {path.name: path.read_bytes() for path in make_keys.directory.iterdir()}

    assert make_keys("p-384", origin=OPERATOR) == ()

    assert {path.name: path.read_bytes() for path in make_keys.directory.iterdir()} == before


def test_only_what_is_missing_is_made(make_keys: MakeKeys) -> None:
    make_keys("p-256", origin=OPERATOR)
    (make_keys.directory / "cookie.key").unlink()

    assert [key.name for key in make_keys("p-256", origin=OPERATOR)] == ["cookie"]


@pytest.mark.parametrize("half", ["assertion-active.key", "metadata.crt"])
def test_half_of_a_pair_is_refused_and_left_alone(make_keys: MakeKeys, half: str) -> None:
    make_keys("p-256", origin=OPERATOR)
    (make_keys.directory / half).unlink()

    with pytest.raises(ConfigurationError) as caught:
        make_keys("p-256", origin=OPERATOR)

    assert "half of a key pair" in str(caught.value)
    assert not (make_keys.directory / half).exists()


def test_a_directory_that_others_can_open_is_refused(make_keys: MakeKeys) -> None:
    make_keys.directory.mkdir(parents=True)
    make_keys.directory.chmod(0o755)

    with pytest.raises(ConfigurationError) as caught:
        make_keys("p-256", origin=OPERATOR)

    assert "chmod 700" in caught.value.faults[0].mend
    assert list(make_keys.directory.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    make_keys = MakeKeys(tmp_path / "file" / "keys", "idp", FakeClock(NOW), None)

    with pytest.raises(ConfigurationError) as caught:
        make_keys("p-256", origin=OPERATOR)

    assert "cannot be made" in caught.value.faults[0].problem


def test_a_directory_of_another_user_is_refused(
    make_keys: MakeKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_keys.directory.mkdir(parents=True, mode=0o700)
    monkeypatch.setattr("os.geteuid", lambda: 54321)

    with pytest.raises(ConfigurationError) as caught:
        make_keys("p-256", origin=OPERATOR)

    assert "another user" in caught.value.faults[0].problem


def test_an_unknown_algorithm_makes_nothing(make_keys: MakeKeys) -> None:
    with pytest.raises(Conflict):
        make_keys("rsa-1024", origin=OPERATOR)

    assert not make_keys.directory.exists()


def test_each_new_key_is_recorded_without_its_value(make_keys: MakeKeys, store: FakeStore) -> None:
    make_keys("p-256", origin=OPERATOR)

    records = [stored.record for stored in store.rows.audit]
    assert [record.subject for record in records] == NAMES
    assert {record.event for record in records} == {AuditEvent.KEY_CREATED}
    assert {record.origin for record in records} == {OPERATOR}
    assert (make_keys.directory / "seal.key").read_text().strip() not in repr(records)


def test_keys_are_made_before_there_is_a_database(tmp_path: Path) -> None:
    make_keys = MakeKeys(tmp_path / "keys", "idp", FakeClock(NOW), None)

    assert len(make_keys("p-256", origin=OPERATOR)) == 4


def test_a_long_name_of_the_organisation_still_makes_a_certificate(tmp_path: Path) -> None:
    make_keys = MakeKeys(tmp_path / "keys", "n" * 100, FakeClock(NOW), None)

    assert len(make_keys("p-256", origin=OPERATOR)) == 4


def test_the_list_tells_states_and_fingerprints(make_keys: MakeKeys) -> None:
    made = make_keys("p-256", origin=OPERATOR)
    directory = make_keys.directory
    for ending in ("key", "crt"):
        (directory / f"assertion-active.{ending}").rename(directory / f"assertion-next.{ending}")
    make_keys("p-384", origin=OPERATOR)
    (directory / "retired").mkdir()
    (directory / "retired" / "assertion-2020.crt").write_text("never read")

    listed = {key.name: key for key in list_keys(directory)}

    assert list(listed) == [
        "assertion-active",
        "assertion-next",
        "metadata",
        "seal",
        "cookie",
        "assertion-2020",
    ]
    assert (listed["assertion-next"].state, listed["assertion-active"].state) == ("next", "active")
    assert listed["assertion-next"].fingerprint == made[0].fingerprint
    assert len(made[0].fingerprint.split(":")) == 32
    assert listed["seal"].fingerprint == ""
    assert listed["assertion-2020"].state == "retired"


def test_a_key_that_others_can_read_is_not_listed_but_told(make_keys: MakeKeys) -> None:
    make_keys("p-256", origin=OPERATOR)
    (make_keys.directory / "metadata.key").chmod(0o640)

    with pytest.raises(ConfigurationError) as caught:
        list_keys(make_keys.directory)

    assert "chmod 600" in caught.value.faults[0].mend
