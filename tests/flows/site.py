"""An installation in process, its clock in the test's hand."""

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import webtest

from saml_idp.bootstrap import Idp, build
from saml_idp.device_sdk.client import DeviceClient, EnrolledId, Result
from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.links import parse_enrolment_link
from saml_idp.device_sdk.messages import Verdict
from saml_idp.device_sdk.transport import HttpAnswer, HttpCall
from saml_idp.domain.audit import AuditEvent, Origin, StoredRecord
from saml_idp.domain.person import Person
from saml_idp.saml.sp_metadata import write_minimal_metadata
from saml_idp.settings import load_settings
from saml_idp.upkeep import make_keys, upgrade_database
from saml_idp.web.app import make_application
from tests.fakes import FakeClock
from tests.live.peer import SSO, authn_request, redirect_query

BASE = "http://localhost"
TWO_STEP = "https://two.example.test"
ALONE = "https://alone.example.test"
PASSWORD = "quiet lanterns over the river"
ORIGIN = Origin(reference="test", address="", actor="test")

_SETTINGS = f"""
base_url = "{BASE}"
development = true
[database]
url = "sqlite:///idp.sqlite3"
[server]
calls_per_minute = 10000
"""


def make_template(folder: Path) -> Path:
    """Make keys, settings and an empty database in *folder*."""
    (folder / "saml_idp.toml").write_text(_SETTINGS)
    for name in ("metadata", "policies", "var"):
        (folder / name).mkdir(mode=0o700)
    settings = load_settings(folder / "saml_idp.toml", {})
    make_keys(settings, "p-256", ORIGIN)
    upgrade_database(settings)
    return folder


@dataclass
class Phone:
    """A device of one ID, speaking the real protocol over the real WSGI application."""

    client: DeviceClient
    own: EnrolledId

    def look(self) -> list[Any]:
        """Return the open approvals."""
        return list(self.client.approvals(self.own).approvals)

    def answer(self, symbols: str = "", verdict: Verdict = Verdict.APPROVE) -> Result:
        """Answer the one open approval."""
        (approval,) = self.look()
        return self.client.answer(self.own, approval, verdict, symbols=symbols)


@dataclass
class Site:
    """The installation, its browsers and phones."""

    folder: Path
    clock: FakeClock
    idp: Idp
    app: Any
    people: dict[str, Person] = field(default_factory=dict)

    @classmethod
    def opened(cls, folder: Path) -> Self:
        """Open the installation in *folder*."""
        clock = FakeClock()
        idp = build(load_settings(folder / "saml_idp.toml", {}), clock=clock)
        return cls(folder, clock, idp, make_application(idp))

    def close(self) -> None:
        """Close the database."""
        self.idp.store.close()

    def populate(self) -> None:
        """Add two providers and alice with an ID."""
        self.add_provider(TWO_STEP, "")
        self.add_provider(ALONE, "[login]\ntwo_step = false\n")
        self.add_user("alice")

    def add_provider(self, entity_id: str, policy: str, metadata: bytes | None = None) -> None:
        """Register a provider by files, as an operator would."""
        name = re.sub(r"\W", "-", entity_id)
        octets = metadata or write_minimal_metadata(entity_id, f"{entity_id}/acs")
        (self.folder / "metadata" / f"{name}.xml").write_bytes(octets)
        self.write_policy(entity_id, policy)
        self.idp.providers.refresh()

    def write_policy(self, entity_id: str, policy: str) -> None:
        """Write the policy file of a provider and take it over."""
        name = re.sub(r"\W", "-", entity_id)
        file = self.folder / "policies" / f"{name}.toml"
        file.write_text(f'entity_id = "{entity_id}"\n{policy}')
        self.idp.policies.refresh()

    def add_user(self, username: str, *, with_identity: bool = True, **values: Any) -> Person:
        """Add a user, with an ID if wished."""
        given = {"attributes": {"name": (username.title(),)}, "password": PASSWORD, **values}
        person = self.idp.people.add(username, origin=ORIGIN, **given)
        if with_identity:
            self.invite(person)
        self.people[username] = self.idp.directory.get(person.user_id)
        return self.people[username]

    def invite(self, person: Person) -> str:
        """Return the enrolment link of a fresh invitation."""
        return self.idp.assign_identity(person.user_id, None, origin=ORIGIN).link

    def phone(self, username: str = "alice", *, trial: bool = True) -> Phone:
        """Enrol a phone for the user and pass its trial."""
        link = parse_enrolment_link(self.invite(self.people[username]))
        client = DeviceClient(
            BASE,
            self.idp.settings.entity_id,
            transport=self.transport,
            clock=lambda: self.clock.now().timestamp(),
        )
        enrolment = client.enrol(
            link.code, key=DeviceKey.generate(), device_name="phone", password=PASSWORD
        )
        phone = Phone(client, enrolment.enrolled)
        if trial and enrolment.trial is not None:
            assert client.answer(phone.own, enrolment.trial, Verdict.APPROVE) is Result.GRANTED
        self.clock.advance(seconds=1)
        return phone

    def make_ready_administrator(self) -> None:
        """Add an administrator with an ID and a live device."""
        self.add_user("root", administrator=True)
        self.phone("root")

    def browser(self) -> "Browser":
        """Return a browser without cookies."""
        return Browser(self)

    def post_binding(self, browser: "Browser", issuer: str, **request: str) -> Any:
        """Send an AuthnRequest by HTTP-POST from another site: Lax cookies stay at home."""
        xml = browser.request_xml(issuer, **request)
        kept = {cookie.name: cookie.value for cookie in browser.http.cookiejar}
        browser.http.reset()
        fields = {"SAMLRequest": base64.b64encode(xml.encode()).decode()}
        answer = browser.post(SSO, fields, follow=False)
        assert answer.status_int == 303
        for name, value in kept.items():
            browser.http.set_cookie(name, value)
        return browser.get(urlsplit(answer.location).path)

    def trail(self, event: AuditEvent | None = None) -> list[StoredRecord]:
        """Return the audit trail, oldest first."""
        with self.idp.store.view() as unit:
            return list(unit.audit.read(limit=1000, event=event, newest_first=False))

    def receipts(self) -> int:
        """Return how many receipts there are."""
        with self.idp.store.view() as unit:
            return unit.receipts.count()

    def transport(self, call: HttpCall) -> HttpAnswer:
        """Carry a phone's call to the application."""
        http = webtest.TestApp(self.app, extra_environ=ENVIRON)
        answer = http.request(
            urlsplit(call.url).path,
            method=call.method,
            headers=dict(call.headers),
            body=call.body or b"",
            expect_errors=True,
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return HttpAnswer(answer.status_int, headers, answer.body)


ENVIRON = {"REMOTE_ADDR": "127.0.0.1"}


class Browser:
    """A browser: WebTest's cookie jar, and the page it is on."""

    def __init__(self, site: Site, address: str = "192.0.2.7") -> None:
        self.site = site
        self.http = webtest.TestApp(site.app, extra_environ={**ENVIRON, "REMOTE_ADDR": address})
        self.page: Any = None

    def start(self, issuer: str = TWO_STEP, *, follow: bool = True, **request: str) -> Any:
        """Begin a login by HTTP-Redirect."""
        return self.get(f"{SSO}?{self.query(issuer, **request)}", follow=follow)

    def query(
        self, issuer: str = TWO_STEP, *, relay_state: str | None = None, **request: str
    ) -> str:
        """Return the query of a fresh AuthnRequest."""
        return redirect_query(self.request_xml(issuer, **request), relay_state)

    def request_xml(self, issuer: str, **request: str) -> str:
        """Return a fresh AuthnRequest, its instant that of the test's clock."""
        xml = authn_request(issuer=issuer, destination=BASE + SSO, **request)
        instant = self.site.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        return re.sub(r'IssueInstant="[^"]+"', f'IssueInstant="{instant}"', xml)

    def get(self, url: str, *, follow: bool = True, **more: Any) -> Any:
        """Open *url*."""
        return self._kept(self.http.get(url, expect_errors=True, **more), follow=follow)

    def post(self, url: str, fields: dict[str, str], *, follow: bool = True, **more: Any) -> Any:
        """Submit *fields* to *url*."""
        return self._kept(self.http.post(url, fields, expect_errors=True, **more), follow=follow)

    def submit(self, form_id: str, *, follow: bool = True, **fields: str) -> Any:
        """Submit the form of the present page with that id."""
        form = self.page.forms[form_id]
        shown = {name: form[name].value for name in form.fields if name}
        return self.post(form.action, {**shown, **fields}, follow=follow)

    def sign_in(self, username: str = "alice", password: str = PASSWORD) -> Any:
        """Fill in the password page."""
        return self.submit("login", username=username, password=password)

    def ask_again(self) -> Any:
        """Press the button that asks the phone once more."""
        form = next(f for f in self.page.forms.values() if f.action.endswith("/approval"))
        return self.post(form.action, {"csrf_token": form["csrf_token"].value})

    def submit_first(self) -> Any:
        """Submit the first form of the page."""
        form = self.page.forms[0]
        return self.post(form.action, {n: form[n].value for n in form.fields if n})

    def cookie(self, name: str) -> str:
        """Return the value of a cookie, "" without one."""
        return str(self.http.cookies.get(name, ""))

    @property
    def symbols(self) -> str:
        """Return the row of symbols on the page."""
        return "".join(re.findall(r'<span class="character">(.)</span>', self.page.text))

    def _kept(self, answer: Any, *, follow: bool) -> Any:
        while follow and answer.status_int in (302, 303):
            answer = answer.follow(expect_errors=True)
        self.page = answer
        return answer


def status_of(page: Any) -> str:
    """Return the last part of the innermost status code that *page* would submit."""
    octets = base64.b64decode(page.forms["respond"]["SAMLResponse"].value)
    return str(re.findall(rb'StatusCode Value="([^"]+)"', octets)[-1].decode().rpartition(":")[2])
