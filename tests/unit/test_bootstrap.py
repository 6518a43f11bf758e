"""The house put together: one clock, the right keys in the right hands, and no secret told."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from saml_idp.bootstrap import Idp, build
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.errors import ConfigurationError, StoreUnavailable
from saml_idp.saml import names
from saml_idp.settings import Settings, load_settings
from tests.fakes import FakeClock
from tests.unit.cli.installation import Installation, copied, make_installation


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return make_installation(tmp_path_factory.mktemp("made") / "idp")


@pytest.fixture
def settings(made_once: Installation, tmp_path: Path) -> Settings:
    return load_settings(copied(made_once, tmp_path / "idp").settings_file, {})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def idp(settings: Settings, clock: FakeClock) -> Idp:
    return build(settings, clock=clock)


def events(idp: Idp) -> list[AuditEvent]:
    with idp.store.view() as unit:
        return [stored.record.event for stored in unit.audit.read(limit=100)]


def certificates(octets: bytes) -> list[str]:
    """Return the certificates that the metadata announces, and last the one that signed it."""
    root = etree.fromstring(octets)
    found = [e.text or "" for e in root.iter(names.ds("X509Certificate"))]
    return ["".join(text.split()) for text in found[1:] + found[:1]]


def base64_of(settings: Settings, name: str) -> str:
    """Return the body of a certificate's PEM in one line."""
    return "".join((settings.keys_dir / f"{name}.crt").read_text().split("\n")[1:-2])


@pytest.mark.parametrize("name", ["assertion-active.key", "metadata.key", "cookie.key", "seal.key"])
@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: path.chmod(0o640)], ids=["missing", "open"]
)
def test_without_a_sound_key_there_is_no_product(
    settings: Settings, name: str, spoil: Callable[[Path], None]
) -> None:
    spoil(settings.keys_dir / name)
    with pytest.raises(ConfigurationError) as refused:
        build(settings)
    assert name in str(refused.value)


def test_no_secret_shows(idp: Idp, settings: Settings) -> None:
    shown = repr(idp)
    for name in ("cookie.key", "seal.key"):
        secret = (settings.keys_dir / name).read_text().split()[-1]
        assert secret not in shown
    assert repr(idp.cookie_key) not in shown
    assert "PRIVATE" not in shown


def test_k03_our_metadata_announces_one_key_and_is_signed_by_another(
    idp: Idp, settings: Settings
) -> None:
    announced = certificates(idp.metadata())
    assert announced == [base64_of(settings, "assertion-active"), base64_of(settings, "metadata")]


def test_k04_a_next_key_is_announced_beside_the_active_one(
    settings: Settings, clock: FakeClock
) -> None:
    for kind in ("key", "crt"):
        source = settings.keys_dir / f"metadata.{kind}"
        target = settings.keys_dir / f"assertion-next.{kind}"
        target.touch(mode=0o600)
        target.write_bytes(source.read_bytes())
    announced = certificates(build(settings, clock=clock).metadata())
    assert announced[:2] == [
        base64_of(settings, "assertion-active"),
        base64_of(settings, "metadata"),
    ]


def test_our_metadata_is_signed_once_an_hour(idp: Idp, clock: FakeClock) -> None:
    first = idp.metadata()
    assert idp.metadata() is first
    clock.advance(hours=1)
    second = idp.metadata()
    assert second != first
    ends = [etree.fromstring(octets).get("validUntil") for octets in (first, second)]
    assert ends[0] < ends[1]


def test_a_file_that_changes_is_in_the_trail(idp: Idp, settings: Settings) -> None:
    (settings.policies_dir / "a.toml").write_text('entity_id = "https://sp.example.org"\n')
    idp.policies.refresh()
    (settings.policies_dir / "a.toml").write_text("[login")
    idp.policies.refresh()
    (settings.metadata_dir / "a.xml").write_text("<a")
    idp.providers.refresh()
    assert events(idp) == [
        AuditEvent.METADATA_FAULT, AuditEvent.POLICY_FAULT, AuditEvent.POLICY_CHANGED,
    ]  # fmt: skip


def test_a_node_is_ready_when_it_reaches_its_database(idp: Idp, tmp_path: Path) -> None:
    assert idp.is_not_ready() == ()
    idp.store.close()
    for file in (tmp_path / "idp" / "var").glob("*.sqlite3*"):
        file.unlink()
    (problem,) = idp.is_not_ready()
    assert problem.startswith("database: ")


class Stop(Exception):
    """Ends what runs for ever."""


def test_housekeeping_goes_on_after_a_database_that_was_down(
    idp: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[Any] = [StoreUnavailable("down"), 500, 3, Stop()]
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)

    def one_round() -> int:
        outcome = rounds.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return int(outcome)

    changes: dict[str, Any] = {"keep_house": one_round}
    with pytest.raises(Stop):
        replace(idp, **changes).run_housekeeping()
    # A full round is followed by another at once, a quiet one by the next in 20 seconds.
    assert slept == [20, 20, 1, 20]


def test_what_is_announced_is_good_for_a_week(idp: Idp, clock: FakeClock) -> None:
    until = etree.fromstring(idp.metadata()).get("validUntil")
    assert until == (clock.now().replace(minute=0, second=0) + timedelta(days=7)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
