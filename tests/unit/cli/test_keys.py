"""``saml-idp keys``."""

import stat

from tests.unit.cli.installation import Installation


def test_new_makes_all_keys_before_there_is_a_database(bare: Installation) -> None:
    said = bare.done("keys", "new", "--algorithm", "p-256")

    for name in ("assertion-active", "metadata", "seal", "cookie"):
        assert name in said
    assert stat.S_IMODE((bare.folder / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((bare.folder / "keys" / "seal.key").stat().st_mode) == 0o600


def test_new_prints_no_key(bare: Installation) -> None:
    said = bare.done("keys", "new", "--algorithm", "p-256")

    for file in (bare.folder / "keys").glob("*.key"):
        assert file.read_text().splitlines()[-1] not in said
        assert file.read_text().split("\n")[0] not in said


def test_a_second_new_says_that_all_is_there(installation: Installation) -> None:
    before = (installation.folder / "keys" / "assertion-active.key").read_bytes()

    assert "there already" in installation.done("keys", "new")
    assert (installation.folder / "keys" / "assertion-active.key").read_bytes() == before


def test_new_keys_are_recorded_once_there_is_a_database(installation: Installation) -> None:
    (installation.folder / "keys" / "cookie.key").unlink()

    made = installation.json("keys", "new")

    assert [key["name"] for key in made] == ["cookie"]
    assert "cookie" in installation.done("audit", "show", "--event", "key_created")


def test_list_tells_algorithm_end_and_fingerprint(installation: Installation) -> None:
    listed = {key["name"]: key for key in installation.json("keys", "list")}

    assert listed["assertion-active"]["algorithm"] == "p-256"
    assert listed["assertion-active"]["sha256"].count(":") == 31
    assert listed["seal"]["sha256"] is None
    assert listed["assertion-active"]["sha256"] in installation.done("keys", "list")


def test_list_without_keys_says_what_to_run(bare: Installation) -> None:
    assert "saml-idp keys new" in bare.done("keys", "list")


def test_a_key_that_others_can_read_stops_the_list(installation: Installation) -> None:
    (installation.folder / "keys" / "metadata.key").chmod(0o644)

    said = installation.refused("keys", "list")

    assert "metadata.key" in said
    assert "chmod 600" in said


def test_an_unknown_algorithm_is_a_usage_error(bare: Installation) -> None:
    assert "rsa-3072" in bare.refused("keys", "new", "--algorithm", "rsa-512")
