"""Every ``saml-idp`` command of the pages, run in the order of its page at a real installation.

At that installation alice has signed in once, so that placeholders stand for something real.
"""

from pathlib import Path

import pytest

from saml_idp.domain.audit import AuditEvent
from saml_idp.saml.sp_metadata import write_minimal_metadata
from tests.build import a_device
from tests.docs import page
from tests.flows.site import PASSWORD, Site
from tests.unit.cli.installation import Installation

JIRA = "https://jira.example.com"
PAGES = ("README.md", "docs/operator-guide.md", "metadata/README.md", "policies/README.md")
# It runs until it is stopped: tests/live starts it.
NOT_HERE = [["serve"]]
FILES = ("confluence.xml", "sp-metadata.xml")


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_page_succeed_in_its_order(
    name: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in FILES:
        entity_id = f"https://{file.partition('.')[0]}.example.com"
        Path(file).write_bytes(write_minimal_metadata(entity_id, f"{entity_id}/acs"))
    words = {"ASSERTION_ID": an_assertion(site), "REF": a_reference(site)}
    if name == "policies/README.md":  # the other pages add it
        site.add_provider(JIRA, "")
    installation = Installation(site.folder)
    commands = [arguments for arguments in page(name).commands() if arguments not in NOT_HERE]
    assert commands
    for typed in commands:
        if "DEVICE_ID" in typed:
            words["DEVICE_ID"] = a_lost_phone(site, "bob")
        arguments = [words.get(word, word) for word in typed]
        if arguments[:2] == ["device", "revoke"]:
            arguments.append("--yes")  # it asks; a password it would ask twice
        told = installation.run(*arguments, stdin=f"{PASSWORD}\n{PASSWORD}\n")
        assert told.exit_code == 0, f"{typed}\n{told.output}"
        if words["REF"] in arguments:
            assert "message_missing" in told.output


def an_assertion(site: Site) -> str:
    """Let alice sign in; return the ID of her assertion."""
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    phone.answer(browser.symbols)
    browser.submit("finish")
    return str(site.trail(AuditEvent.ASSERTION_ISSUED)[-1].record.details["assertion"])


def a_reference(site: Site) -> str:
    """Return the number on an error page."""
    return str(site.browser().get("/saml/sso").headers["X-Request-Id"])


def a_lost_phone(site: Site, username: str) -> str:
    """Give the user a device; return its ID."""
    person = site.idp.find_people.named(username).person
    assert person.identity is not None
    device = a_device(username, user_id=person.user_id, identity=person.identity)
    with site.idp.store.unit() as unit:
        unit.devices.add(device)
    return device.device_id
