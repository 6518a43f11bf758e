"""The command ``saml-idp``: what it offers, and how an error is told to an operator.

Exit codes: 0 done; 2 the operator's mistake, with what to do about it; 1 a fault of ours.
"""

import importlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

import saml_idp
from saml_idp.cli.context import CliContext
from saml_idp.domain.errors import (
    Busy,
    ConfigurationError,
    IdpError,
    LockOut,
    NotFound,
    StoreUnavailable,
    TransitionNotAllowed,
)

# Name → (module, attribute, what it is for). A module is imported when its command is run, so
# that `device approve` does not wait for a database and an XML library.
_COMMANDS: Final = {
    "user": ("saml_idp.cli.people", "user_group", "Users: add, find, change, disable."),
    "id": ("saml_idp.cli.identities", "group", "IDs: assign one, invite a device, revoke."),
    "device": ("saml_idp.cli.devices", "group", "Devices; and this machine as a device."),
    "sp": ("saml_idp.cli.providers", "group", "Services (metadata files)."),
    "policy": ("saml_idp.cli.policies", "group", "What a service demands of a login."),
    "keys": ("saml_idp.cli.keys", "group", "The keys of this installation."),
    "database": ("saml_idp.cli.database", "group", "Tables: upgrade, check."),
    "audit": ("saml_idp.cli.audit", "group", "Who signed in where, and how it was proven."),
    "doctor": ("saml_idp.cli.doctor", "command", "Check this installation, say what to mend."),
    "serve": ("saml_idp.cli.server", "command", "Run the identity provider."),
}
_ALIASES: Final = {"db": "database"}

_MENDS: Final[tuple[tuple[type[IdpError], str], ...]] = (
    (LockOut, ""),
    (StoreUnavailable, "run: saml-idp doctor"),
    (Busy, "try again in a few seconds"),
    (TransitionNotAllowed, "look at how it stands now, then try again"),
    (NotFound, "check the spelling; the matching list command shows what there is"),
)


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        """Return the commands in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, None for a name that is none."""
        entry = _COMMANDS.get(_ALIASES.get(cmd_name, cmd_name))
        if entry is None:
            return None
        found = getattr(importlib.import_module(entry[0]), entry[1])
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in _COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command has --help with examples, and --json where it shows something.",
)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="SAML_IDP_SETTINGS",
    help="The settings file [default: saml_idp.toml here, or SAML_IDP_SETTINGS].",
)
@click.option("--debug", is_flag=True, help="Show where in the code an error arose.")
@click.version_option(saml_idp.__version__, prog_name="saml-idp")
@click.pass_context
def cli(context: click.Context, settings_file: Path | None, *, debug: bool) -> None:
    """Run and look after the SAML identity provider whose logins are two chained steps."""
    if not isinstance(context.obj, CliContext):
        context.obj = CliContext(settings_file)
    context.obj.debug = debug


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code. Nothing gets past here."""
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="saml-idp",
            standalone_mode=False,
        )
    except click.Abort:
        click.echo("stopped", err=True)
        return 2
    except click.ClickException as wrong:
        wrong.show()
        return 2
    except IdpError as error:
        _tell(error)
        if debug:
            traceback.print_exc()
        return 2
    except Exception as fault:
        click.echo(f"saml-idp: a fault of ours: {type(fault).__name__}: {fault}", err=True)
        click.echo("  please report it, with the output of the same command and --debug", err=True)
        if debug:
            traceback.print_exc()
        return 1
    return code if isinstance(code, int) else 0


def diagnostics(error: IdpError) -> list[str]:
    """Return what is wrong and what to do, one line each; never a secret."""
    if isinstance(error, ConfigurationError):
        return [str(fault) for fault in error.faults]
    mend = next((mend for kind, mend in _MENDS if isinstance(error, kind)), "")
    return [str(error), mend] if mend else [str(error)]


def _tell(error: IdpError) -> None:
    first, *rest = diagnostics(error)
    click.echo(f"saml-idp: {first}", err=True)
    for line in rest:
        click.echo(f"  {line}", err=True)
