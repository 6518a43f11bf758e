"""A browser without a screen, and a service provider's side, for tests and the bench.

It speaks real HTTP, keeps cookies, follows redirects and submits the forms it is shown.
"""

import base64
import secrets
import urllib.parse
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests
from lxml import html

SSO = "/saml/sso"


def authn_request(
    *, issuer: str, destination: str, extra: str = "", attributes: str = "", request_id: str = ""
) -> str:
    """Return an unsigned AuthnRequest as XML text."""
    instant = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
        'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" '
        f'ID="{request_id or "_" + secrets.token_hex(16)}" Version="2.0" '
        f'IssueInstant="{instant}" Destination="{destination}" {attributes}>'
        f"<saml:Issuer>{issuer}</saml:Issuer>{extra}</samlp:AuthnRequest>"
    )


def redirect_query(xml: str, relay_state: str | None = None) -> str:
    """Return the query string that carries *xml* by HTTP-Redirect."""
    packer = zlib.compressobj(wbits=-15)
    octets = packer.compress(xml.encode()) + packer.flush()
    fields = {"SAMLRequest": base64.b64encode(octets).decode()}
    if relay_state is not None:
        fields["RelayState"] = relay_state
    return urllib.parse.urlencode(fields)


@dataclass
class Page:
    """A page as the browser holds it."""

    url: str
    status: int
    text: str
    headers: dict[str, str]

    @property
    def tree(self) -> html.HtmlElement:
        """Return the parsed page."""
        return html.fromstring(self.text, base_url=self.url)

    def form(self, form_id: str) -> tuple[str, dict[str, str]]:
        """Return action and fields of the form with that id."""
        tree = self.tree
        tree.make_links_absolute(self.url)
        form = tree.get_element_by_id(form_id)
        return form.action, {name: value or "" for name, value in form.fields.items()}

    @property
    def symbols(self) -> str:
        """Return the access symbols that the page shows."""
        return "".join(
            self.tree.xpath('//ol[contains(@class,"symbols")]//span[@class="character"]/text()')
        )

    @property
    def saml_response(self) -> str:
        """Return the SAMLResponse that the page would submit, base64."""
        return self.form("respond")[1]["SAMLResponse"]


@dataclass
class BrowserPeer:
    """One browser: a cookie jar and the page it is on."""

    base_url: str
    http: requests.Session = field(default_factory=requests.Session)
    page: Page | None = None

    def __post_init__(self) -> None:
        self.http.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
        self.http.trust_env = False

    def get(self, url: str) -> Page:
        """Open *url*, following redirects."""
        return self._kept(self.http.get(urllib.parse.urljoin(self.base_url, url), timeout=20))

    def post(self, url: str, fields: dict[str, str], *, origin: str | None = None) -> Page:
        """Submit *fields* to *url*, following redirects."""
        headers = {"Origin": origin} if origin else {}
        target = urllib.parse.urljoin(self.base_url, url)
        return self._kept(self.http.post(target, data=fields, headers=headers, timeout=20))

    def submit(self, form_id: str, **fields: str) -> Page:
        """Submit the form with that id on the present page."""
        assert self.page is not None
        action, shown = self.page.form(form_id)
        return self.post(action, {**shown, **fields})

    def start(self, issuer: str, *, relay_state: str | None = None, **request: str) -> Page:
        """Begin a login by HTTP-Redirect as the provider *issuer* would."""
        xml = authn_request(issuer=issuer, destination=self.base_url + SSO, **request)
        return self.get(f"{SSO}?{redirect_query(xml, relay_state)}")

    def sign_in(self, username: str, password: str) -> Page:
        """Fill in the password page."""
        return self.submit("login", username=username, password=password)

    def _kept(self, answer: requests.Response) -> Page:
        self.page = Page(answer.url, answer.status_code, answer.text, dict(answer.headers))
        return self.page
