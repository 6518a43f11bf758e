"""What the pages and the command line say of themselves is true."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from saml_idp.cli.main import cli
from saml_idp.domain.decision import RefusalReason
from saml_idp.settings import load_settings
from tests.docs import ROOT, Page, commands_in, page, pages
from tests.unit.cli.installation import write_settings

PAGES = pages()


def name_of(value: object) -> str:
    return str(value.path.relative_to(ROOT)) if isinstance(value, Page) else str(value)


@pytest.mark.parametrize("read", PAGES, ids=name_of)
def test_every_link_leads_somewhere(read: Page) -> None:
    broken = []
    for link in read.links():
        file, _, anchor = link.partition("#")
        target = Page((read.path.parent / file).resolve()) if file else read
        if not target.path.exists() or (anchor and anchor not in target.anchors()):
            broken.append(link)
    assert broken == []


def test_the_settings_of_the_operator_guide_are_read(tmp_path: Path) -> None:
    (block,) = page("docs/operator-guide.md").blocks("toml")
    file = tmp_path / "saml_idp.toml"
    file.write_text(block)
    assert load_settings(file, {}).organisation_name == "Example Organisation"


@pytest.mark.parametrize("name", ["docs/policy-reference.md", "policies/README.md"])
def test_each_policy_of_the_pages_is_a_good_one(name: str, tmp_path: Path) -> None:
    for number, block in enumerate(page(name).blocks("toml")):
        installation = write_settings(tmp_path / str(number))
        (installation.folder / "policies" / "one.toml").write_text(block)
        assert installation.run("policy", "check").exit_code == 0, block


def test_the_fault_that_the_policy_reference_shows_is_told_so(tmp_path: Path) -> None:
    (shown,) = page("docs/policy-reference.md").blocks("console")
    installation = write_settings(tmp_path / "site")
    file = installation.folder / "policies" / "jira.toml"
    file.write_text('entity_id = "https://jira.example.com"\n\n\n\n\n[login]\nacess_symbols = 4\n')
    told = installation.run("policy", "check")
    assert told.exit_code == 2
    assert shown.splitlines()[1] in told.output.replace(f"{installation.folder}/", "")


def test_the_metadata_that_the_page_shows_is_good(tmp_path: Path) -> None:
    (block,) = page("metadata/README.md").blocks("xml")
    installation = write_settings(tmp_path / "site")
    (installation.folder / "metadata" / "jira.xml").write_text(block)
    assert installation.run("sp", "check").exit_code == 0


def test_the_pages_name_make_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        target
        for each in PAGES
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", each.text, re.MULTILINE)
    }
    assert named
    assert named - targets == set()


def test_the_guide_explains_every_reason_of_a_refusal() -> None:
    table = page("docs/operator-guide.md").text.partition("### What a refusal means")[2]
    rows = [line for line in table.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    explained = {code for row in rows for code in re.findall(r"`([a-z_*]+)`", row.split("|")[1])}
    assert {str(reason) for reason in RefusalReason} - explained == set()


def _leaves(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from _leaves(below, *path, name)


COMMANDS = dict(_leaves(cli))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_parse(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(cli, [*name.split(), "--help"])
    assert told.exit_code == 0
    shown = told.output.partition("Examples:\n")[2]
    found = list(commands_in("\n".join(line.strip() for line in shown.splitlines())))
    assert found
    for arguments in found:
        parse(arguments)


def test_every_command_that_the_pages_name_parses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for each in PAGES:
        for arguments in each.commands():
            parse(arguments)
        for code in re.findall(r"`(saml-idp [^`]+)`", each.prose):
            if "…" not in code and "|" not in code:
                for arguments in commands_in(" ".join(code.split())):
                    parse(arguments, whole=False)


def parse(arguments: list[str], *, whole: bool = True) -> None:
    """Parse *arguments* as the command line would, and run nothing.

    Files that they name are made: an option may want that its file is there. *whole*: nothing
    that the command needs is left out; else the command has to exist, and that is all.
    """
    for argument in arguments:
        if re.fullmatch(r"[\w-]+\.(?:xml|toml|txt)", argument):
            Path(argument).touch()
    with ExitStack() as stack:
        command: click.Command = cli
        context = stack.enter_context(
            cli.make_context("saml-idp", list(arguments), resilient_parsing=not whole)
        )
        while isinstance(command, click.Group):
            rest = [*context._protected_args, *context.args]
            if not rest and not whole:
                return
            name, below, rest = command.resolve_command(context, rest)
            assert below is not None, arguments
            command = below
            context = stack.enter_context(
                command.make_context(name, rest, parent=context, resilient_parsing=not whole)
            )
