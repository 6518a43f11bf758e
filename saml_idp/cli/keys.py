"""``saml-idp keys``: make the keys of this installation, and show what there is."""

from collections.abc import Sequence
from typing import Final

import click

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import NONE, examples, json_option, show_table
from saml_idp.domain.keys import ALGORITHMS, KeyDescription

_HEADINGS: Final = ("key", "state", "algorithm", "key id", "valid to")


@click.group
def group() -> None:
    """Keys: assertion signing, metadata signing, seals, cookies."""


@group.command(epilog=examples("saml-idp keys new", "saml-idp keys new --algorithm p-256"))
@click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS),
    default=ALGORITHMS[0],
    show_default=True,
    help="Of the keys that sign assertions and metadata.",
)
@json_option
@click.pass_obj
def new(context: CliContext, algorithm: str, *, as_json: bool) -> None:
    """Make every key that is missing. A key that is there is never touched.

    The files are readable by their owner alone (0600, in a directory of 0700). Give the
    services the certificate, or better the metadata, again after a new assertion key.
    """
    from saml_idp.upkeep import make_keys

    made = make_keys(context.settings, algorithm, origin=context.origin)
    if as_json:
        context.echo_json([_plain(key) for key in made])
        return
    directory = context.settings.keys_dir
    if not made:
        click.echo(f"all keys are there already, in {directory}")
        return
    click.echo(f"made in {directory}:")
    _show(made)


@group.command("list", epilog=examples("saml-idp keys list", "saml-idp keys list --json"))
@json_option
@click.pass_obj
def list_all(context: CliContext, *, as_json: bool) -> None:
    """List the keys: state, algorithm, end of the certificate, fingerprint."""
    from saml_idp.upkeep import list_keys

    found = list_keys(context.settings)
    if as_json:
        context.echo_json([_plain(key) for key in found])
        return
    _show(found)


def _show(keys: Sequence[KeyDescription]) -> None:
    rows = [
        (
            key.name,
            key.state + (", weak" if key.is_weak else ""),
            key.algorithm,
            key.key_id or NONE,
            key.not_after[:10] or NONE,
        )
        for key in keys
    ]
    show_table(_HEADINGS, rows, empty="no keys yet; run: saml-idp keys new")
    for key in keys:
        if key.fingerprint:
            click.echo(f"\nSHA-256 of the certificate {key.name}:\n  {key.fingerprint}")


def _plain(key: KeyDescription) -> dict[str, object]:
    return {
        "name": key.name,
        "state": key.state,
        "algorithm": key.algorithm,
        "key_id": key.key_id or None,
        "not_after": key.not_after or None,
        "sha256": key.fingerprint or None,
        "weak": key.is_weak,
    }
