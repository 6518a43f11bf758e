"""A user with one browser and one phone, who does what a person does when a server dies."""

import base64
import re
from dataclasses import dataclass, field

from saml_idp.device_sdk.client import Result
from saml_idp.device_sdk.messages import Verdict
from tests.faults.node import Node
from tests.flows.site import Browser, Phone, Site

_MOST_ACTIONS = 12


@dataclass
class User:
    """Signs in at *site*, by another node when one is gone.

    ``lost``: actions that got no answer. ``begun``: logins that were begun. ``seen``: the
    assertions that reached the browser.
    """

    site: Site
    phone: Phone
    browser: Browser = field(init=False)
    lost: int = 0
    begun: int = 0
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.browser = self.site.browser()

    def sign_in(self) -> None:
        """Go on, page by page, until an assertion is there."""
        for _ in range(_MOST_ACTIONS):
            try:
                self._act()
            except ConnectionResetError:
                self.lost += 1
                self.site.app.close()
                self.site.app = Node(self.site.folder, self.site.clock)
                self.browser.http.app = self.site.app
                self._reload()
            if self.seen:
                return
        raise AssertionError(f"stuck at {self.browser.page.request.path}")

    def _reload(self) -> None:
        if self.browser.page is not None:
            self._look_at(self.browser.get(self.browser.page.request.path))

    def _act(self) -> None:
        """Do what the present page asks for."""
        page = self.browser.page
        path = page.request.path if page is not None and page.status_int == 200 else ""
        if path.endswith("/password"):
            page = self.browser.sign_in()
        elif path.endswith("/approval"):
            self._answer()
            page = self.browser.submit("finish")
        else:
            self.begun += 1
            page = self.browser.start()
        self._look_at(page)

    def _answer(self) -> None:
        for approval in self.phone.look():
            self.phone.client.answer(
                self.phone.own, approval, Verdict.APPROVE, symbols=self.browser.symbols
            )

    def _look_at(self, page: object) -> None:
        self.seen += assertions_in(page)


def waiting_for_the_finish(site: Site, phone: Phone) -> Browser:
    """Return a browser whose login has passed every step and waits for its assertion."""
    browser = site.browser()
    browser.start()
    browser.sign_in()
    assert phone.answer(browser.symbols) is Result.GRANTED
    return browser


def assertions_in(page: object) -> list[str]:
    """Return the IDs of the assertions that *page* would hand to the provider."""
    forms = getattr(page, "forms", {})
    if "respond" not in forms:
        return []
    octets = base64.b64decode(forms["respond"]["SAMLResponse"].value)
    return [found.decode() for found in re.findall(rb'Assertion [^>]*ID="([^"]+)"', octets)]
