"""``saml-idp database``."""

import sqlite3

import pytest

from tests.unit.cli.installation import Installation


@pytest.mark.parametrize("name", ["database", "db"])
def test_upgrade_makes_the_database(bare: Installation, name: str) -> None:
    assert "up to date" in bare.done(name, "upgrade")
    assert "in order" in bare.done(name, "check")


def test_upgrade_needs_no_keys_and_can_be_repeated(bare: Installation) -> None:
    bare.done("db", "upgrade")

    assert "up to date" in bare.done("db", "upgrade")


def test_check_says_that_there_is_none_and_what_to_run(bare: Installation) -> None:
    said = bare.refused("db", "check")

    assert "does not exist" in said
    assert "saml-idp database upgrade" in said


def test_check_finds_a_table_that_is_not_ours_any_more(installation: Installation) -> None:
    (file,) = (installation.folder / "var").glob("*.sqlite3")
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE not_me")
    connection.close()

    assert "not_me" in installation.refused("db", "check")


def test_check_as_json_tells_faults_and_exit_code(bare: Installation) -> None:
    result = bare.run("db", "check", "--json")

    assert result.exit_code == 2
    assert '"ok": false' in result.stdout


def test_check_as_json_of_a_good_one(installation: Installation) -> None:
    assert installation.json("db", "check") == {"ok": True, "faults": []}
