"""``saml-idp serve`` does not start where it could not sign or record."""

import multiprocessing

import pytest

from saml_idp.cli import server
from saml_idp.settings import load_settings
from tests.unit.cli.installation import Installation


def test_without_keys_and_database_it_says_what_to_run(bare: Installation) -> None:
    said = bare.refused("serve")

    assert "saml-idp keys new" in said
    assert "saml-idp database upgrade" in said


@pytest.mark.parametrize("name", ["assertion-active.key", "seal.key", "cookie.key"])
def test_a_key_that_others_can_read_stops_the_start(installation: Installation, name: str) -> None:
    (installation.folder / "keys" / name).chmod(0o644)

    said = installation.refused("serve")

    assert name in said
    assert "chmod 600" in said


def test_an_open_key_directory_stops_the_start(installation: Installation) -> None:
    (installation.folder / "keys").chmod(0o755)

    assert "chmod 700" in installation.refused("serve")


def test_a_refused_start_changes_nothing_of_this_process(bare: Installation) -> None:
    before = multiprocessing.get_start_method()

    bare.refused("serve")

    assert multiprocessing.get_start_method() == before


def test_the_server_keeps_no_access_log_and_stops_within_30_seconds(
    installation: Installation,
) -> None:
    """Query strings hold messages; the service manager waits 30 s."""
    made = server.make_server(load_settings(installation.settings_file, {}))

    assert made.log_access is False
    assert 0 < made.workers_kill_timeout < 30
    assert (made.bind_addr, made.bind_port) == ("127.0.0.1", 8443)
