"""``saml-idp device approve`` and ``deny``: this machine answers the question to its ID."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import NONE, examples, instant, json_option, show_fields
from saml_idp.cli.own_device import identity_option, state_option
from saml_idp.cli.software_device import (
    Question,
    checked_row,
    device_errors,
    entered,
    give_answer,
    open_questions,
    own_ids,
    the_one,
)
from saml_idp.device_sdk.client import Result
from saml_idp.device_sdk.messages import Verdict
from saml_idp.device_sdk.state import StateFolder

_approval: Final[Callable[..., Any]] = click.option(
    "--approval", "approval_id", help="The approval, where several are open."
)
_wait: Final[Callable[..., Any]] = click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(0, 600),
    default=0,
    help="Wait so many seconds for a question.",
)


@click.command(
    epilog=examples(
        "saml-idp device approve K3QA",
        "saml-idp device approve 'https://idp.example.org/device/#approval=…&symbols=K3QA'",
        "saml-idp device approve --wait 60",
    )
)
@click.argument("symbols", required=False)
@identity_option
@_approval
@_wait
@state_option
@json_option
@click.pass_obj
def approve(
    context: CliContext,
    symbols: str | None,
    identity: str | None,
    approval_id: str | None,
    wait_seconds: float,
    state: Path,
    *,
    as_json: bool,
) -> None:
    """Approve a login with the SYMBOLS that its page shows (or the link it offers).

    Without SYMBOLS the question is shown and they are asked for. A wrong row ends the approval.
    """
    named, row = entered(symbols) if symbols is not None else (None, "")
    with device_errors():
        owns = own_ids(StateFolder(state), identity)
        question = the_one(open_questions(owns, wait_seconds=wait_seconds), approval_id or named)
        count = question.approval.symbols_count
        if not as_json:
            _show(question)
        if symbols is None and count:
            _, row = entered(click.prompt(f"The {count} symbols on the login page", err=as_json))
        result = give_answer(question, Verdict.APPROVE, symbols=checked_row(row, count))
    _tell(context, question, result, expected=Result.GRANTED, as_json=as_json)


@click.command(epilog=examples("saml-idp device deny", "saml-idp device deny --not-me"))
@click.option("--not-me", is_flag=True, help="Report it: the user did not ask for this login.")
@identity_option
@_approval
@_wait
@state_option
@json_option
@click.pass_obj
def deny(
    context: CliContext,
    identity: str | None,
    approval_id: str | None,
    wait_seconds: float,
    state: Path,
    *,
    not_me: bool,
    as_json: bool,
) -> None:
    """Refuse a login."""
    with device_errors():
        owns = own_ids(StateFolder(state), identity)
        question = the_one(open_questions(owns, wait_seconds=wait_seconds), approval_id)
        if not as_json:
            _show(question)
        result = give_answer(question, Verdict.NOT_ME if not_me else Verdict.DENY)
    _tell(context, question, result, expected=Result.DENIED, as_json=as_json)


def _show(question: Question) -> None:
    approval = question.approval
    show_fields(
        [
            ("service", approval.provider_name if not approval.trial else "a test"),
            ("ID", f"{approval.identity} at {question.own.idp_name}"),
            ("place", approval.place or NONE),
            ("browser", approval.browser or NONE),
            ("asked", instant(approval.requested_at)),
            ("open for", f"{approval.expires_in} seconds"),
        ]
    )
    if approval.other_browser_waiting:
        click.echo("another browser is trying to sign in with this ID as well")


def _tell(
    context: CliContext, question: Question, result: Result, *, expected: Result, as_json: bool
) -> None:
    """Say what the answer came to; anything but *expected* is a failure of the command."""
    if as_json:
        context.echo_json({"approval": question.approval.approval, "result": str(result)})
    if result is expected:
        if not as_json:
            click.echo(str(result))
        return
    raise click.ClickException(
        "wrong symbols: the approval has ended, begin anew on the login page"
        if result is Result.FAILED
        else "the approval was over"
        if result is Result.OVER
        else f"the answer came to: {result}"
    )
