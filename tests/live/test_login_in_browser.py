"""Whole logins with a real server, a browser at the desk and the phone web app in another."""

import base64
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from saml_idp.saml.sp_metadata import write_minimal_metadata
from tests.chromium import FLAGS, find_chromium
from tests.live.peer import SSO, authn_request, redirect_query
from tests.live.serving import RunningIdp

pytestmark = pytest.mark.live

ENTITY_ID = "https://jira.example.test"
ALONE = "https://wiki.example.test"  # the approval is the whole chain
HASTY = "https://hasty.example.test"  # its approvals live for a quarter of a minute
PASSWORD = "quiet lanterns over the river"


@dataclass
class Acs:
    """The service's side: takes the forms that browsers bring."""

    url: str = ""
    forms: list[dict[str, list[str]]] = field(default_factory=list)


@pytest.fixture(scope="module")
def acs() -> Iterator[Acs]:
    taken = Acs()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Stay quiet."""

        def do_POST(self) -> None:
            octets = self.rfile.read(int(self.headers["Content-Length"]))
            taken.forms.append(parse_qs(octets.decode()))
            body = b"<!doctype html><title>Jira</title>signed in"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken.url = f"http://127.0.0.1:{server.server_address[1]}/acs"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield taken
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def idp(acs: Acs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIdp]:
    running = RunningIdp(tmp_path_factory.mktemp("idp")).set_up()
    for name, entity_id, policy in (
        ("jira", ENTITY_ID, ""),
        ("wiki", ALONE, "two_step = false"),
        ("hasty", HASTY, "approval_seconds = 15"),
    ):
        metadata = write_minimal_metadata(entity_id, acs.url)
        (running.folder / "metadata" / f"{name}.xml").write_bytes(metadata)
        text = f'entity_id = "{entity_id}"\n[login]\n{policy}\n'
        (running.folder / "policies" / f"{name}.toml").write_text(text)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def faults() -> list[str]:
    """What the browsers complained of: scripts that failed, what the policy blocked."""
    return []


def _opened(context: BrowserContext, faults: list[str]) -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: faults.append(message.text) if "Policy" in message.text else None,
    )
    return page


@pytest.fixture
def desk(browser: Browser, faults: list[str]) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB")
    yield _opened(context, faults)
    context.close()


@pytest.fixture
def phone(
    browser: Browser, idp: RunningIdp, faults: list[str], request: pytest.FixtureRequest
) -> Iterator[Page]:
    """The phone of a user named after the test, enrolled and tried out."""
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    page = _opened(context, faults)
    username = name_of(request)
    idp.cli("user", "add", username, "--password-file", "-", stdin=PASSWORD + "\n")
    said = idp.cli("id", "assign", username)
    link = re.search(r"http://\S+/device/#enrol=\S+", said)
    assert link is not None, said
    page.goto(link.group())
    page.fill("#enrol-password", PASSWORD)
    page.click("#enrol-form .primary")
    page.get_by_role("button", name="Approve this test").click()
    expect(page.get_by_role("heading", name="It works")).to_be_visible()
    page.click("#result-done")
    yield page
    context.close()


def name_of(request: pytest.FixtureRequest) -> str:
    return "u" + re.sub(r"\W", "", request.node.name)[-20:].replace("_", "").lower()


def begin(desk: Page, idp: RunningIdp, username: str, issuer: str = ENTITY_ID) -> str:
    """Lead the desk's browser to the access symbols; return them."""
    xml = authn_request(issuer=issuer, destination=idp.base_url + SSO)
    desk.goto(f"{idp.base_url}{SSO}?{redirect_query(xml, 'deep-link')}")
    desk.locator("#username").fill(username)
    if issuer != ALONE:
        desk.get_by_label("Password", exact=True).fill(PASSWORD)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Approve on your phone")).to_be_visible()
    return row_on(desk)


def row_on(desk: Page) -> str:
    """Return the row of symbols that the page shows."""
    return "".join(desk.locator(".symbols .character").all_inner_texts())


def approve(phone: Page, symbols: str) -> None:
    """Enter the symbols on the phone and approve."""
    expect(phone.get_by_role("heading", name="Is this you?")).to_be_visible(timeout=15_000)
    phone.keyboard.type(symbols)
    phone.click("#approve")


def test_tapping_the_symbols_signs_in(
    desk: Page, phone: Page, idp: RunningIdp, acs: Acs, faults: list[str],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    symbols = begin(desk, idp, name_of(request))
    assert len(symbols) == 4
    expect(phone.get_by_role("heading", name="Is this you?")).to_be_visible(timeout=15_000)
    expect(phone.locator("#approval-id")).to_have_text(name_of(request))
    for symbol in symbols:
        phone.click(f"#entry-grid [data-character='{symbol}']")
    phone.get_by_role("button", name="Approve", exact=True).click()
    expect(phone.get_by_role("heading", name="Approved")).to_be_visible()
    expect(desk).to_have_title("Jira", timeout=15_000)
    [response] = acs.forms[-1]["SAMLResponse"]
    assert b"urn:oasis:names:tc:SAML:2.0:status:Success" in base64.b64decode(response)
    assert acs.forms[-1]["RelayState"] == ["deep-link"]
    assert faults == []


def test_scanning_the_code_transfers_the_symbols(
    desk: Page, phone: Page, idp: RunningIdp, acs: Acs, request: pytest.FixtureRequest
) -> None:
    symbols = begin(desk, idp, name_of(request))
    link = desk.get_by_role("link", name="Approve on this device").first.get_attribute("href")
    assert link is not None
    phone.goto(link)
    expect(phone.locator("#entry-how")).to_contain_text("came with the scan")
    assert "".join(phone.locator("#entry-slots .character").all_inner_texts()) == symbols
    phone.get_by_role("button", name="Approve", exact=True).click()
    expect(desk).to_have_title("Jira", timeout=15_000)


def test_wrong_symbols_end_the_approval_and_a_new_one_can_be_asked(
    desk: Page, phone: Page, idp: RunningIdp, request: pytest.FixtureRequest
) -> None:
    symbols = begin(desk, idp, name_of(request))
    expect(phone.get_by_role("heading", name="Is this you?")).to_be_visible(timeout=15_000)
    phone.keyboard.type("A" * 4 if symbols != "AAAA" else "B" * 4)
    phone.click("#approve")
    expect(phone.get_by_role("heading", name="Wrong symbols")).to_be_visible()
    expect(desk.get_by_role("heading", name="Those were the wrong symbols")).to_be_visible(
        timeout=15_000
    )
    desk.get_by_role("button", name="Ask again").click()
    expect(desk.get_by_role("heading", name="Approve on your phone")).to_be_visible()
    assert "".join(desk.locator(".symbols .character").all_inner_texts()) != symbols


def test_not_me_ends_the_login(
    desk: Page, phone: Page, idp: RunningIdp, acs: Acs, request: pytest.FixtureRequest
) -> None:
    begin(desk, idp, name_of(request))
    phone.get_by_role("button", name="This wasn’t me").click(timeout=15_000)
    phone.get_by_role("button", name="Stop it and report").click()
    expect(phone.get_by_role("heading", name="Stopped and reported")).to_be_visible()
    expect(desk.get_by_role("heading", name="Reported and stopped")).to_be_visible(timeout=15_000)
    desk.get_by_role("button", name=re.compile("Back to")).click()
    expect(desk).to_have_title("Jira")
    [response] = acs.forms[-1]["SAMLResponse"]
    assert b":Success" not in base64.b64decode(response)


def test_a_device_removed_by_the_administrator_learns_it(
    phone: Page, idp: RunningIdp, request: pytest.FixtureRequest
) -> None:
    idp.cli("id", "revoke", name_of(request), "--yes")
    expect(phone.locator("#ids .note")).to_contain_text("was removed", timeout=15_000)


def test_the_app_opens_without_the_server(phone: Page, idp: RunningIdp) -> None:
    phone.wait_for_function("() => navigator.serviceWorker.controller !== null")
    phone.context.set_offline(True)
    phone.reload()
    expect(phone.locator("#home-error")).to_contain_text("No connection")


def test_reloading_after_the_answer_does_not_answer_twice(
    desk: Page, phone: Page, idp: RunningIdp, acs: Acs, request: pytest.FixtureRequest
) -> None:
    symbols = begin(desk, idp, name_of(request))
    approval_page = desk.url
    expect(phone.get_by_role("heading", name="Is this you?")).to_be_visible(timeout=15_000)
    phone.keyboard.type(symbols)
    phone.click("#approve")
    expect(desk).to_have_title("Jira", timeout=15_000)
    count = len(acs.forms)
    desk.goto(approval_page)
    expect(desk.get_by_role("heading", name="Already answered")).to_be_visible()
    assert len(acs.forms) == count


def test_the_approval_alone_signs_in_where_the_policy_says_so(
    desk: Page, phone: Page, idp: RunningIdp, acs: Acs, request: pytest.FixtureRequest
) -> None:
    approve(phone, begin(desk, idp, name_of(request), ALONE))
    expect(desk).to_have_title("Jira", timeout=15_000)
    [response] = acs.forms[-1]["SAMLResponse"]
    assert b"MobileOneFactorContract" in base64.b64decode(response)


def test_a_denied_login_ends_on_both_screens(
    desk: Page, phone: Page, idp: RunningIdp, request: pytest.FixtureRequest
) -> None:
    begin(desk, idp, name_of(request))
    expect(phone.get_by_role("heading", name="Is this you?")).to_be_visible(timeout=15_000)
    phone.get_by_role("button", name="Deny", exact=True).click()
    expect(desk).to_have_url(re.compile("/ended"), timeout=15_000)


def test_an_approval_that_nobody_answers_can_be_asked_again(
    desk: Page, phone: Page, idp: RunningIdp, acs: Acs, request: pytest.FixtureRequest
) -> None:
    first = begin(desk, idp, name_of(request), HASTY)
    expect(desk.get_by_role("button", name="Ask again")).to_be_visible(timeout=40_000)
    assert row_on(desk) == ""
    expect(phone.get_by_role("heading", name="This question is over")).to_be_visible(timeout=15_000)
    phone.get_by_role("button", name="Done").click()
    desk.get_by_role("button", name="Ask again").click()
    expect(desk.get_by_role("heading", name="Approve on your phone")).to_be_visible()
    assert len(row_on(desk)) == len(first)
    approve(phone, row_on(desk))
    expect(desk).to_have_title("Jira", timeout=15_000)


def test_reload_and_back_keep_the_login_where_it_is(
    desk: Page, phone: Page, idp: RunningIdp, request: pytest.FixtureRequest
) -> None:
    symbols = begin(desk, idp, name_of(request))
    desk.reload()
    assert row_on(desk) == symbols
    desk.go_back()
    expect(desk.get_by_role("heading", name="Approve on your phone")).to_be_visible()
    assert row_on(desk) == symbols
    approve(phone, symbols)
    expect(desk).to_have_title("Jira", timeout=15_000)


def test_of_two_tabs_the_later_one_asks(
    desk: Page, phone: Page, idp: RunningIdp, acs: Acs, request: pytest.FixtureRequest
) -> None:
    first = begin(desk, idp, name_of(request))
    other = desk.context.new_page()
    second = begin(other, idp, name_of(request))
    approve(phone, second)
    expect(other).to_have_title("Jira", timeout=15_000)
    expect(desk.get_by_role("button", name="Ask again")).to_be_visible(timeout=15_000)
    assert first
