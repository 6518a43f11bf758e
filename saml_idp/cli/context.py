"""What every command is handed: settings and verbs, each made when first asked for."""

import json
import os
import pwd
import secrets
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from saml_idp.domain.audit import Origin
from saml_idp.domain.errors import ConfigurationError, Fault

if TYPE_CHECKING:
    from saml_idp.bootstrap import Idp
    from saml_idp.settings import Settings

_NO_LOGIN: Final = 2**32 - 1  # /proc/self/loginuid where nobody logged in


class CliContext:
    """The context object of every command (``click.pass_obj``).

    ``settings_file`` None: where ``settings`` looks by default.
    """

    def __init__(self, settings_file: Path | None = None) -> None:
        self.settings_file = settings_file
        self.debug = False

    @cached_property
    def settings(self) -> "Settings":
        """The operator's settings, checked.

        Raises:
            ConfigurationError: every fault in them at once; or this is not the service's user.
        """
        from saml_idp.settings import load_settings_here

        settings = load_settings_here(self.settings_file)
        _refuse_another_user(settings)
        return settings

    @cached_property
    def idp(self) -> "Idp":
        """The whole product; needs keys and a database."""
        from saml_idp.bootstrap import build
        from saml_idp.logs import configure_logs

        configure_logs("debug" if self.debug else "warning")
        return build(self.settings)

    @cached_property
    def origin(self) -> Origin:
        """Who runs this command, for the audit trail."""
        return Origin(secrets.token_urlsafe(10), "", f"cli:{_operator()}")

    def echo_json(self, value: Any) -> None:
        """Print *value* as JSON, for programs."""
        click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))

    def echo_json_line(self, value: Any) -> None:
        """Print *value* as JSON on one line; ASCII, so that no value makes a line of its own."""
        click.echo(json.dumps(value, default=_plain))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value)


def _operator() -> str:
    """Return the operating system's user, the one who logged in rather than who ``sudo`` made
    of them: the kernel's login uid is set once and stays (audit(8)).
    """
    uid = os.getuid()
    try:
        login = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        login = _NO_LOGIN
    return name_of_user(uid if login == _NO_LOGIN else login)


def name_of_user(uid: int) -> str:
    """Return the name of the operating system's user *uid*, its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _refuse_another_user(settings: "Settings") -> None:
    """N05: who is not the service's user leaves files behind that the service cannot open."""
    me = os.geteuid()
    for path in _owned_by_service(settings):
        try:
            owner = path.stat().st_uid
        except OSError:
            continue  # not there yet, or not for us to see: its reader says so
        if owner != me:
            name = name_of_user(owner)
            raise ConfigurationError(
                [
                    Fault(
                        str(path),
                        0,
                        0,
                        "",
                        f"this belongs to the user {name!r}, you are {name_of_user(me)!r}",
                        f"run: sudo -u {name} saml-idp …",
                    )
                ]
            )


def _owned_by_service(settings: "Settings") -> list[Path]:
    paths = [settings.keys_dir, settings.state_dir]
    kind, _, rest = settings.database_url.partition("://")
    if kind.startswith("sqlite") and rest.startswith("/"):
        paths.append(Path(rest[1:]))
    return paths
