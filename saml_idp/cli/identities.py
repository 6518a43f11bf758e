"""``saml-idp id``: give a user their ID, invite a device to it, take it away."""

import io

import click
import segno

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import examples, instant, json_option
from saml_idp.cli.person_shown import as_plain, show_person


@click.group
def group() -> None:
    """IDs: the second step's identity of a user, with the devices that hold its keys."""


@group.command(epilog=examples("saml-idp id assign alice", "saml-idp id assign bob --id bob.baker"))
@click.argument("user")
@click.option("--id", "identity", help="The ID [default: the one they have, else the user name].")
@click.option("--no-qr", is_flag=True, help="Print the link alone.")
@json_option
@click.pass_obj
def assign(
    context: CliContext, user: str, identity: str | None, *, no_qr: bool, as_json: bool
) -> None:
    """Give USER an ID if they have none, and make an invitation for one device.

    The link and its QR code are shown once, here. They work once, for 24 hours; the device
    asks for the user's password as well. A new invitation ends an open one.
    """
    idp = context.idp
    person = idp.find_people.named(user).person
    invitation = idp.assign_identity(person.user_id, identity, origin=context.origin)
    if as_json:
        context.echo_json(
            {
                "username": person.username,
                "id": invitation.identity,
                "link": invitation.link,
                "expires_at": invitation.expires_at,
            }
        )
        return
    click.echo(f"{person.username} has the ID {invitation.identity}")
    click.echo("open this link on the device, or scan the code (shown only now):\n")
    click.echo(f"  {invitation.link}\n")
    if not no_qr:
        click.echo(_qr(invitation.link))
    click.echo(f"valid until {instant(invitation.expires_at)}, once")


@group.command(epilog=examples("saml-idp id show alice"))
@click.argument("identity")
@json_option
@click.pass_obj
def show(context: CliContext, identity: str, *, as_json: bool) -> None:
    """Show who has IDENTITY (an ID or a user name), and its devices."""
    found = context.idp.find_people.named(identity)
    if as_json:
        context.echo_json(as_plain(found.person, found.devices))
        return
    show_person(found.person, found.devices)


@group.command(epilog=examples("saml-idp id revoke alice", "saml-idp id revoke alice --yes"))
@click.argument("user")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def revoke(context: CliContext, user: str, *, yes: bool) -> None:
    """Take the ID of USER away: all its devices, open approvals and sessions end at once."""
    idp = context.idp
    found = idp.find_people.named(user)
    identity, name = found.person.identity, found.person.username
    if identity is not None and not yes:
        click.confirm(
            f"take the ID {identity} of {name} away, with {found.live_devices} devices?", abort=True
        )
    idp.assign_identity.revoke(found.person.user_id, origin=context.origin)
    click.echo(f"{name} has no ID any more; devices, open approvals and sessions have ended")


def _qr(text: str) -> str:
    """Return a QR code of *text* in half blocks, with the quiet zone a camera needs."""
    drawn = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(drawn, compact=True, border=2)
    return drawn.getvalue()
