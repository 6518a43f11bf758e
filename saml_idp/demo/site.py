"""What the demonstration consists of: a folder with settings, keys, files, users; two processes."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from saml_idp.bootstrap import Idp, build
from saml_idp.demo.provider import ACS_PATH
from saml_idp.domain.audit import Origin
from saml_idp.domain.errors import NotFound
from saml_idp.settings import load_settings
from saml_idp.upkeep import make_keys, upgrade_database

# Known to everybody and good for nothing but this folder's database.
USERS: Final = {"alice": "Alice Example", "bob": "Bob Example"}
PASSWORD: Final = "violet harbour lantern"
_ORIGIN: Final = Origin(reference="demo", address="", actor="demo")

_SETTINGS: Final = """\
# Written by the demonstration. A production server has its own saml_idp.toml elsewhere.
base_url = "{base_url}"
development = true

[database]
url = "sqlite:///idp.sqlite3"

[paths]
keys = "keys"
metadata = "metadata"
policies = "policies"
state = "state"

[server]
host = "127.0.0.1"
port = {port}
workers = 1

[organisation]
name = "Example Organisation"
"""

_POLICY: Final = """\
# The demo service. Try it: set two_step = false, save, and sign in again.
entity_id = "{service_url}"

[login]
two_step = true               # password, then ID approval. false: ID approval alone
step_max_age_seconds = 28800
access_symbols = 4

[assertion]
name_id_format = "unspecified"
name_id_attribute = "username"
encrypt = "never"             # Jira has no key to decrypt with

[attributes]
email = "email"
displayName = "name"
groups = "groups"
"""

_METADATA: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
    xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui" entityID="{service_url}">
  <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"
      AuthnRequestsSigned="false" WantAssertionsSigned="true">
    <md:Extensions>
      <mdui:UIInfo>
        <mdui:DisplayName xml:lang="en">Demo service</mdui:DisplayName>
        <mdui:DisplayName xml:lang="de">Demo-Dienst</mdui:DisplayName>
      </mdui:UIInfo>
    </md:Extensions>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>
    <md:AssertionConsumerService index="0" isDefault="true"
        Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
        Location="{service_url}{acs}"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
"""


class PortTaken(Exception):
    """Something listens on a port of the demonstration; the text says what to do."""


class DemoSite:
    """The demonstration in *folder*: IdP on *port*, service on *service_port*, both loopback."""

    def __init__(self, folder: Path, *, port: int, service_port: int) -> None:
        self.folder = folder
        self.port, self.service_port = port, service_port
        self.base_url = f"http://localhost:{port}"
        self.service_url = f"http://localhost:{service_port}"
        self.settings_file = folder / "saml_idp.toml"

    def check_ports(self) -> None:
        """Raise ``PortTaken`` when something else listens where the demonstration would."""
        for port, option in ((self.port, "--port"), (self.service_port, "--service-port")):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    raise PortTaken(
                        f"port {port} is taken: stop what listens there, or run "
                        f"python -m saml_idp.demo {option} OTHER"
                    )

    def set_up(self, say: Callable[[str], None]) -> None:
        """Make what is missing; leave what the user changed."""
        for name in ("", "metadata", "policies", "state"):
            (self.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write(self.settings_file, _SETTINGS)
        self._write(self.folder / "metadata" / "demo.xml", _METADATA)
        self._write(self.folder / "policies" / "demo.toml", _POLICY)
        settings = load_settings(self.settings_file, {})
        say("Setting up: keys …")
        make_keys(settings, "rsa-3072", _ORIGIN)
        say("Setting up: database …")
        upgrade_database(settings)
        say("Setting up: users …")
        idp = build(settings)
        for username, name in USERS.items():
            self._add_user(idp, username, name)
        idp.store.close()

    def commands(self) -> list[list[str]]:
        """Return the commands of the two processes."""
        service = [
            sys.executable, "-m", "saml_idp.demo.provider",
            "--port", str(self.service_port),
            "--base-url", self.service_url,
            "--idp-entity-id", f"{self.base_url}/saml/metadata",
            "--idp-sso-url", f"{self.base_url}/saml/sso",
            "--idp-certificate", str(self.folder / "keys" / "assertion-active.crt"),
        ]  # fmt: skip
        serve = [sys.executable, "-m", "saml_idp", "--settings", str(self.settings_file), "serve"]
        return [serve, service]

    def print_tour(self, say: Callable[[str], None]) -> None:
        """Print the five lines of the tour, with a fresh enrolment link for alice."""
        idp = build(load_settings(self.settings_file, {}))
        person = idp.find_people.named("alice").person
        link = idp.assign_identity(person.user_id, None, origin=_ORIGIN).link
        idp.store.close()
        settings = os.path.relpath(self.settings_file)
        command = f".venv/bin/saml-idp --settings {settings} device"
        say("")
        say("The identity provider runs. Five steps:")
        say(f"  1. Make this browser alice's device: {link} (or: {command} enrol LINK)")
        say(f"  2. Open the demo service and sign in: {self.service_url}")
        say(f'  3. User name alice, password "{PASSWORD}" (the same in step 1)')
        say(f"  4. Approve on {self.base_url}/device/ (or: {command} approve SYMBOLS)")
        say(f"  5. Look at the trail: .venv/bin/saml-idp --settings {settings} audit show")
        say(f"Files: {os.path.relpath(self.folder)}/  Stop: Ctrl-C")

    def _write(self, path: Path, text: str) -> None:
        if path.exists():
            return
        filled = text.format(
            base_url=self.base_url, port=self.port, service_url=self.service_url, acs=ACS_PATH
        )
        path.write_text(filled, encoding="utf-8")
        path.chmod(0o600)

    @staticmethod
    def _add_user(idp: Idp, username: str, name: str) -> None:
        try:
            idp.find_people.named(username)
        except NotFound:
            attributes = {"name": (name,), "email": (f"{username}@example.test",)}
            idp.people.add(username, origin=_ORIGIN, password=PASSWORD,
                           groups=("jira-users", "demo"), attributes=attributes)  # fmt: skip
