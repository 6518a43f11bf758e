"""``saml-idp device``: this machine as a device; and, for administrators, everybody's devices."""

from pathlib import Path

import click

from saml_idp.cli.context import CliContext
from saml_idp.cli.device_answers import approve, deny
from saml_idp.cli.output import examples, instant, json_option, show_table, shown
from saml_idp.cli.own_device import enrol, retire, state_option
from saml_idp.cli.software_device import device_errors
from saml_idp.device_sdk.state import StateFolder
from saml_idp.domain.ids import DeviceId


@click.group
def group() -> None:
    """Devices. enrol, approve, deny and retire make this machine a device of an ID: they need
    no settings and no database. list --of and revoke are for the administrator.
    """


for _command in (enrol, approve, deny, retire):
    group.add_command(_command)


@group.command(
    "list", epilog=examples("saml-idp device list", "saml-idp device list --of alice --json")
)
@click.option("--of", "user", help="The devices of this user, from the IdP's database.")
@state_option
@json_option
@click.pass_obj
def list_devices(context: CliContext, user: str | None, state: Path, *, as_json: bool) -> None:
    """List the IDs of this machine; with --of, the devices of a user."""
    if user is not None:
        _list_of(context, user, as_json=as_json)
        return
    with device_errors():
        owns = StateFolder(state).load()
    names = ("id", "device_id", "device", "idp", "entity_id", "base_url")
    rows = [
        (own.identity, own.device_id, own.device_name, own.idp_name, own.entity_id, own.base_url)
        for own in owns
    ]
    if as_json:
        context.echo_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    show_table(
        ("ID", "device", "name", "IdP", "at"),
        [(*row[:4], row[5]) for row in rows],
        empty="this machine is a device of no ID; run: saml-idp device enrol LINK",
    )


@group.command(epilog=examples("saml-idp device list --of alice", "saml-idp device revoke DEVICE"))
@click.argument("device_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def revoke(context: CliContext, device_id: str, *, yes: bool, as_json: bool) -> None:
    """Remove the device DEVICE_ID of any user, a lost one: at once, on all nodes.

    Its owner's open approvals and sessions end too.
    """
    idp = context.idp
    if not yes:
        click.confirm(f"remove the device {device_id}?", abort=True, err=as_json)
    device = idp.retire_device(DeviceId(device_id), origin=context.origin)
    if as_json:
        plain = {"device_id": device.device_id, "name": device.name, "id": device.identity}
        context.echo_json({**plain, "retired_at": device.retired_at})
        return
    click.echo(f"removed {shown(device.name)} of {device.identity}")


def _list_of(context: CliContext, user: str, *, as_json: bool) -> None:
    found = context.idp.find_people.named(user)
    if as_json:
        context.echo_json(
            [
                {
                    "device_id": device.device_id,
                    "name": device.name,
                    "id": device.identity,
                    "method": device.method,
                    "enrolled_at": device.enrolled_at,
                    "last_seen_at": device.last_seen_at,
                    "retired_at": device.retired_at,
                }
                for device in found.devices
            ]
        )
        return
    rows = [
        (d.device_id, d.name, d.method, *(instant(at) for at in (d.enrolled_at, d.last_seen_at)),
         instant(d.retired_at))
        for d in found.devices
    ]  # fmt: skip
    headings = ("device", "name", "kind", "enrolled", "last seen", "removed")
    show_table(headings, rows, empty=f"{found.person.username} has no devices")
