"""``saml-idp database``: bring the tables up to date, check them."""

from collections.abc import Sequence

import click

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import examples, json_option


@click.group
def group() -> None:
    """The database: its tables and their health."""


@group.command(epilog=examples("saml-idp database upgrade", "saml-idp db upgrade"))
@click.pass_obj
def upgrade(context: CliContext) -> None:
    """Make the database if there is none, and bring its tables to this version's.

    The version before this one goes on serving meanwhile: upgrade first, then restart.
    """
    from saml_idp.upkeep import check_database, upgrade_database

    upgrade_database(context.settings)
    _refuse_faults(check_database(context.settings))
    click.echo("the database is up to date")


@group.command(epilog=examples("saml-idp database check"))
@json_option
@click.pass_obj
def check(context: CliContext, *, as_json: bool) -> None:
    """Check that the database answers, is whole and has this version's tables."""
    from saml_idp.upkeep import check_database

    faults = list(check_database(context.settings))
    if as_json:
        context.echo_json({"ok": not faults, "faults": faults})
        if faults:
            raise click.exceptions.Exit(2)
        return
    _refuse_faults(faults)
    click.echo("the database is in order")


def _refuse_faults(faults: Sequence[str]) -> None:
    if faults:
        for fault in faults:
            click.echo(f"saml-idp: {fault}", err=True)
        raise click.exceptions.Exit(2)
