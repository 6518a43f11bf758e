"""``saml-idp sp``: the services whose metadata lies in ``metadata/``; list, check, add them."""

import hashlib
import ssl
from pathlib import Path
from typing import Any

import click

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import NONE, examples, json_option, show_fields, show_table, shown
from saml_idp.cli.policies import plain_fault, tell_faults
from saml_idp.domain.advice import advice
from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import EntityId
from saml_idp.domain.policy import Policy
from saml_idp.domain.service_provider import Certificate, ServiceProvider


@click.group
def group() -> None:
    """Services (SAML service providers), by their metadata files."""


@group.command("list", epilog=examples("saml-idp sp list", "saml-idp sp list --json"))
@json_option
@click.pass_obj
def list_all(context: CliContext, *, as_json: bool) -> None:
    """List the services that may ask for a login."""
    from saml_idp.parts import read_policies, read_providers

    providers, policies = read_providers(context.settings), read_policies(context.settings)
    if as_json:
        context.echo_json([_plain(p, policies.find(p.entity_id)) for p in providers])
        return
    rows = [
        (p.entity_id, p.display_name("en"), _steps(policies.find(p.entity_id)), str(p.source))
        for p in providers
    ]
    empty = "no services yet; see: saml-idp sp add --help"
    show_table(("entity ID", "name", "steps", "from"), rows, empty=empty)
    if providers.faults():
        click.echo(f"faults: {len(providers.faults())}; run: saml-idp sp check", err=True)


@group.command(epilog=examples("saml-idp sp show https://jira.example.com"))
@click.argument("entity_id")
@json_option
@click.pass_obj
def show(context: CliContext, entity_id: str, *, as_json: bool) -> None:
    """Show what we act on for the service ENTITY_ID."""
    from saml_idp.parts import read_policies, read_providers

    providers, policies = read_providers(context.settings), read_policies(context.settings)
    provider = providers.find(EntityId(entity_id))
    if provider is None:
        raise NotFound(f"no service is called {entity_id!r}")
    policy = policies.find(provider.entity_id)
    if as_json:
        context.echo_json(_plain(provider, policy))
        return
    show_fields(_fields(provider, policy))
    _tell_notes(provider, policy)


@group.command(epilog=examples("saml-idp sp check", "saml-idp sp check sp-metadata.xml --json"))
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@click.pass_obj
def check(context: CliContext, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Check the metadata folder, or the FILES named, with the code that serves them.

    Says for each service its steps, addresses, keys and attributes, and notes what may not do
    what you want. Exit code 0: all good; 2: at least one fault. No running server is needed.
    """
    from saml_idp.parts import read_policies, read_providers

    providers, policies = read_providers(context.settings), read_policies(context.settings)
    if files:
        reads = [providers.read_octets(path.read_bytes(), file=str(path)) for path in files]
        found = [provider for read in reads for provider in read.providers]
        faults = [fault for read in reads for fault in read.faults]
    else:
        found, faults = list(providers), list(providers.faults())
    if as_json:
        services = [_plain(p, policies.find(p.entity_id)) for p in found]
        plain_faults = [plain_fault(f) for f in faults]
        context.echo_json({"ok": not faults, "faults": plain_faults, "services": services})
    else:
        for provider in found:
            policy = policies.find(provider.entity_id)
            show_fields(_fields(provider, policy))
            _tell_notes(provider, policy)
            click.echo()
        tell_faults(faults)
        click.echo(f"services: {len(found)}; faults: {len(faults)}")
    if faults:
        raise click.exceptions.Exit(2)


@group.command(
    epilog=examples(
        "saml-idp sp add sp-metadata.xml",
        "saml-idp sp add --entity-id https://jira.example.com \\",
        "    --acs https://jira.example.com/plugins/servlet/samlconsumer",
    )
)
@click.argument("file", required=False, type=click.File("rb", lazy=False))
@click.option("--entity-id", help="For a service without metadata: its entity ID.")
@click.option("--acs", help="And the address that takes the answer, by HTTP-POST.")
@json_option
@click.pass_obj
def add(
    context: CliContext,
    file: Any,
    entity_id: str | None,
    acs: str | None,
    *,
    as_json: bool,
) -> None:
    """Put the metadata FILE (- for standard input) into the folder; it counts at once.

    A service without metadata of its own, as Jira, is added by --entity-id and --acs. Nothing is
    written when there is a fault, or when one of the services is known already.
    """
    if file is not None and entity_id is None and acs is None:
        octets = file.read()
    elif file is None and entity_id is not None and acs is not None:
        octets = context.idp.providers.minimal(entity_id, acs)
    else:
        raise click.UsageError("give a FILE, or --entity-id and --acs")
    idp = context.idp
    added = idp.add_provider(octets, origin=context.origin)
    if as_json:
        context.echo_json([_plain(p, idp.policies.find(p.entity_id)) for p in added])
        return
    for provider in added:
        click.echo(shown(f"added {provider.entity_id} in {provider.source.file}"))
        _tell_notes(provider, idp.policies.find(provider.entity_id))
    click.echo("next: tell the service about us: saml-idp sp paste")


@group.command(epilog=examples("saml-idp sp paste", "saml-idp sp paste --json"))
@json_option
@click.pass_obj
def paste(context: CliContext, *, as_json: bool) -> None:
    """Print what a service's administrator pastes: issuer, sign-in address, certificate.

    Atlassian's products ask for exactly these three. A service that reads metadata gets its
    address instead.
    """
    from saml_idp.parts import signing_certificate

    settings = context.settings
    pem = ssl.DER_cert_to_PEM_cert(signing_certificate(settings))
    values = {
        "issuer": settings.entity_id,
        "sign_in_url": f"{settings.base_url}/saml/sso",
        "metadata_url": f"{settings.base_url}/saml/metadata",
        "certificate": pem,
    }
    if as_json:
        context.echo_json(values)
        return
    # Not in a table: what is pasted must not be broken into lines.
    click.echo(f"Single sign-on issuer (entity ID):\n  {values['issuer']}")
    click.echo(f"Identity provider single sign-on URL:\n  {values['sign_in_url']}")
    click.echo(f"Metadata, for services that read it:\n  {values['metadata_url']}")
    click.echo(f"X.509 certificate:\n{pem.strip()}")


def _fields(provider: ServiceProvider, policy: Policy | None) -> list[tuple[str, str]]:
    released = policy.attributes.items() if policy is not None else ()
    return [
        ("entity ID", provider.entity_id),
        ("name", provider.display_name("en")),
        ("from", str(provider.source)),
        ("steps", _steps(policy)),
        ("answers go to", "\n".join(c.location for c in provider.consumers)),
        ("signs requests", "yes" if provider.signs_requests else "no"),
        ("signing keys", _keys(provider.signing_certificates)),
        ("encryption keys", _keys(provider.encryption_certificates)),
        ("attributes", "\n".join(f"{name} = {value}" for name, value in released) or NONE),
    ]


def _keys(certificates: tuple[Certificate, ...]) -> str:
    return "\n".join(f"{_fingerprint(c)} (to {c.not_after[:10]})" for c in certificates) or NONE


def _fingerprint(certificate: Certificate) -> str:
    return hashlib.sha256(certificate.der).hexdigest()


def _steps(policy: Policy | None) -> str:
    if policy is None:
        return "refused: the policy has a fault; run: saml-idp policy check"
    return "password, then approval" if policy.two_step else "approval"


def _tell_notes(provider: ServiceProvider, policy: Policy | None) -> None:
    for note in advice(policy, provider) if policy is not None else ():
        click.echo(f"note: {shown(note)}")


def _plain(provider: ServiceProvider, policy: Policy | None) -> dict[str, object]:
    def keys(certificates: tuple[Certificate, ...]) -> list[dict[str, str]]:
        return [{"sha256": _fingerprint(c), "not_after": c.not_after} for c in certificates]

    return {
        "entity_id": provider.entity_id,
        "name": provider.display_name("en"),
        "from": str(provider.source),
        "two_step": policy.two_step if policy is not None else None,
        "policy_fault": policy is None,
        "consumers": [
            {"location": c.location, "binding": c.binding, "index": c.index}
            for c in provider.consumers
        ],
        "signs_requests": provider.signs_requests,
        "signing_certificates": keys(provider.signing_certificates),
        "encryption_certificates": keys(provider.encryption_certificates),
        "attributes": dict(policy.attributes) if policy is not None else None,
        "notes": list(advice(policy, provider)) if policy is not None else [],
    }
