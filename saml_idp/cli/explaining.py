"""``saml-idp policy explain``: what a login would have to do now, and why."""

from collections.abc import Sequence
from typing import Final

import click

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import NONE, examples, json_option, show_fields, show_table, shown
from saml_idp.domain.decision import LoginPlan, Reason, Refusal, decide
from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import EntityId
from saml_idp.domain.person import Person
from saml_idp.domain.policy import NameIdFormat, Policy
from saml_idp.domain.request import Comparison, RequestedContext

_PSEUDONYMS: Final = {
    NameIdFormat.PERSISTENT: "a pseudonym for this service, always the same",
    NameIdFormat.TRANSIENT: "a pseudonym, another one each time",
}


@click.command(
    epilog=examples(
        "saml-idp policy explain --sp https://jira.example.com",
        "saml-idp policy explain --sp https://jira.example.com --user alice",
        "saml-idp policy explain --sp https://jira.example.com \\",
        "    --context https://refeds.org/profile/mfa --force-authn",
    )
)
@click.option("--sp", "entity_id", required=True, help="The service's entity ID.")
@click.option("--user", "name", help="A user name or an ID.")
@click.option("--context", "classes", multiple=True, metavar="CLASS",
              help="A class the request asks for; again for more.")  # fmt: skip
@click.option(
    "--comparison",
    type=click.Choice([c.value for c in Comparison]),
    default=Comparison.EXACT.value,
    show_default=True,
    help="How the classes are meant.",
)
@click.option("--force-authn", is_flag=True, help="As if the request forced every step anew.")
@click.option("--passive", is_flag=True, help="As if the request forbade any page.")
@json_option
@click.pass_obj
def explain(
    context: CliContext,
    entity_id: str,
    name: str | None,
    classes: Sequence[str],
    comparison: str,
    *,
    force_authn: bool,
    passive: bool,
    as_json: bool,
) -> None:
    """Say what a login would have to do now, and which line of which file says so.

    It is the function that decides every login, asked about one without a session. Exit code 0:
    the login could be done; 2: it would be refused.
    """
    idp = context.idp
    provider = idp.providers.find(EntityId(entity_id))
    if provider is None:
        raise NotFound(f"no service is called {entity_id!r}; see: saml-idp sp list")
    policy = idp.policies.policy_for(provider.entity_id)
    person = idp.directory.find(name) if name is not None else None
    if name is not None and person is None:
        raise NotFound(f"no user and no ID is called {name!r}")
    decision = decide(
        policy,
        context=RequestedContext(Comparison(comparison), tuple(classes)) if classes else None,
        force_authn=force_authn,
        is_passive=passive,
        person=person,
        session_evidence=(),
        now=idp.clock.now(),
    )
    released = _released(policy, person)
    if as_json:
        context.echo_json(_plain(decision, released))
    else:
        _show(decision, released)
    if isinstance(decision, Refusal):
        raise click.exceptions.Exit(2)


def _released(policy: Policy, person: Person | None) -> list[tuple[str, str]]:
    """Return (what, value) of the name identifier and each attribute; *person* may be open."""
    if policy.name_id_format in _PSEUDONYMS:
        identifier = _PSEUDONYMS[policy.name_id_format]
    else:
        identifier = _value(policy.name_id_attribute, person) or "none: the login is refused"
    found = [(f"name identifier ({policy.name_id_format})", identifier)]
    found += [
        (name, _value(attribute, person) or "not sent: the user has none")
        for name, attribute in policy.attributes.items()
    ]
    return found


def _value(attribute: str, person: Person | None) -> str:
    if person is None:
        return f"the user's {attribute}"
    return ", ".join(person.values(attribute))


def _show(decision: LoginPlan | Refusal, released: list[tuple[str, str]]) -> None:
    if isinstance(decision, Refusal):
        show_fields([("refused", str(decision.reason))])
    else:
        show_fields(
            [("steps", ", then ".join(decision.steps)), ("class claimed at least", decision.claims)]
        )
    click.echo("\nbecause")
    rows = [(reason.text, _source(reason)) for reason in decision.reasons]
    show_table(("rule", "from"), rows, empty="no rule")
    if isinstance(decision, LoginPlan):
        click.echo("\nreleased")
        for what, value in released:
            click.echo(shown(f"  {what}: {value}"))


def _source(reason: Reason) -> str:
    return str(reason.source) if reason.source is not None else NONE


def _plain(decision: LoginPlan | Refusal, released: list[tuple[str, str]]) -> dict[str, object]:
    reasons = [
        {"text": r.text, "key": r.key or None, "from": str(r.source) if r.source else None}
        for r in decision.reasons
    ]
    if isinstance(decision, Refusal):
        return {"refused": decision.reason, "reasons": reasons}
    return {
        "refused": None,
        "steps": decision.steps,
        "remaining": decision.remaining,
        "claims": decision.claims,
        "reasons": reasons,
        "released": dict(released),
    }
