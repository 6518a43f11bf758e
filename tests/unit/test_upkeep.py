"""Keys and database, before there is a running product."""

from pathlib import Path

import pytest

from saml_idp.bootstrap import build
from saml_idp.domain.audit import AuditEvent
from saml_idp.settings import Settings, load_settings
from saml_idp.upkeep import check_database, list_keys, make_keys, upgrade_database
from tests.unit.cli.installation import OPERATOR, write_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(write_settings(tmp_path / "idp").settings_file, {})


def test_a_database_that_is_not_there_is_told_and_made(settings: Settings) -> None:
    assert check_database(settings)
    upgrade_database(settings)
    assert check_database(settings) == ()
    upgrade_database(settings)
    assert check_database(settings) == ()


def test_keys_are_made_once_with_or_without_a_database(settings: Settings) -> None:
    made = make_keys(settings, "p-256", OPERATOR)
    assert {key.name for key in made} >= {"assertion-active", "metadata", "seal", "cookie"}
    upgrade_database(settings)
    assert make_keys(settings, "p-256", OPERATOR) == ()


def test_new_keys_are_in_the_trail_once_there_is_one(settings: Settings) -> None:
    upgrade_database(settings)
    made = make_keys(settings, "p-256", OPERATOR)
    with build(settings).store.view() as unit:
        records = unit.audit.read(limit=100, event=AuditEvent.KEY_CREATED)
    assert len(records) == len(made)
    assert {stored.record.origin.actor for stored in records} == {OPERATOR.actor}


def test_a_list_of_keys_tells_no_key(settings: Settings) -> None:
    make_keys(settings, "p-256", OPERATOR)
    shown = repr(list_keys(settings))
    for file in settings.keys_dir.glob("*.key"):
        assert file.read_text().split("\n")[1 if "BEGIN" in file.read_text() else 0] not in shown
