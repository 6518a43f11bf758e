"""``saml-idp sp``: list, show, check and add services; what to paste into them."""

import json
from pathlib import Path
from typing import Final

import pytest

from saml_idp.domain.audit import AuditEvent
from saml_idp.settings import load_settings
from saml_idp.upkeep import list_keys
from tests.unit.cli.installation import Installation

JIRA: Final = "https://jira.example.com"
ACS: Final = f"{JIRA}/plugins/servlet/samlconsumer"
EXAMPLES: Final = Path(__file__).parents[3] / "metadata" / "examples"
FEDERATION: Final = str(EXAMPLES / "federation.xml")


@pytest.fixture
def jira(installation: Installation) -> Installation:
    installation.done("sp", "add", "--entity-id", JIRA, "--acs", ACS)
    return installation


def files_of(installation: Installation) -> list[str]:
    return sorted(path.name for path in (installation.folder / "metadata").iterdir())


def test_a_service_is_added_by_entity_id_and_address(jira: Installation) -> None:
    assert files_of(jira) == ["jira.example.com.xml"]
    (provider,) = jira.idp().providers
    assert (provider.entity_id, provider.consumers[0].location) == (JIRA, ACS)


def test_who_added_it_is_recorded(jira: Installation) -> None:
    with jira.idp().store.view() as unit:
        records = [s.record for s in unit.audit.read(limit=10, event=AuditEvent.METADATA_CHANGED)]
    mine = [record for record in records if record.origin.actor.startswith("cli:")]
    assert [record.details["added"] for record in mine] == [[JIRA]]


def test_a_file_is_added_from_a_path_or_standard_input(installation: Installation) -> None:
    assert "added https://wiki.example.com" in installation.done("sp", "add", FEDERATION)
    single = (EXAMPLES / "jira.xml").read_text()
    assert installation.json("sp", "add", "-", stdin=single)[0]["entity_id"] == JIRA
    assert len(installation.json("sp", "list")) == 3


def test_a_service_is_not_added_twice(jira: Installation) -> None:
    said = jira.refused("sp", "add", "--entity-id", JIRA, "--acs", ACS)
    assert "stands in metadata/jira.example.com.xml" in said
    assert len(files_of(jira)) == 1


@pytest.mark.parametrize(
    "acs", ["http://jira.example.com/acs", "javascript:alert(1)", "/acs", "data:,x", ""]
)
def test_no_service_is_added_with_an_unsafe_address(installation: Installation, acs: str) -> None:
    installation.refused("sp", "add", "--entity-id", JIRA, "--acs", acs)
    assert files_of(installation) == []


def test_add_wants_one_way_of_two(installation: Installation) -> None:
    for arguments in ([], ["--entity-id", JIRA], ["--acs", ACS], [FEDERATION, "--acs", ACS],
                      [FEDERATION, "--entity-id", JIRA, "--acs", ACS]):  # fmt: skip
        assert "give a FILE" in installation.refused("sp", "add", *arguments)
    assert files_of(installation) == []


def test_list_shows_what_may_ask_for_a_login(jira: Installation) -> None:
    said = " ".join(jira.done("sp", "list").split())
    assert f"{JIRA} jira.example.com password, then approval" in said


def test_list_without_services_says_what_to_do(bare: Installation) -> None:
    assert "sp add --help" in bare.done("sp", "list")


def test_show_tells_addresses_keys_and_what_is_noted(jira: Installation) -> None:
    policy = f'entity_id = "{JIRA}"\n[attributes]\nmail = "email"\n'
    (jira.folder / "policies" / "jira.toml").write_text(policy)
    said = jira.done("sp", "show", JIRA)
    assert ACS in said
    assert "mail = email" in said
    assert "note: with just-in-time users" in said
    assert jira.json("sp", "show", JIRA)["consumers"][0]["location"] == ACS
    assert "no service" in jira.refused("sp", "show", "https://other")


def test_check_says_for_each_service_what_counts(installation: Installation) -> None:
    installation.done("sp", "add", FEDERATION)
    said = installation.done("sp", "check")
    assert "https://code.example.com/plugins/servlet/samlconsumer" in said
    assert "services: 2; faults: 0" in said


def test_check_points_at_file_and_line_and_is_2(bare: Installation) -> None:
    (bare.folder / "metadata" / "bad.xml").write_text("<a>\n<b>")
    said = bare.refused("sp", "check")
    assert "metadata/bad.xml:2" in said
    told = json.loads(bare.run("sp", "check", "--json").stdout)
    assert (told["ok"], told["faults"][0]["file"]) == (False, "metadata/bad.xml")


def test_check_of_a_file_that_is_not_in_the_folder_adds_nothing(bare: Installation) -> None:
    assert len(bare.json("sp", "check", FEDERATION)["services"]) == 2
    broken = bare.folder / "broken.xml"
    broken.write_text((EXAMPLES / "jira.xml").read_text().replace("https://jira", "http://jira"))
    assert "not an https URL" in bare.refused("sp", "check", str(broken))
    assert files_of(bare) == []


def test_check_shows_a_service_whose_policy_has_a_fault(jira: Installation) -> None:
    (jira.folder / "policies" / "jira.toml").write_text(f'entity_id = "{JIRA}"\nx = 1')
    assert "refused: the policy has a fault" in jira.done("sp", "check")


def test_paste_prints_what_a_service_asks_for(installation: Installation) -> None:
    said = installation.done("sp", "paste")
    assert "\n  https://idp.example.org/saml/metadata\n" in said
    assert "\n  https://idp.example.org/saml/sso\n" in said
    assert said.count("-----BEGIN CERTIFICATE-----") == 1
    assert "PRIVATE" not in said
    told = installation.json("sp", "paste")
    assert told["issuer"] == "https://idp.example.org/saml/metadata"
    names = {key.name for key in list_keys(load_settings(installation.settings_file, {}))}
    assert "assertion-active" in names


@pytest.mark.parametrize("command", ["list", "show", "check", "add", "paste"])
def test_every_command_shows_examples(bare: Installation, command: str) -> None:
    said = bare.done("sp", command, "--help")
    assert f"saml-idp sp {command}" in said
    assert "--json" in said
