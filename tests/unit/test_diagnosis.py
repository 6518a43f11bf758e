"""What ``doctor`` and the start of a server find, each on a real installation that is broken."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from saml_idp.crypto.keys import new_signing_key
from saml_idp.diagnosis import Finding, Standing, diagnose, obstacles
from saml_idp.settings import Settings, load_settings
from tests.build import a_device, a_person
from tests.unit.cli.installation import Installation, copied, make_installation


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return make_installation(tmp_path_factory.mktemp("made") / "idp")


@pytest.fixture
def installation(made_once: Installation, tmp_path: Path) -> Installation:
    return copied(made_once, tmp_path / "idp")


@pytest.fixture
def settings(installation: Installation) -> Settings:
    return load_settings(installation.settings_file, {})


def of(check: str, settings: Settings) -> list[Finding]:
    return [finding for finding in diagnose(settings) if finding.check == check]


def worst(check: str, settings: Settings) -> Finding:
    """Return the finding of *check* that weighs most."""
    order = [Standing.FAILED, Standing.WARNING, Standing.OK]
    return min(of(check, settings), key=lambda finding: order.index(finding.standing))


def test_a_sound_installation_has_nothing_that_failed(settings: Settings) -> None:
    findings = diagnose(settings)

    assert [f for f in findings if f.standing is Standing.FAILED] == []
    assert obstacles(settings) == ()


def test_whatever_is_not_in_order_has_a_mend(settings: Settings) -> None:
    shutil.rmtree(settings.keys_dir)
    (settings.policies_dir / "x.toml").write_text("shoe = 43\n")
    (settings.metadata_dir / "x.xml").write_text("<x/>")

    for finding in diagnose(settings):
        assert (finding.mend == "") is (finding.standing is Standing.OK), finding


def test_development_is_a_warning(settings: Settings) -> None:
    assert worst("settings", replace(settings, development=True)).standing is Standing.WARNING


def test_settings_that_others_can_write_are_a_failure(
    settings: Settings, installation: Installation
) -> None:
    installation.settings_file.chmod(0o666)

    assert "chmod go-w" in worst("settings", settings).mend


def test_settings_of_the_environment_alone_are_told_so(settings: Settings) -> None:
    assert "environment" in worst("settings", replace(settings, file=None)).told


def test_versions_name_the_libraries_that_security_rests_on(settings: Settings) -> None:
    told = worst("versions", settings).told

    assert all(name in told for name in ("Python", "OpenSSL", "cryptography", "lxml", "xmlsec"))


def _open_directory(settings: Settings) -> None:
    settings.keys_dir.chmod(0o750)


def _open_key(settings: Settings) -> None:
    (settings.keys_dir / "assertion-active.key").chmod(0o640)


def _no_seal(settings: Settings) -> None:
    (settings.keys_dir / "seal.key").unlink()


def _short_secret(settings: Settings) -> None:
    (settings.keys_dir / "cookie.key").write_text("abcd")


def _no_directory(settings: Settings) -> None:
    shutil.rmtree(settings.keys_dir)


def _strangers_certificate(settings: Settings) -> None:
    shutil.copy(settings.keys_dir / "metadata.crt", settings.keys_dir / "assertion-active.crt")


def _one_key_for_two_ends(settings: Settings) -> None:
    for ending in ("key", "crt"):
        source = settings.keys_dir / f"assertion-active.{ending}"
        shutil.copy2(source, settings.keys_dir / f"metadata.{ending}")


def _no_database(settings: Settings) -> None:
    Path(settings.database_url.removeprefix("sqlite:///")).unlink()


def _no_tables(settings: Settings) -> None:
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    file.unlink()
    sqlite3.connect(file).close()


def _damaged(settings: Settings) -> None:
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    octets = bytearray(file.read_bytes())
    octets[100:4000] = b"\xff" * 3900
    file.write_bytes(octets)


OBSTACLES: dict[Callable[[Settings], None], tuple[str, str]] = {
    _open_directory: ("keys", "chmod 700"),
    _open_key: ("keys", "chmod 600"),
    _no_seal: ("keys", ""),
    _short_secret: ("keys", "make it anew"),
    _no_directory: ("keys", "saml-idp keys new"),
    _strangers_certificate: ("keys", "put the .crt beside"),
    _one_key_for_two_ends: ("keys", "saml-idp keys new"),
    _no_database: ("database", "saml-idp database upgrade"),
    _no_tables: ("database", "saml-idp database upgrade"),
    _damaged: ("database", ""),
}


@pytest.mark.parametrize("fault", OBSTACLES, ids=lambda fault: fault.__name__.strip("_"))
def test_what_no_server_may_start_with_fails_and_says_what_to_do(
    settings: Settings, fault: Callable[[Settings], None]
) -> None:
    fault(settings)
    check, mend = OBSTACLES[fault]

    found = obstacles(settings)

    assert {finding.check for finding in found} == {check}
    assert any(mend in finding.mend for finding in found)
    assert worst(check, settings).standing is Standing.FAILED


def _write_pair(settings: Settings, name: str, algorithm: str, *, days: int) -> None:
    pair = new_signing_key(algorithm, common_name="x", days=days, now=datetime.now(UTC))  # type: ignore[arg-type]
    for ending, content in (("key", pair.key), ("crt", pair.certificate)):
        file = settings.keys_dir / f"{name}.{ending}"
        file.write_bytes(content)
        file.chmod(0o600)


@pytest.mark.parametrize("name", ["assertion-active", "assertion-next", "metadata"])
def test_a_certificate_that_ends_within_a_month_is_a_warning(settings: Settings, name: str) -> None:
    _write_pair(settings, name, "p-256", days=29)

    finding = worst("keys", settings)
    assert (finding.standing, name in finding.told) == (Standing.WARNING, True)
    assert obstacles(settings) == ()


def test_one_that_ends_later_is_not(settings: Settings) -> None:
    _write_pair(settings, "assertion-active", "p-256", days=32)

    assert worst("keys", settings).standing is Standing.OK


def test_a_key_below_3072_bits_is_a_warning(settings: Settings) -> None:
    _write_pair(settings, "assertion-active", "rsa-2048", days=365)

    assert worst("keys", settings).standing is Standing.WARNING
    assert worst("signatures", settings).standing is Standing.OK


def test_a_weaker_key_is_an_obstacle(settings: Settings) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    weak = rsa.generate_private_key(65537, 1024).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (settings.keys_dir / "assertion-active.key").write_bytes(weak)

    assert "1024 bits" in obstacles(settings)[0].told


@pytest.mark.parametrize(
    ("free", "standing"),
    [(50 * 2**20, Standing.FAILED), (2**30, Standing.WARNING), (2**33, Standing.OK)],
)
def test_room_on_the_disk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, standing: Standing
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))

    assert worst("disk", settings).standing is standing


def test_a_clock_away_from_the_file_system_s_is_a_warning(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fstat

    def late(descriptor: int) -> object:
        found = real(descriptor)
        return SimpleNamespace(
            st_mtime=found.st_mtime + 60,
            st_mode=found.st_mode,
            st_uid=found.st_uid,
            st_size=found.st_size,
            st_blksize=4096,
        )

    monkeypatch.setattr("os.fstat", late)

    finding = worst("clock", settings)
    assert finding.standing is Standing.WARNING
    assert "60 s" in finding.told


def test_the_clock_says_what_is_not_checked(settings: Settings) -> None:
    assert "not checked" in worst("clock", settings).told


def test_a_broken_policy_is_a_failure_with_its_place(settings: Settings) -> None:
    (settings.policies_dir / "jira.toml").write_text('entity_id = "https://jira"\nshoe = 43\n')

    finding = worst("policies", settings)
    assert finding.standing is Standing.FAILED
    assert "jira.toml:2" in finding.told


def test_broken_metadata_is_a_failure(settings: Settings) -> None:
    (settings.metadata_dir / "jira.xml").write_text("<EntityDescriptor/>")

    assert worst("metadata", settings).standing is Standing.FAILED


def test_no_service_is_a_warning(settings: Settings) -> None:
    assert worst("metadata", settings).standing is Standing.WARNING


def test_no_ready_administrator_says_how_to_get_one(settings: Settings) -> None:
    finding = worst("administrators", settings)

    assert finding.standing is Standing.WARNING
    assert "user add NAME --administrator" in finding.mend


def test_a_ready_administrator_is_counted(settings: Settings, installation: Installation) -> None:
    with installation.idp().store.unit() as unit:
        unit.people.add(a_person("root", is_administrator=True), None)
        unit.devices.add(a_device("root"))

    assert worst("administrators", settings).standing is Standing.OK
