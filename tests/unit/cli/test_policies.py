"""``saml-idp policy``: show, check, change and explain what a service demands."""

import json
from typing import Final

import pytest

from saml_idp.adapters.policy_files import PolicyFiles
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.ids import EntityId
from tests.build import a_device, a_person
from tests.unit.cli.installation import Installation

JIRA: Final = "https://jira.example.com"
WIKI: Final = "https://wiki.example.com"
MFA: Final = "https://refeds.org/profile/mfa"


def writes(installation: Installation, name: str, text: str) -> None:
    (installation.folder / "policies" / name).write_text(text)


def knows(installation: Installation, entity_id: str) -> None:
    installation.done("sp", "add", "--entity-id", entity_id, "--acs", f"{entity_id}/acs")


@pytest.fixture
def jira(installation: Installation) -> Installation:
    knows(installation, JIRA)
    writes(
        installation,
        "jira.toml",
        f'# Jira\nentity_id = "{JIRA}"\n[login]\ngroups = ["jira-users"]  # staff\n',
    )
    return installation


def has_ready_administrator(installation: Installation) -> None:
    with installation.idp().store.unit() as unit:
        unit.people.add(a_person("root", is_administrator=True), "hash")
        unit.devices.add(a_device("root"))


def text_of(installation: Installation) -> str:
    return (installation.folder / "policies" / "jira.toml").read_text()


# ---- list, show


def test_list_names_every_service_with_its_steps_and_file(jira: Installation) -> None:
    writes(jira, "wiki.toml", f'entity_id = "{WIKI}"\nlogin.two_step = false')
    lines = [" ".join(line.split()) for line in jira.done("policy", "list").splitlines()]
    assert lines[1:] == [
        "(default) password, approval 4 everyone –",
        f"{JIRA} password, approval 4 jira-users jira.toml",
        f"{WIKI} approval 4 everyone wiki.toml no metadata",
    ]


def test_list_needs_neither_keys_nor_a_database(bare: Installation) -> None:
    writes(bare, "wiki.toml", f'entity_id = "{WIKI}"')
    default, wiki = bare.json("policy", "list")
    assert default["entity_id"] is None
    assert (wiki["entity_id"], wiki["known"], wiki["file"]) == (WIKI, False, "wiki.toml")


def test_list_says_that_there_are_faults(jira: Installation) -> None:
    writes(jira, "jira.toml", f'entity_id = "{JIRA}"\nlogin.two_step = 1')
    result = jira.run("policy", "list")
    assert result.exit_code == 0
    assert "refused: fault" in result.stdout
    assert "policy check" in result.stderr


def test_show_traces_every_value_to_its_line(jira: Installation) -> None:
    writes(jira, "default.toml", "login.access_symbols = 5")
    said = " ".join(jira.done("policy", "show", JIRA).split())
    assert "login.groups jira-users policies/jira.toml:4" in said
    assert "login.access_symbols 5 policies/default.toml:1" in said
    assert "assertion.sign both built-in default" in said


def test_show_as_json_holds_values_as_a_file_would(jira: Installation) -> None:
    shown = jira.json("policy", "show", JIRA)["values"]
    assert shown["login.groups"] == {"value": ["jira-users"], "from": "policies/jira.toml:4"}
    assert shown["login.step_max_age_seconds"]["value"] == 28800
    assert shown["attributes"]["value"] == {}


def test_show_of_the_default(jira: Installation) -> None:
    assert jira.json("policy", "show", "default")["entity_id"] is None


def test_show_of_a_service_without_a_file_shows_the_default(jira: Installation) -> None:
    knows(jira, WIKI)
    assert jira.json("policy", "show", WIKI)["file"] is None


def test_an_unknown_service_is_refused_with_the_nearest_name(jira: Installation) -> None:
    said = jira.refused("policy", "show", "https://jira.example.org")
    assert f"did you mean '{JIRA}'?" in said


def test_show_of_a_refused_service_says_why(jira: Installation) -> None:
    writes(jira, "again.toml", f'entity_id = "{JIRA}"')
    assert "has another file" in jira.refused("policy", "show", JIRA)


# ---- check


def test_check_of_good_files_is_0(jira: Installation) -> None:
    assert "no faults; files: 1" in jira.done("policy", "check")


def test_check_points_at_file_line_and_key_and_is_2(bare: Installation) -> None:
    writes(bare, "jira.toml", f'entity_id = "{JIRA}"\n[login]\nacess_symbols = 3\n')
    said = bare.refused("policy", "check")
    assert said == (
        "policies/jira.toml:3:1: [login.acess_symbols] unknown key 'acess_symbols'. "
        "did you mean access_symbols?\n"
    )


def test_check_as_json(bare: Installation) -> None:
    writes(bare, "jira.toml", f'entity_id = "{JIRA}"\n[login]\naccess_symbols = 9\n')
    result = bare.run("policy", "check", "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert told["ok"] is False
    (fault,) = told["faults"]
    assert (fault["line"], fault["key"]) == (3, "login.access_symbols")


def test_check_of_a_draft_changes_nothing(jira: Installation) -> None:
    draft = jira.folder / "draft.toml"
    draft.write_text(f'entity_id = "{JIRA}"\nlogin.two_step = maybe')
    assert "draft.toml:2:18" in jira.refused("policy", "check", str(draft))
    draft.write_text(f'entity_id = "{JIRA}"\nlogin.two_step = false')
    assert "no faults" in jira.done("policy", "check", str(draft))
    assert jira.json("policy", "show", JIRA)["values"]["login.two_step"]["value"] is True


def test_check_notes_what_may_not_do_what_one_wants(jira: Installation) -> None:
    writes(jira, "jira.toml", f'entity_id = "{JIRA}"\nassertion.encrypt = "always"')
    assert f"note: {JIRA}: every login is refused" in jira.done("policy", "check")
    assert len(jira.json("policy", "check")["notes"]) == 1


# ---- set


def test_set_changes_the_file_and_says_from_what_to_what(jira: Installation) -> None:
    said = jira.done("policy", "set", JIRA, "login.access_symbols=6")
    assert "policies/jira.toml: login.access_symbols: 4 -> 6" in said
    assert "tightened: login.access_symbols" in said
    assert text_of(jira).startswith("# Jira\n")
    assert "# staff" in text_of(jira)


def test_set_records_who_did_what(jira: Installation) -> None:
    jira.done("policy", "set", JIRA, "login.access_symbols=6")
    with jira.idp().store.view() as unit:
        records = unit.audit.read(limit=10, event=AuditEvent.POLICY_CHANGED, provider=JIRA)
    (record,) = (stored.record for stored in records)
    assert record.origin.actor.startswith("cli:")
    assert (record.details["before"], record.details["after"]) == ("4", "6")


def test_a_loosening_wants_yes(jira: Installation) -> None:
    before = text_of(jira)
    said = jira.refused("policy", "set", JIRA, "login.two_step=false")
    assert "this loosens login.two_step (true to false); say so with --yes" in said
    assert text_of(jira) == before
    said = jira.done("policy", "set", JIRA, "login.two_step=false", "--yes")
    assert "loosened: login.two_step" in said
    assert jira.idp().policies.policy_for(EntityId(JIRA)).two_step is False


@pytest.mark.parametrize(
    ("assignment", "key", "value"),
    [
        ('login.groups=["a","b"]', "login.groups", ["a", "b"]),
        ("assertion.encrypt=always", "assertion.encrypt", "always"),
        ("assertion.encrypt = 'always'", "assertion.encrypt", "always"),
        ("attributes.mail=email", "attributes", {"mail": "email"}),
        ("attributes.urn:x=y=email", "attributes", {"urn:x=y": "email"}),
        ('attributes={a="name"}', "attributes", {"a": "name"}),
    ],
)
def test_values_are_typed_as_in_the_file_words_without_quotes(
    jira: Installation, assignment: str, key: str, value: object
) -> None:
    jira.done("policy", "set", JIRA, assignment, "--yes")
    assert jira.json("policy", "show", JIRA)["values"][key]["value"] == value


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("login.two_step=maybe", '"maybe" is not true or false'),
        ("login.two_step=true\nsign = 'x'", "is not true or false"),
        ("login.access_symbols=9", "out of bounds"),
        ("login.acess_symbols=4", "unknown key"),
        ("entity_id=https://other", "unknown key"),
        ("login.two_step", "is not KEY=VALUE"),
        ("=4", "is not KEY=VALUE"),
    ],
)
def test_set_refuses_what_a_file_could_not_hold(
    jira: Installation, assignment: str, problem: str
) -> None:
    before = text_of(jira)
    assert problem in jira.refused("policy", "set", JIRA, assignment, "--yes")
    assert text_of(jira) == before


def test_set_wants_one_thing_to_do(jira: Installation) -> None:
    assert "give KEY=VALUE" in jira.refused("policy", "set", JIRA)
    both = jira.refused("policy", "set", JIRA, "login.two_step=true", "--remove", "login.groups")
    assert "give KEY=VALUE" in both


def test_remove_takes_the_key_out(jira: Installation) -> None:
    jira.done("policy", "set", JIRA, "--remove", "login.groups", "--yes")
    assert "groups" not in text_of(jira)


def test_set_for_the_default(jira: Installation) -> None:
    jira.done("policy", "set", "default", "login.access_symbols=6")
    assert (jira.folder / "policies" / "default.toml").exists()


def test_set_as_json(jira: Installation) -> None:
    told = jira.json("policy", "set", JIRA, "login.access_symbols=5")
    assert (told["before"], told["after"], told["loosened"]) == ("4", "5", [])


def test_set_for_an_unknown_service_writes_nothing(jira: Installation) -> None:
    jira.refused("policy", "set", "https://elsewhere", "login.access_symbols=5")
    assert len(list((jira.folder / "policies").iterdir())) == 1


def test_two_step_is_not_switched_on_without_a_ready_administrator(jira: Installation) -> None:
    jira.done("policy", "set", JIRA, "login.two_step=false", "--yes")
    said = jira.refused("policy", "set", JIRA, "login.two_step=true")
    assert "no enabled administrator" in said
    with jira.idp().store.view() as unit:
        (stored,) = unit.audit.read(limit=10, event=AuditEvent.LOCK_OUT_PREVENTED)
    assert stored.record.provider == JIRA
    has_ready_administrator(jira)
    jira.done("policy", "set", JIRA, "login.two_step=true")
    assert jira.idp().policies.policy_for(EntityId(JIRA)).two_step


# ---- explain


def test_explain_says_steps_class_and_the_line_behind_each_rule(jira: Installation) -> None:
    said = jira.done("policy", "explain", "--sp", JIRA)
    assert "password, then approval" in said
    assert MFA in said
    assert "two-step authentication is on: password, then ID approval" in said
    assert "built-in default" in said


def test_explain_for_a_user_says_what_would_be_released(jira: Installation) -> None:
    jira.done("user", "add", "alice", "--no-password", "--email", "a@example.org",
              "--group", "jira-users")  # fmt: skip
    jira.done("id", "assign", "alice", "--no-qr")
    jira.done("policy", "set", JIRA, 'attributes={mail="email", phone="phone"}', "--yes")
    told = jira.json("policy", "explain", "--sp", JIRA, "--user", "Alice")
    assert told["released"] == {
        "name identifier (unspecified)": "alice",
        "mail": "a@example.org",
        "phone": "not sent: the user has none",
    }
    assert any(r["from"] == "policies/jira.toml:4" for r in told["reasons"])


def test_explain_of_a_refusal_says_why_and_is_2(jira: Installation) -> None:
    jira.done("user", "add", "bob", "--no-password")
    result = jira.run("policy", "explain", "--sp", JIRA, "--user", "bob")
    assert result.exit_code == 2
    assert "not_in_groups" in result.stdout
    assert "policies/jira.toml:4" in result.stdout
    result = jira.run("policy", "explain", "--sp", JIRA, "--context", "urn:x", "--json")
    assert (result.exit_code, json.loads(result.stdout)["refused"]) == (2, "no_authn_context")


def test_explain_shows_what_the_request_adds(jira: Installation) -> None:
    jira.done("policy", "set", JIRA, "login.two_step=false", "--yes")
    assert jira.json("policy", "explain", "--sp", JIRA)["steps"] == ["approval"]
    told = jira.json("policy", "explain", "--sp", JIRA, "--context", MFA)
    assert told["steps"] == ["password", "approval"]
    told = jira.json("policy", "explain", "--sp", JIRA, "--context", MFA, "--comparison", "minimum")
    assert told["claims"] == MFA


@pytest.mark.parametrize("form", ["persistent", "transient"])
def test_explain_names_a_pseudonym(jira: Installation, form: str) -> None:
    jira.done("policy", "set", JIRA, f"assertion.name_id_format={form}")
    told = jira.json("policy", "explain", "--sp", JIRA)
    assert "pseudonym" in told["released"][f"name identifier ({form})"]


def test_explain_of_the_unknown(jira: Installation) -> None:
    assert "no service" in jira.refused("policy", "explain", "--sp", WIKI)
    assert "no user" in jira.refused("policy", "explain", "--sp", JIRA, "--user", "nobody")


def test_explain_of_a_policy_at_fault_refuses(jira: Installation) -> None:
    writes(jira, "jira.toml", f'entity_id = "{JIRA}"\nlogin.two_step = 1')
    assert "no good policy" in jira.refused("policy", "explain", "--sp", JIRA)


@pytest.mark.parametrize("command", ["list", "show", "check", "set", "explain"])
def test_every_command_shows_examples(bare: Installation, command: str) -> None:
    said = bare.done("policy", command, "--help")
    assert f"saml-idp policy {command}" in said
    assert "--json" in said


def test_the_policy_folder_of_an_installation_is_the_one_it_serves(jira: Installation) -> None:
    policies = PolicyFiles(jira.folder / "policies", lock_out_guard=lambda: True)
    assert policies.policy_for(EntityId(JIRA)) == jira.idp().policies.policy_for(EntityId(JIRA))
