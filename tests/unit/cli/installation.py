"""A real installation in a folder: settings, keys, SQLite; and its operator at the terminal."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click
from click.testing import CliRunner, Result

from saml_idp.bootstrap import Idp, build
from saml_idp.cli.main import main
from saml_idp.domain.audit import Origin
from saml_idp.settings import load_settings
from saml_idp.upkeep import make_keys, upgrade_database

OPERATOR = Origin("ref-test", "", "cli:test")
PASSWORD = "correct horse battery"


class _Entry:
    """The whole command line, ``main`` with its exit codes, as ``CliRunner`` calls a command."""

    name = "saml-idp"

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> None:
        sys.exit(main(args))


@dataclass(frozen=True)
class Installation:
    """``folder`` holds saml_idp.toml and all that it names."""

    folder: Path

    @property
    def settings_file(self) -> Path:
        """Return the path of the settings."""
        return self.folder / "saml_idp.toml"

    def run(self, *arguments: str, stdin: str | None = None) -> Result:
        """Run one command as an operator would; ``Result.output`` holds both streams."""
        given = ["--settings", str(self.settings_file), *arguments]
        entry = cast("click.Command", _Entry())
        return CliRunner().invoke(entry, given, input=stdin, env={"COLUMNS": "200"})

    def done(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command that must succeed; return what it printed."""
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str, stdin: str | None = None) -> Any:
        """Run a command with --json that must succeed; return the value it printed."""
        return json.loads(self.done(*arguments, "--json", stdin=stdin))

    def refused(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command that the operator got wrong; return what it said to them."""
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 2, result.output
        return result.stderr

    def idp(self) -> Idp:
        """Return the product on the same files."""
        return build(load_settings(self.settings_file, {}))


def write_settings(folder: Path) -> Installation:
    """Return an installation that has settings and nothing else."""
    for name in ("metadata", "policies", "var"):
        (folder / name).mkdir(mode=0o700, parents=True)
    installation = Installation(folder)
    installation.settings_file.write_text(
        'base_url = "https://idp.example.org"\n', encoding="utf-8"
    )
    installation.settings_file.chmod(0o600)
    return installation


def make_installation(folder: Path) -> Installation:
    """Return an installation with keys and a database."""
    installation = write_settings(folder)
    settings = load_settings(installation.settings_file, {})
    make_keys(settings, "p-256", origin=OPERATOR)
    upgrade_database(settings)
    return installation


def copied(installation: Installation, folder: Path) -> Installation:
    """Return a copy of *installation* in *folder*: quicker than a new one."""
    shutil.copytree(installation.folder, folder, copy_function=shutil.copy2)
    return Installation(folder)
