"""``saml-idp audit``: who signed in where, and how it was proven."""

from typing import TYPE_CHECKING, Final

import click
from rich.text import Text

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import NONE, examples, instant, json_option, show_fields, show_table
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.ids import AssertionId

if TYPE_CHECKING:
    from saml_idp.domain.audit import StoredRecord

_STYLES: Final = {"ok": "", "refused": "yellow", "fault": "bold red"}


@click.group
def group() -> None:
    """The audit trail, and the receipts of assertions."""


@group.command(
    epilog=examples(
        "saml-idp audit show --user alice",
        "saml-idp audit show --event assertion_issued --sp https://jira.example.com",
        "saml-idp audit show --reference dGhpcyBpcyBpdA",
        "saml-idp audit show --json --after 1200 --oldest-first > new-records.jsonl",
    )
)
@click.option("--user", help="A user name or ID, also one that does not exist.")
@click.option("--event", type=click.Choice([e.value for e in AuditEvent]), metavar="EVENT")
@click.option("--sp", "provider", help="The entity ID of a service.")
@click.option("--reference", help="The reference number of an error page.")
@click.option("--after", type=click.IntRange(0), default=0, help="Sequence numbers above this.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--oldest-first", is_flag=True, help="In the order in which it happened.")
@json_option
@click.pass_obj
def show(
    context: CliContext,
    user: str | None,
    event: str | None,
    provider: str | None,
    reference: str | None,
    after: int,
    limit: int,
    *,
    oldest_first: bool,
    as_json: bool,
) -> None:
    """Show records, the newest first. With --json: one object a line."""
    found = context.idp.read_audit(
        limit=limit,
        after=after,
        event=AuditEvent(event) if event is not None else None,
        user=user,
        provider=provider,
        reference=reference,
        newest_first=not oldest_first,
    )
    if as_json:
        for one in found:
            context.echo_json_line(_plain(one.stored, one.subject_name))
        return
    rows = [
        (
            str(one.stored.sequence),
            instant(one.stored.record.at),
            one.stored.record.event,
            one.subject_name or NONE,
            one.stored.record.provider or NONE,
            Text(one.stored.record.outcome, style=_STYLES.get(one.stored.record.outcome, "")),
            _why(one.stored),
        )
        for one in found
    ]
    headings = ("#", "at", "event", "user", "service", "", "details")
    show_table(headings, rows, empty="nothing is recorded that matches")


@group.command(
    epilog=examples("saml-idp audit receipt _a1b2c3…", "saml-idp audit receipt _… --json")
)
@click.argument("assertion_id")
@json_option
@click.pass_obj
def receipt(context: CliContext, assertion_id: str, *, as_json: bool) -> None:
    """Show how the assertion ASSERTION_ID was earned, and check all of it again.

    Seals, order, the device's signature and the records are held against each other. Exit
    code 2 when one of them does not hold, or when we never signed such an assertion.
    """
    report = context.idp.verify_receipt(AssertionId(assertion_id))
    kept = report.receipt
    if as_json:
        context.echo_json(
            {
                "ok": report.ok,
                "assertion": kept.assertion_id,
                "user": report.username,
                "user_id": kept.user_id,
                "provider": kept.provider,
                "request": kept.request_id,
                "issued_at": kept.issued_at,
                "name_id": kept.name_id,
                "name_id_format": kept.name_id_format,
                "class": kept.context_class,
                "key": kept.key_id,
                "approval": kept.approval,
                "password": kept.password,
                "explanation": list(kept.explanation),
                "checks": [{"name": c.name, "ok": c.ok, "told": c.told} for c in report.checks],
            }
        )
    else:
        show_fields(
            (
                ("assertion", kept.assertion_id),
                ("user", report.username),
                ("service", kept.provider),
                ("issued", instant(kept.issued_at)),
                ("name ID", f"{kept.name_id} ({kept.name_id_format})"),
                ("class", kept.context_class),
                ("key", kept.key_id),
                *(("asked" if n == 0 else "", told) for n, told in enumerate(kept.explanation)),
            )
        )
        click.echo()
        good, bad = Text("holds", style="green"), Text("DOES NOT HOLD", style="bold red")
        rows = [(check.name, good if check.ok else bad, check.told) for check in report.checks]
        show_table(("check", "", "found"), rows, empty="")
    if not report.ok:
        raise click.exceptions.Exit(2)


def _why(stored: "StoredRecord") -> str:
    """Return reason and details in one line."""
    details = ", ".join(
        f"{name}={value}" for name, value in stored.record.details.items() if value is not None
    )
    return "; ".join(part for part in (stored.record.reason, details) if part)


def _plain(stored: "StoredRecord", name: str) -> dict[str, object]:
    record = stored.record
    return {
        "sequence": stored.sequence,
        "at": record.at,
        "event": record.event,
        "outcome": record.outcome,
        "reason": record.reason,
        "subject": record.subject,
        "subject_name": name,
        "provider": record.provider,
        "attempt": record.attempt,
        "actor": record.origin.actor,
        "address": record.origin.address,
        "browser": record.origin.browser,
        "reference": record.origin.reference,
        "details": dict(record.details),
    }
