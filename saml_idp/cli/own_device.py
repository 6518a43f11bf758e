"""``saml-idp device enrol`` and ``retire``: make this machine a device of an ID, and no more."""

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import examples, json_option, shown
from saml_idp.cli.software_device import (
    default_folder,
    device_errors,
    enrol_here,
    own_ids,
    retire_here,
)
from saml_idp.device_sdk.client import Result
from saml_idp.device_sdk.state import StateFolder

_LONGEST_PASSWORD_FILE: Final = 8192

state_option: Final[Callable[..., Any]] = click.option(
    "--state",
    "state",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="SAML_IDP_DEVICE_STATE",
    default=default_folder,
    show_default="~/.local/state/saml-idp-device",
    help="The folder that keeps this machine's IDs and keys.",
)
identity_option: Final[Callable[..., Any]] = click.option(
    "--id", "identity", help="One of this machine's IDs [default: all of them]."
)


@click.command(
    epilog=examples(
        "saml-idp device enrol 'https://idp.example.org/device/#enrol=…'",
        "pass show alice | saml-idp device enrol LINK --name builder --password-file -",
    )
)
@click.argument("link")
@click.option("--name", "device_name", help="How the device is called [default: the host's name].")
@click.option(
    "--password-file",
    type=click.File("r", encoding="utf-8", lazy=False),
    help="Read the user's password from the first line of this file; - for standard input.",
)
@click.option(
    "--algorithm",
    type=click.Choice(["ES256", "EdDSA"], case_sensitive=False),
    default="ES256",
    show_default=True,
    help="P-256 or Ed25519.",
)
@state_option
@json_option
@click.pass_obj
def enrol(
    context: CliContext,
    link: str,
    device_name: str | None,
    password_file: Any,
    algorithm: Any,
    state: Path,
    *,
    as_json: bool,
) -> None:
    """Make this machine a device of the ID that LINK invites, and try it at once."""
    name = device_name if device_name is not None else platform.node() or "software device"
    password = _password(password_file)
    with device_errors():
        own, trial = enrol_here(
            StateFolder(state), link, device_name=name, password=password, algorithm=algorithm
        )
    if as_json:
        plain = {"id": own.identity, "device_id": own.device_id, "idp": own.idp_name}
        context.echo_json({**plain, "entity_id": own.entity_id, "trial": trial})
        return
    click.echo(f"{own.device_name} is a device of {own.identity} at {shown(own.idp_name)}")
    click.echo("tried: it works" if trial is Result.GRANTED else "not tried yet")


@click.command(epilog=examples("saml-idp device retire", "saml-idp device retire --id alice --yes"))
@identity_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@state_option
def retire(identity: str | None, state: Path, *, yes: bool) -> None:
    """Take this machine off its ID; its key is deleted."""
    folder = StateFolder(state)
    with device_errors():
        owns = own_ids(folder, identity)
        if len(owns) > 1:
            raise click.UsageError("this machine has several IDs: name one with --id")
        own = owns[0]
        if not yes:
            click.confirm(f"take {own.device_name} off the ID {own.identity}?", abort=True)
        retire_here(folder, own)
    click.echo(f"{own.device_name} is no device of {own.identity} any more")


def _password(file: Any) -> str:
    """Return the user's password, of a file or a hidden prompt; "" for a user who has none.

    Never from an argument: every user of the host can read those (N06).
    """
    if file is None:
        asked: str = click.prompt(
            "Password of the user", hide_input=True, default="", show_default=False, err=True
        )
        return asked
    line: str = file.readline(_LONGEST_PASSWORD_FILE)
    return line.removesuffix("\n").removesuffix("\r")
