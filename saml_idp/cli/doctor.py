"""``saml-idp doctor``: check the installation, say what to mend."""

from typing import Final

import click
from rich.text import Text

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import examples, json_option, show_table

_STYLES: Final = {"ok": "green", "warning": "yellow", "failed": "bold red"}


@click.command(epilog=examples("saml-idp doctor", "saml-idp doctor --json"))
@json_option
@click.pass_obj
def command(context: CliContext, *, as_json: bool) -> None:
    """Check settings, keys, database, clock, files and libraries, and say what to mend.

    Exit code 0: nothing failed, warnings included; 2: something failed. No running server is
    needed, and none is disturbed.
    """
    from saml_idp.diagnosis import diagnose

    findings = diagnose(context.settings)
    failed = any(f.standing == "failed" for f in findings)
    if as_json:
        context.echo_json(
            {
                "ok": not failed,
                "findings": [
                    {
                        "check": f.check,
                        "standing": f.standing,
                        "told": f.told,
                        "mend": f.mend or None,
                    }
                    for f in findings
                ],
            }
        )
    else:
        rows = [
            (f.check, Text(f.standing, style=_STYLES[f.standing]), f.told, f.mend) for f in findings
        ]
        show_table(("check", "", "found", "to do"), rows, empty="nothing was checked")
    if failed:
        raise click.exceptions.Exit(2)
