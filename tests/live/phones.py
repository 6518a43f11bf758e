"""Users of a running IdP and their phones: the device SDK over real HTTP."""

import re
from dataclasses import dataclass

from saml_idp.device_sdk.client import DeviceClient, EnrolledId, Result
from saml_idp.device_sdk.discovery import discover
from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.links import parse_enrolment_link
from saml_idp.device_sdk.messages import OpenApproval, Verdict
from tests.live.peer import BrowserPeer, Page
from tests.live.serving import RunningIdp

PASSWORD = "quiet lanterns over the river"


@dataclass
class Phone:
    """A user's device. An ID takes five approvals in a quarter of an hour, no more."""

    username: str
    own: EnrolledId
    client: DeviceClient

    def open_approvals(self) -> tuple[OpenApproval, ...]:
        """Return the questions to the ID now."""
        return self.client.approvals(self.own).approvals

    def answer(self, symbols: str, verdict: Verdict = Verdict.APPROVE) -> Result:
        """Answer the one open approval."""
        (approval,) = self.open_approvals()
        return self.client.answer(self.own, approval, verdict, symbols=symbols)

    def sign_in(self, browser: BrowserPeer) -> Page:
        """Go on from the page that *browser* is on to the one with the response, by either plan."""
        page = browser.page
        assert page is not None
        if 'id="login"' in page.text:
            fields = {"username": self.username}
            if 'name="password"' in page.text:
                fields["password"] = PASSWORD
            page = browser.submit("login", **fields)
        assert self.answer(page.symbols) is Result.GRANTED
        return browser.submit("finish")


def add_user(idp: RunningIdp, username: str, *more: str) -> str:
    """Add a user by the command line; return the link of their invitation."""
    idp.cli("user", "add", username, "--name", f"{username.title()} Example",
            "--email", f"{username}@example.test", "--group", "jira-users", "--group", "staff",
            "--password-file", "-", *more, stdin=PASSWORD + "\n")  # fmt: skip
    found = re.search(r"https?://\S+#enrol=\S+", idp.cli("id", "assign", username))
    assert found is not None
    return found.group()


def add_phone(idp: RunningIdp, username: str, *more: str) -> Phone:
    """Add a user of the running *idp* and enrol a phone for them."""
    link = parse_enrolment_link(add_user(idp, username, *more))
    client = DeviceClient(idp.base_url, discover(idp.base_url).entity_id)
    enrolment = client.enrol(
        link.code, key=DeviceKey.generate(), device_name="phone", password=PASSWORD
    )
    if enrolment.trial is not None:
        client.answer(enrolment.enrolled, enrolment.trial, Verdict.APPROVE)
    return Phone(username, enrolment.enrolled, client)
