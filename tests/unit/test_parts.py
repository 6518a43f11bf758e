"""Single parts, to look at: no database is needed, nothing is changed, nothing recorded."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from saml_idp.domain.errors import ConfigurationError
from saml_idp.domain.ids import EntityId
from saml_idp.parts import read_policies, read_providers, signing_certificate
from saml_idp.saml.sp_metadata import write_minimal_metadata
from saml_idp.settings import Settings, load_settings
from saml_idp.upkeep import make_keys
from tests.unit.cli.installation import OPERATOR, write_settings

JIRA = EntityId("https://jira.example.com")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings alone: no keys, no database."""
    return load_settings(write_settings(tmp_path / "idp").settings_file, {})


def files_of(settings: Settings) -> set[Path]:
    return set(settings.keys_dir.parent.rglob("*"))


def test_policies_are_read_as_they_stand(settings: Settings) -> None:
    (settings.policies_dir / "jira.toml").write_text(
        f'entity_id = "{JIRA}"\n[login]\naccess_symbols = 6\n'
    )
    (settings.policies_dir / "wrong.toml").write_text("[login")
    before = files_of(settings)
    policies = read_policies(settings)
    assert policies.policy_for(JIRA).access_symbols == 6
    assert [fault.file for fault in policies.faults()] == ["policies/wrong.toml"]
    assert files_of(settings) == before


def test_services_are_read_as_they_stand(settings: Settings) -> None:
    metadata = write_minimal_metadata(JIRA, f"{JIRA}/acs")
    (settings.metadata_dir / "jira.xml").write_bytes(metadata)
    before = files_of(settings)
    assert [provider.entity_id for provider in read_providers(settings)] == [JIRA]
    assert files_of(settings) == before


def test_the_certificate_is_that_of_the_active_key(settings: Settings) -> None:
    make_keys(settings, "p-256", OPERATOR)
    pem = (settings.keys_dir / "assertion-active.crt").read_bytes()
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    assert signing_certificate(settings) == der


def test_without_a_key_it_is_told(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="assertion-active"):
        signing_certificate(settings)
