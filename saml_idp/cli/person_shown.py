"""A user with their devices, as the terminal or a program is shown them."""

from collections.abc import Sequence

import click

from saml_idp.cli.output import NONE, instant, show_fields, show_table
from saml_idp.domain.device import Device
from saml_idp.domain.person import Person


def show_person(person: Person, devices: Sequence[Device]) -> None:
    """Print a user and their devices for a person."""
    live = sum(device.is_live for device in devices)
    fields = [
        ("user", person.username),
        ("ID", person.identity or NONE),
        ("login", standing(person, live)),
        ("administrator", "yes" if person.is_administrator else "no"),
        ("password", "set" if person.has_password else "none"),
        ("groups", ", ".join(person.groups) or NONE),
        *((name, ", ".join(values)) for name, values in person.attributes.items()),
        ("since", instant(person.created_at)),
    ]
    show_fields(fields)
    click.echo()
    rows = [
        (
            d.device_id,
            d.name,
            instant(d.enrolled_at),
            instant(d.last_seen_at),
            instant(d.retired_at),
        )
        for d in devices
    ]
    headings = ("device", "name", "enrolled", "last seen", "retired")
    show_table(headings, rows, empty="no devices")


def as_plain(person: Person, devices: Sequence[Device]) -> dict[str, object]:
    """Return a user and their devices as values for JSON."""
    return {
        "user_id": person.user_id,
        "username": person.username,
        "id": person.identity,
        "enabled": person.enabled,
        "administrator": person.is_administrator,
        "has_password": person.has_password,
        "groups": list(person.groups),
        "attributes": {name: list(values) for name, values in person.attributes.items()},
        "created_at": person.created_at,
        "devices": [
            {
                "device_id": d.device_id,
                "name": d.name,
                "id": d.identity,
                "enrolled_at": d.enrolled_at,
                "last_seen_at": d.last_seen_at,
                "retired_at": d.retired_at,
            }
            for d in devices
        ],
    }


def standing(person: Person, live_devices: int) -> str:
    """Return in a few words why the user can or cannot sign in."""
    if not person.enabled:
        return "disabled"
    if person.identity is None:
        return "no ID"
    return "ready" if live_devices else "no device"
