"""``saml-idp policy``: what a service demands of a login; show, check, change, explain it."""

import difflib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import click

from saml_idp.cli.context import CliContext
from saml_idp.cli.explaining import explain
from saml_idp.cli.output import NONE, examples, json_option, show_table, shown
from saml_idp.domain.advice import advice
from saml_idp.domain.errors import ConfigurationError, Fault, NotFound
from saml_idp.domain.ids import EntityId
from saml_idp.domain.policy import Policy
from saml_idp.domain.policy_keys import plain_values

DEFAULT: Final = "default"  # the word for default.toml where an entity ID is asked for


@click.group
def group() -> None:
    """Policies: what a service demands of a login."""


group.add_command(explain)


@group.command("list", epilog=examples("saml-idp policy list", "saml-idp policy list --json"))
@json_option
@click.pass_obj
def list_all(context: CliContext, *, as_json: bool) -> None:
    """List every service, with the steps its policy asks for."""
    from saml_idp.parts import read_policies, read_providers

    policies, providers = read_policies(context.settings), read_providers(context.settings)
    known = {provider.entity_id for provider in providers}
    found = [(entity_id, policies.find(entity_id)) for entity_id in
             (None, *sorted({*known, *policies.entities()}))]  # fmt: skip
    if as_json:
        context.echo_json(
            [
                _plain(e, policies.file_of(e), policy) | {"known": e is None or e in known}
                for e, policy in found
            ]
        )
        return
    rows = [
        (
            entity_id or "(default)",
            _steps(policy),
            str(policy.access_symbols) if policy is not None else NONE,
            ", ".join(policy.groups) or "everyone" if policy is not None else NONE,
            policies.file_of(entity_id) or NONE,
            "" if entity_id is None or entity_id in known else "no metadata",
        )
        for entity_id, policy in found
    ]
    show_table(("service", "steps", "symbols", "groups", "file", ""), rows, empty="no services")
    _hint_at_faults(policies.faults())


@group.command(
    epilog=examples("saml-idp policy show https://jira.example.com", "saml-idp policy show default")
)
@click.argument("entity_id")
@json_option
@click.pass_obj
def show(context: CliContext, entity_id: str, *, as_json: bool) -> None:
    """Show every value in force for ENTITY_ID, and the file and line it comes from.

    ENTITY_ID "default": for services without a file of their own.
    """
    from saml_idp.parts import read_policies, read_providers

    policies, providers = read_policies(context.settings), read_providers(context.settings)
    wanted = named(entity_id, {*policies.entities(), *(p.entity_id for p in providers)})
    policy = policies.find(wanted)
    if as_json:
        context.echo_json(_plain(wanted, policies.file_of(wanted), policy))
        return
    if policy is None:
        raise ConfigurationError(policies.faults())
    rows = [
        (key, _written(value), str(policy.source(key)))
        for key, value in plain_values(policy).items()
    ]
    show_table(("key", "value", "from"), rows, empty="")
    provider = providers.find(wanted) if wanted is not None else None
    for warning in advice(policy, provider):
        click.echo(f"note: {shown(warning)}")
    _hint_at_faults(policies.faults())


@group.command(
    epilog=examples("saml-idp policy check", "saml-idp policy check draft.toml other.toml")
)
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@click.pass_obj
def check(context: CliContext, files: Sequence[Path], *, as_json: bool) -> None:
    """Check the policies folder, or the FILES named, with the code that serves them.

    Exit code 0: all good; 2: at least one fault. No running server is needed. Notes are about
    policies that are good and may not do what you want.
    """
    from saml_idp.parts import read_policies, read_providers

    policies, providers = read_policies(context.settings), read_providers(context.settings)
    if files:
        faults = [fault for path in files for fault in policies.faults_of(path)]
        notes = []
    else:
        faults = list(policies.faults())
        entities = [None, *{*policies.entities(), *(p.entity_id for p in providers)}]
        notes = [
            f"{e or '(default)'}: {warning}"
            for e in sorted(entities, key=str)
            if (policy := policies.find(e)) is not None
            for warning in advice(policy, providers.find(e) if e is not None else None)
            if e is None or warning not in advice(policies.find(None) or policy, None)
        ]
    if as_json:
        context.echo_json({"ok": not faults, "faults": [plain_fault(f) for f in faults],
                           "notes": notes})  # fmt: skip
    else:
        tell_faults(faults)
        for note in notes:
            click.echo(f"note: {shown(note)}")
        if not faults:
            click.echo(f"no faults; files: {len(files) or len(policies.drafts())}")
    if faults:
        raise click.exceptions.Exit(2)


@group.command(
    "set",
    epilog=examples(
        "saml-idp policy set https://jira.example.com login.two_step=false --yes",
        "saml-idp policy set https://jira.example.com login.groups='[\"jira-users\"]'",
        "saml-idp policy set https://jira.example.com attributes.email=email",
        "saml-idp policy set default login.access_symbols=6",
        "saml-idp policy set https://jira.example.com --remove login.groups",
    ),
)
@click.argument("entity_id")
@click.argument("assignment", required=False, metavar="[KEY=VALUE]")
@click.option("--remove", metavar="KEY", help="Take KEY out of the file: the default counts then.")
@click.option("--yes", is_flag=True, help="Confirm a change that loosens a login.")
@json_option
@click.pass_obj
def set_value(
    context: CliContext,
    entity_id: str,
    assignment: str | None,
    remove: str | None,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Change one value for ENTITY_ID ("default": for services without a file of their own).

    Comments and order of the file stay. The change passes the checks that every file passes,
    and counts for the next request on every worker. One that loosens a login wants --yes.
    """
    key, value = _assigned(assignment, remove)
    idp = context.idp
    wanted = named(entity_id, {*idp.policies.entities(), *(p.entity_id for p in idp.providers)})
    planned = idp.change_policy.plan(wanted, key, value, origin=context.origin)
    plain = {
        "entity_id": wanted,
        "file": planned.file,
        "key": planned.key,
        "before": planned.before,
        "after": planned.after,
        "loosened": planned.loosened,
        "tightened": planned.tightened,
    }
    if planned.loosened and not yes:
        raise click.ClickException(
            f"this loosens {', '.join(planned.loosened)} ({planned.before} to {planned.after}); "
            "say so with --yes"
        )
    idp.change_policy(planned, confirm_loosening=yes, origin=context.origin)
    if as_json:
        context.echo_json(plain)
        return
    click.echo(shown(f"{planned.file}: {planned.key}: {planned.before} -> {planned.after}"))
    for word, keys in (("loosened", planned.loosened), ("tightened", planned.tightened)):
        if keys:
            click.echo(f"{word}: {', '.join(keys)}")


def named(text: str, known: Collection[EntityId]) -> EntityId | None:
    """Return the service that *text* names, None for the default.

    Raises:
        NotFound: no metadata and no policy file is about it; says what is close.
    """
    if text == DEFAULT:
        return None
    if text in known:
        return EntityId(text)
    close = difflib.get_close_matches(text, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise NotFound(f"no service is called {text!r}{hint}")


def tell_faults(faults: Sequence[Fault]) -> None:
    """Print *faults*, one a line, as editors and CI read them."""
    for fault in faults:
        click.echo(shown(str(fault)), err=True)


def plain_fault(fault: Fault) -> dict[str, object]:
    """Return *fault* for JSON."""
    return {
        "file": fault.file,
        "line": fault.line or None,
        "column": fault.column or None,
        "key": fault.key or None,
        "problem": fault.problem,
        "mend": fault.mend,
    }


def _hint_at_faults(faults: Sequence[Fault]) -> None:
    if faults:
        click.echo(f"faults: {len(faults)}; run: saml-idp policy check", err=True)


def _assigned(assignment: str | None, remove: str | None) -> tuple[str, object]:
    """Return key and value of what was typed; a None value removes the key."""
    from saml_idp.toml.places import read_value

    if (assignment is None) == (remove is None):
        raise click.UsageError("give KEY=VALUE, or --remove KEY")
    if assignment is None:
        return str(remove), None
    # The name of an attribute may hold an equals sign, what it is set to cannot.
    split = str.rpartition if assignment.startswith("attributes.") else str.partition
    key, equals, value = split(assignment, "=")
    if not equals or not key:
        raise click.UsageError(f"{assignment!r} is not KEY=VALUE")
    return key.strip(), read_value(value.strip())


def _plain(
    entity_id: EntityId | None, file: str | None, policy: Policy | None
) -> dict[str, object]:
    about: dict[str, object] = {"entity_id": entity_id, "file": file}
    if policy is None:
        return about | {"fault": "policy_fault", "values": None}
    values = {
        key: {"value": value, "from": str(policy.source(key))}
        for key, value in plain_values(policy).items()
    }
    return about | {"fault": None, "values": values}


def _steps(policy: Policy | None) -> str:
    if policy is None:
        return "refused: fault"
    return "password, approval" if policy.two_step else "approval"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(value) or "[]"
    if isinstance(value, dict):
        return "\n".join(f"{name} = {attribute}" for name, attribute in value.items()) or "{}"
    return str(value)
