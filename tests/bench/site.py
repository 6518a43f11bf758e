"""An IdP with one provider, one user and one software device, as the bench needs them."""

import http.client
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from saml_idp.bootstrap import build
from saml_idp.device_sdk.client import DeviceClient, EnrolledId
from saml_idp.device_sdk.discovery import discover
from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.messages import Verdict
from saml_idp.domain.audit import Origin
from saml_idp.settings import load_settings
from saml_idp.upkeep import make_keys
from tests.live.peer import SSO, BrowserPeer, authn_request, redirect_query
from tests.live.serving import RunningIdp

PROVIDER = "https://sp.example.test"
PASSWORD = "quiet lanterns over the river"
# Five approvals an ID in a quarter of an hour: a bench of many logins needs many users.
LOGINS_FOR_EACH = 4
ORIGIN = Origin(reference="bench", address="", actor="bench")


@dataclass
class BenchSite:
    """The running IdP and what speaks to it."""

    idp: RunningIdp
    client: DeviceClient
    devices: list[EnrolledId]
    _taken: list[int] = field(default_factory=list)

    @classmethod
    def started(cls, folder: Path, *, database_url: str, workers: int, logins: int) -> Self:
        """Set everything up by command line, services and device protocol, and start."""
        idp = RunningIdp(
            folder,
            database_url=database_url,
            workers=workers,
            settings_extra="calls_per_minute = 1000000\n",
        )
        idp.write_settings()
        # So that peers compare: the product itself makes no RSA key below 3072 bits.
        make_keys(load_settings(idp.settings_file, {}), "rsa-2048", ORIGIN)
        idp.set_up()
        idp.cli("sp", "add", "--entity-id", PROVIDER, "--acs", f"{PROVIDER}/acs")
        idp.start()
        client = DeviceClient(idp.base_url, discover(idp.base_url).entity_id)
        house = build(load_settings(idp.settings_file, {}))
        devices = []
        for number in range(logins // LOGINS_FOR_EACH + 3):
            person = house.people.add(
                f"user{number}",
                origin=ORIGIN,
                password=PASSWORD,
                attributes={"name": (f"User {number}",)},
            )
            code = house.assign_identity(person.user_id, None, origin=ORIGIN).code
            enrolment = client.enrol(
                code, key=DeviceKey.generate(), device_name="bench", password=PASSWORD
            )
            if enrolment.trial is not None:
                client.answer(enrolment.enrolled, enrolment.trial, Verdict.APPROVE)
            devices.append(enrolment.enrolled)
        house.store.close()
        return cls(idp, client, devices)

    @property
    def process_id(self) -> int:
        """Return the server's process."""
        assert self.idp.process is not None
        return self.idp.process.pid

    @property
    def certificate(self) -> bytes:
        """Return the assertion certificate, PEM."""
        return (self.idp.folder / "keys" / "assertion-active.crt").read_bytes()

    def stop(self) -> None:
        """Stop the server."""
        self.idp.stop()

    def sign(self, what: str) -> None:
        """Set what is signed for the provider."""
        self.idp.cli("policy", "set", PROVIDER, f"assertion.sign={what}", "--yes")
        self.idp.cli("policy", "set", PROVIDER, "login.step_max_age_seconds=86400", "--yes")

    def whole_login(self, number: int) -> str:
        """Sign in with password and approval; return the page with the response."""
        return self._signed_in(3 + number % (len(self.devices) - 3))[1]

    def signed_in_browser(self) -> str:
        """Return the Cookie header of a browser with a live session."""
        browser, _ = self._signed_in(len(self._taken) % 3)
        self._taken.append(1)
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.http.cookies)

    def _signed_in(self, number: int) -> tuple[BrowserPeer, str]:
        own = self.devices[number]
        browser = BrowserPeer(self.idp.base_url)
        browser.start(PROVIDER)
        page = browser.sign_in(own.identity, PASSWORD)
        for approval in self.client.approvals(own).approvals:
            self.client.answer(own, approval, Verdict.APPROVE, symbols=page.symbols)
        page = browser.submit("finish")
        if 'name="SAMLResponse"' not in page.text:
            raise SystemExit(f"no response for {own.identity}: {page.status}\n{page.text[:3000]}")
        return browser, page.text

    def sso(self, cookie: str, count: int) -> list[str]:
        """Send *count* fresh AuthnRequests over one connection; return the pages."""
        connection = http.client.HTTPConnection("127.0.0.1", self.idp.port, timeout=20)
        headers = {"Cookie": cookie, "Host": f"localhost:{self.idp.port}"}
        pages = []
        for _ in range(count):
            xml = authn_request(issuer=PROVIDER, destination=self.idp.base_url + SSO)
            connection.request("GET", f"{SSO}?{redirect_query(xml)}", headers=headers)
            answer = connection.getresponse()
            pages.append(answer.read().decode())
            if answer.status != 200:
                raise SystemExit(f"{answer.status}: {pages[-1][:2000]}")
        connection.close()
        return pages
