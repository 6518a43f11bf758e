"""The command itself: what it offers, how it tells an error, whom it refuses."""

import json
import subprocess
import sys
import types
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from saml_idp.cli import main as command_line
from saml_idp.cli.main import cli, diagnostics
from saml_idp.domain.errors import (
    ConfigurationError,
    Fault,
    IdpError,
    NotFound,
    StoreUnavailable,
)
from tests.unit.cli.installation import Installation

GROUPS = {"user", "id", "device", "sp", "policy", "keys", "database", "audit", "doctor", "serve"}


def _commands(
    command: click.Command, context: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None, name
        yield from _commands(found, context, (*path, name))


ALL = dict(_commands(cli, click.Context(cli)))


def test_help_lists_every_group() -> None:
    said = CliRunner().invoke(cli, ["--help"]).output

    assert {line.split()[0] for line in said.splitlines() if line.startswith("  ")} >= GROUPS


def test_help_and_the_device_command_start_without_database_and_xml() -> None:
    """Only what a command needs is imported: an approval on the command line is quick."""
    for arguments in (["--help"], ["device", "--help"]):
        program = (
            "import sys, json\n"
            "from saml_idp.cli.main import main\n"
            f"main({arguments!r})\n"
            "print(json.dumps(sorted(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        loaded = set(json.loads(done.stdout.splitlines()[-1]))
        assert loaded & {"sqlalchemy", "lxml", "xmlsec", "pyramid", "alembic", "granian"} == set()


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    said = CliRunner().invoke(cli, [*path, "--help"])

    assert said.exit_code == 0
    assert f"saml-idp {' '.join(path)}" in said.output
    assert "xample" in said.output


def test_no_option_takes_a_secret() -> None:
    """N06: every user of the host can read the arguments of a process."""
    secret = {"password", "secret", "token", "code", "pin", "key", "passphrase"}
    for path, command in ALL.items():
        for parameter in command.params:
            for option in parameter.opts:
                words = set(option.strip("-").replace("_", "-").split("-"))
                takes_a_value = not getattr(parameter, "is_flag", False)
                if takes_a_value and words & secret:
                    assert "file" in words, (path, option)


def test_an_unknown_command_is_the_operator_s_mistake(bare: Installation) -> None:
    assert "No such command" in bare.refused("party")


def test_settings_that_are_wrong_are_told_with_file_and_line(bare: Installation) -> None:
    bare.settings_file.write_text('base_url = "ftp://x"\nshoe = 43\n')

    said = bare.refused("user", "list")

    assert f"{bare.settings_file}:1" in said
    assert "shoe" in said


def test_settings_that_are_not_there_are_told(bare: Installation) -> None:
    bare.settings_file.unlink()

    assert "cannot be read" in bare.refused("user", "list")


def test_without_a_database_the_operator_is_told_what_to_run(installation: Installation) -> None:
    for file in (installation.folder / "var").iterdir():
        file.unlink()

    said = installation.refused("user", "list")

    assert "saml-idp" in said
    assert "Traceback" not in said


def test_another_user_of_the_host_is_refused(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N05: who is not the service's user would leave files that the service cannot open."""
    monkeypatch.setattr("os.geteuid", lambda: 54321)

    for arguments in (("user", "list"), ("keys", "new"), ("db", "upgrade"), ("serve",)):
        said = installation.refused(*arguments)
        assert "sudo -u" in said
        assert "54321" in said


def test_root_is_refused_where_the_service_is_another(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = installation.folder.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: 0 if owner else 54321)

    assert "sudo -u" in installation.refused("doctor")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that fails as no command should."""

    @click.command
    def command() -> None:
        raise RuntimeError("a bug")

    module = types.ModuleType("broken_command")
    module.command = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "broken_command", module)
    monkeypatch.setitem(command_line._COMMANDS, "broken", ("broken_command", "command", "Fails."))


@pytest.mark.usefixtures("broken")
def test_a_fault_of_ours_ends_with_1_and_asks_for_a_report(bare: Installation) -> None:
    result = bare.run("broken")

    assert result.exit_code == 1
    assert "a fault of ours: RuntimeError: a bug" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.usefixtures("broken")
def test_debug_shows_where_it_arose(bare: Installation) -> None:
    result = bare.run("--debug", "broken")

    assert result.exit_code == 1
    assert "Traceback" in result.stderr


def test_an_error_of_the_tree_with_debug_shows_where_it_arose(installation: Installation) -> None:
    assert "Traceback" in installation.refused("--debug", "user", "show", "nobody")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotFound("there is no user 'x'"), "there is no user 'x'"),
        (StoreUnavailable("no answer"), "run: saml-idp doctor"),
        (
            ConfigurationError([Fault("a", 1, 2, "k", "wrong", "Mend it")]),
            "a:1:2: [k] wrong. Mend it",
        ),
        (IdpError("plain"), "plain"),
    ],
)
def test_an_error_says_what_is_wrong_and_what_to_do(error: IdpError, told: str) -> None:
    assert told in diagnostics(error)
