"""``saml-idp user``: add, find, change, enable and disable users; set a password."""

from collections.abc import Sequence
from typing import Any, Final

import click

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import NONE, examples, json_option, show_table
from saml_idp.cli.person_shown import as_plain, show_person, standing

_LONGEST_PASSWORD_FILE: Final = 8192

_password_file = click.option(
    "--password-file",
    type=click.File("r", encoding="utf-8", lazy=False),
    help="Read the password from the first line of this file; - for standard input.",
)
_attribute = click.option(
    "--attribute",
    "attributes",
    metavar="NAME=VALUE",
    multiple=True,
    help="An attribute; again for more values. NAME= takes it away.",
)


@click.group(name="user")
def user_group() -> None:
    """Users: who may sign in."""


@user_group.command(
    epilog=examples(
        'saml-idp user add alice --name "Alice Liddell" --email alice@example.com',
        "saml-idp user add root --administrator --group jira-admins",
        "pass show bob | saml-idp user add bob --password-file -",
    )
)
@click.argument("username")
@click.option("--name", help="The name as people say it.")
@click.option("--email", help="Told of security changes; released where a policy says so.")
@click.option("--group", "groups", multiple=True, help="A group; again for more.")
@click.option("--administrator", is_flag=True, help="May use the administration pages.")
@click.option("--no-password", is_flag=True, help="Set none; two-step logins fail until one is.")
@_attribute
@_password_file
@json_option
@click.pass_obj
def add(
    context: CliContext,
    username: str,
    name: str | None,
    email: str | None,
    groups: Sequence[str],
    attributes: Sequence[str],
    password_file: Any,
    *,
    administrator: bool,
    no_password: bool,
    as_json: bool,
) -> None:
    """Add the user USERNAME; asks for a password.

    A new user has no ID yet and cannot complete a login: `saml-idp id assign USERNAME` is next.
    """
    if no_password and password_file is not None:
        raise click.UsageError("--no-password and --password-file exclude each other")
    idp = context.idp
    password = None if no_password else asked_password(password_file)
    person = idp.people.add(
        username,
        attributes=_attributes(attributes, name=name, email=email),
        groups=groups,
        administrator=administrator,
        password=password,
        origin=context.origin,
    )
    if as_json:
        context.echo_json(as_plain(person, ()))
        return
    click.echo(f"added {person.username}")
    click.echo(f"next: saml-idp id assign {person.username}")


@user_group.command(
    "list", epilog=examples("saml-idp user list", "saml-idp user list @example.com --json")
)
@click.argument("text", default="")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, help="Skip so many.")
@json_option
@click.pass_obj
def list_users(context: CliContext, text: str, limit: int, offset: int, *, as_json: bool) -> None:
    """List users whose name, ID or e-mail contains TEXT."""
    found = context.idp.find_people.search(text, limit=limit, offset=offset)
    if as_json:
        context.echo_json([as_plain(one.person, one.devices) for one in found])
        return
    rows = [
        (
            one.person.username,
            " ".join(one.person.values("name")) or NONE,
            one.person.identity or NONE,
            str(one.live_devices),
            "administrator" if one.person.is_administrator else "",
            standing(one.person, one.live_devices),
        )
        for one in found
    ]
    show_table(("user", "name", "ID", "devices", "", "login"), rows, empty="no such user")
    if len(found) == limit:
        click.echo(f"there may be more: --offset {offset + limit}")


@user_group.command(epilog=examples("saml-idp user show alice"))
@click.argument("name")
@json_option
@click.pass_obj
def show(context: CliContext, name: str, *, as_json: bool) -> None:
    """Show the user NAME (user name or ID) and their devices."""
    found = context.idp.find_people.named(name)
    if as_json:
        context.echo_json(as_plain(found.person, found.devices))
        return
    show_person(found.person, found.devices)


@user_group.command(
    epilog=examples(
        "saml-idp user change alice --administrator",
        "saml-idp user change alice --add-group jira-users --remove-group trial",
        "saml-idp user change alice --attribute department=",
    )
)
@click.argument("name")
@click.option("--add-group", "added", multiple=True, help="Put into a group.")
@click.option("--remove-group", "removed", multiple=True, help="Take out of a group.")
@click.option("--administrator/--no-administrator", default=None, help="Give or take the role.")
@_attribute
@json_option
@click.pass_obj
def change(
    context: CliContext,
    name: str,
    added: Sequence[str],
    removed: Sequence[str],
    attributes: Sequence[str],
    *,
    administrator: bool | None,
    as_json: bool,
) -> None:
    """Change the user NAME; what is not named stays."""
    idp = context.idp
    person = idp.find_people.named(name).person
    groups = None
    if added or removed:
        groups = [g for g in (*person.groups, *added) if g not in removed]
    if groups is None and administrator is None and not attributes:
        raise click.UsageError("nothing to change was named")
    changed = idp.people.change(
        person.user_id,
        groups=groups,
        administrator=administrator,
        attributes=_attributes(attributes),
        origin=context.origin,
    )
    found = idp.find_people.get(changed.user_id)
    if as_json:
        context.echo_json(as_plain(found.person, found.devices))
        return
    show_person(found.person, found.devices)


@user_group.command(epilog=examples("saml-idp user disable alice"))
@click.argument("name")
@click.pass_obj
def disable(context: CliContext, name: str) -> None:
    """Keep the user NAME out: sessions and open approvals end at once."""
    idp = context.idp
    person = idp.find_people.named(name).person
    idp.people.disable(person.user_id, origin=context.origin)
    click.echo(f"disabled {person.username}; their sessions and open approvals have ended")


@user_group.command(epilog=examples("saml-idp user enable alice"))
@click.argument("name")
@click.pass_obj
def enable(context: CliContext, name: str) -> None:
    """Let the user NAME sign in again."""
    idp = context.idp
    person = idp.find_people.named(name).person
    idp.people.enable(person.user_id, origin=context.origin)
    click.echo(f"enabled {person.username}")


@user_group.command(
    epilog=examples(
        "saml-idp user password alice", "saml-idp user password alice --password-file new.txt"
    )
)
@click.argument("name")
@_password_file
@click.pass_obj
def password(context: CliContext, name: str, password_file: Any) -> None:
    """Set the password of the user NAME; lifts a lock, ends their sessions, tells them."""
    idp = context.idp
    person = idp.find_people.named(name).person
    given = asked_password(password_file)
    idp.people.set_password(person.user_id, given, origin=context.origin)
    click.echo(f"set the password of {person.username}; their sessions have ended")


def asked_password(file: Any) -> str:
    """Return a password from *file*'s first line, or from a hidden prompt, asked twice.

    Never from an argument: every user of the host can read those (N06).
    """
    if file is None:
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more")
        return asked
    line: str = file.readline(_LONGEST_PASSWORD_FILE)
    return line.removesuffix("\n").removesuffix("\r")


def _attributes(
    given: Sequence[str], *, name: str | None = None, email: str | None = None
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"--attribute wants NAME=VALUE, not {text!r}")
        found.setdefault(key.strip(), []).extend([value] if value else [])
    for key, single in (("name", name), ("email", email)):
        if single is not None:
            found[key] = [single]
    return found
