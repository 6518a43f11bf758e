"""The phone web app in a browser, against a peer that checks what it signs."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.chromium import FLAGS, find_chromium
from tests.live.device_peer import DevicePeer
from tests.live.preview_pages import Preview, previewing

pytestmark = pytest.mark.live

STORED = """async () => {
  const done = (request) => new Promise((resolve) => {
    request.onsuccess = () => resolve(request.result);
  });
  const database = await done(indexedDB.open("approvals", 1));
  const ids = await done(database.transaction("ids").objectStore("ids").getAll());
  database.close();
  const exported = (key) => crypto.subtle.exportKey("jwk", key).then(() => true, () => false);
  return Promise.all(ids.map(async ({privateKey: key, ...id}) => ({
    ...id,
    privateKey: {extractable: key.extractable, usages: key.usages},
    exported: await exported(key),
  })));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def preview() -> Iterator[Preview]:
    with previewing() as running:
        yield running


@pytest.fixture
def peer(preview: Preview) -> DevicePeer:
    return preview.peer


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    phone = browser.new_context(viewport={"width": 320, "height": 640}, reduced_motion="reduce")
    yield phone
    phone.close()


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture
def page(context: BrowserContext, faults: list[str]) -> Page:
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    return opened


def screen(page: Page, name: str) -> Any:
    return page.locator(f"[data-screen={name}]")


@pytest.fixture
def enrolled(page: Page, preview: Preview, peer: DevicePeer) -> Page:
    peer.trial = False
    enrol(page, preview, peer)
    expect(screen(page, "result")).to_be_visible()
    page.click("#result-done")
    expect(screen(page, "home")).to_be_visible()
    return page


def enrol(page: Page, preview: Preview, peer: DevicePeer) -> None:
    page.goto(f"{preview.base}/device/#enrol={peer.code}")
    page.fill("#enrol-name", "Alice’s phone")
    page.fill("#enrol-password", peer.password)
    page.get_by_role("button", name="Set up").click()


def test_a_device_is_bound_and_tried_out_at_once(
    page: Page, preview: Preview, peer: DevicePeer, faults: list[str]
) -> None:
    enrol(page, preview, peer)
    expect(page.get_by_role("heading", name="Try it")).to_be_focused()
    page.get_by_role("button", name="Approve this test").click()
    expect(page.get_by_role("heading", name="It works")).to_be_focused()
    [device] = peer.devices.values()
    assert device["name"] == "Alice’s phone"
    assert peer.answers[0]["symbols"] == ""
    assert faults == []


def test_the_invitation_leaves_the_address_at_once(
    page: Page, preview: Preview, peer: DevicePeer
) -> None:
    page.goto(f"{preview.base}/device/#enrol={peer.code}")
    expect(screen(page, "enrol")).to_be_visible()
    assert page.evaluate("location.href") == f"{preview.base}/device/"
    assert peer.code not in json.dumps(page.evaluate("history.state"))


def test_the_key_cannot_be_taken_out_of_the_browser(enrolled: Page) -> None:
    [stored] = enrolled.evaluate(STORED)
    assert stored["privateKey"] == {"extractable": False, "usages": ["sign"]}
    assert stored["exported"] is False
    assert stored["identity"] == "alice"


def test_a_wrong_password_binds_nothing_and_keeps_the_invitation(
    page: Page, preview: Preview, peer: DevicePeer
) -> None:
    page.goto(f"{preview.base}/device/#enrol={peer.code}")
    page.fill("#enrol-password", "wrong")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("alert")).to_contain_text("password is wrong")
    expect(page.locator("#enrol-password")).to_be_focused()
    assert peer.devices == {}
    assert page.evaluate(STORED) == []
    page.fill("#enrol-password", peer.password)
    page.keyboard.press("Enter")
    expect(screen(page, "approval")).to_be_visible()


def test_an_invitation_can_be_entered_by_hand_as_link_or_code(
    page: Page, preview: Preview, peer: DevicePeer
) -> None:
    page.goto(f"{preview.base}/device/")
    page.fill("#welcome-code", "not an invitation")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("isn’t an invitation")
    page.fill("#welcome-code", f" https://idp.test/device/#enrol={peer.code} ")
    page.get_by_role("button", name="Continue").click()
    expect(screen(page, "enrol")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    page.fill("#welcome-code", peer.code)
    page.get_by_role("button", name="Continue").click()
    expect(screen(page, "enrol")).to_be_visible()


def test_a_question_appears_by_itself_and_says_who_asks(enrolled: Page, peer: DevicePeer) -> None:
    peer.ask()
    expect(enrolled.get_by_role("heading", name="Is this you?")).to_be_focused()
    shown = screen(enrolled, "approval").inner_text()
    for told in ("Jira", "alice", "203.0.113.9 (Hamburg)", "Firefox on Windows"):
        assert told in shown


def test_symbols_are_tapped_in_order_and_signed_as_entered(
    enrolled: Page, peer: DevicePeer, faults: list[str]
) -> None:
    asked = peer.ask()
    approve = enrolled.get_by_role("button", name="Approve")
    expect(approve).to_have_attribute("aria-disabled", "true")
    for name in ("K, key", "3, clover", "B, bell"):
        enrolled.get_by_role("button", name=name).click()
    enrolled.get_by_role("button", name="Undo").click()
    for name in ("Q, queen’s crown", "A, apple", "Z, zigzag bolt"):
        enrolled.get_by_role("button", name=name).dispatch_event("click")
    expect(enrolled.locator("#entry-slots")).to_have_text("Kkey3cloverQqueen’s crownAapple")
    approve.click()
    expect(enrolled.get_by_role("heading", name="Approved")).to_be_focused()
    [answer] = peer.answers
    assert answer["symbols"] == "K3QA"
    assert answer["approval"] == asked["approval"]
    assert faults == []


def test_approve_without_all_symbols_sends_nothing(enrolled: Page, peer: DevicePeer) -> None:
    peer.ask()
    expect(screen(enrolled, "approval")).to_be_visible()
    enrolled.keyboard.type("K3Q")
    enrolled.locator("#approve").dispatch_event("click")
    enrolled.wait_for_timeout(200)
    assert peer.answers == []


def test_the_grid_is_in_a_new_order_every_time(enrolled: Page, peer: DevicePeer) -> None:
    orders = []
    for _ in range(2):
        peer.ask()
        expect(screen(enrolled, "approval")).to_be_visible()
        orders.append(
            enrolled.eval_on_selector_all(
                "#entry-grid button", "all => all.map(one => one.dataset.character)"
            )
        )
        enrolled.click("#deny")
        enrolled.click("#result-done")
    assert sorted(orders[0]) == sorted("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    assert orders[0] != orders[1]


def test_symbols_can_be_typed_and_approved_by_keyboard_alone(
    enrolled: Page, peer: DevicePeer
) -> None:
    peer.ask()
    expect(enrolled.get_by_role("heading", name="Is this you?")).to_be_focused()
    enrolled.keyboard.type("k3zq")
    enrolled.keyboard.press("Backspace")
    enrolled.keyboard.press("Backspace")
    enrolled.keyboard.type("qa")
    enrolled.keyboard.press("Enter")
    expect(enrolled.get_by_role("button", name="Approve")).to_be_focused()
    assert peer.answers == []
    enrolled.keyboard.press("Enter")
    expect(enrolled.get_by_role("heading", name="Approved")).to_be_visible()
    assert peer.answers[0]["symbols"] == "K3QA"


def test_symbols_can_be_typed_into_a_field(enrolled: Page, peer: DevicePeer) -> None:
    peer.ask()
    enrolled.get_by_role("button", name="Type the letters instead").click()
    enrolled.keyboard.type("k-3 q1!")
    expect(enrolled.locator("#entry-typed")).to_have_value("K3QI")


def test_what_was_entered_is_said_aloud(enrolled: Page, peer: DevicePeer) -> None:
    peer.ask()
    enrolled.get_by_role("button", name="U, umbrella").click()
    expect(enrolled.locator("#entry-spoken")).to_have_text("U, umbrella, 1 of 4")


def test_wrong_symbols_are_told(enrolled: Page, peer: DevicePeer) -> None:
    peer.ask()
    expect(screen(enrolled, "approval")).to_be_visible()
    enrolled.keyboard.type("AAAA")
    enrolled.click("#approve")
    expect(enrolled.get_by_role("heading", name="Wrong symbols")).to_be_visible()


def test_a_scanned_link_fills_the_row_and_still_wants_the_tap(
    enrolled: Page, preview: Preview, peer: DevicePeer
) -> None:
    asked = peer.ask()
    enrolled.goto(f"{preview.base}/device/#approval={asked['approval']}&symbols=K3QA")
    expect(enrolled.locator("#entry-how")).to_contain_text("came with the scan")
    assert "symbols" not in enrolled.evaluate("location.href")
    enrolled.wait_for_timeout(300)
    assert peer.answers == []
    enrolled.get_by_role("button", name="Approve").click()
    expect(enrolled.get_by_role("heading", name="Approved")).to_be_visible()
    assert peer.answers[0]["symbols"] == "K3QA"


def test_a_scanned_link_to_another_approval_fills_nothing(
    enrolled: Page, preview: Preview, peer: DevicePeer
) -> None:
    peer.ask()
    enrolled.goto(f"{preview.base}/device/#approval=of-somebody-else&symbols=K3QA")
    expect(screen(enrolled, "approval")).to_be_visible()
    expect(enrolled.locator("#entry-slots li:has(svg)")).to_have_count(0)


def test_a_scanned_link_that_is_over_says_so(enrolled: Page, preview: Preview) -> None:
    enrolled.goto(f"{preview.base}/device/#approval=gone&symbols=K3QA")
    expect(enrolled.get_by_role("heading", name="We can’t find this question")).to_be_visible()


@pytest.mark.parametrize(
    ("act", "verdict", "heading"),
    [
        (lambda page: page.click("#deny"), "deny", "Denied"),
        (
            lambda page: (page.click("#approval-not-me"), page.click("#not-me [value=yes]")),
            "not-me",
            "Stopped and reported",
        ),
    ],
    ids=["deny", "not-me"],
)
def test_no_is_signed_without_symbols(
    enrolled: Page, peer: DevicePeer, act: Callable[[Page], Any], verdict: str, heading: str
) -> None:
    peer.ask()
    expect(screen(enrolled, "approval")).to_be_visible()
    enrolled.keyboard.type("K3QA")
    act(enrolled)
    expect(enrolled.get_by_role("heading", name=heading)).to_be_visible()
    assert (peer.answers[0]["verdict"], peer.answers[0]["symbols"]) == (verdict, "")


def test_not_me_can_be_taken_back_before_it_is_sent(enrolled: Page, peer: DevicePeer) -> None:
    peer.ask()
    enrolled.click("#approval-not-me")
    expect(enrolled.get_by_role("button", name="Cancel")).to_be_focused()
    enrolled.keyboard.press("Escape")
    expect(screen(enrolled, "approval")).to_be_visible()
    assert peer.answers == []


def test_another_browsers_attempt_is_told_and_moves_no_symbol(
    enrolled: Page, peer: DevicePeer
) -> None:
    asked = peer.ask()
    grid = enrolled.locator("#entry-grid")
    expect(grid).to_be_visible()
    before = grid.bounding_box()
    asked["other_browser_waiting"] = True
    expect(enrolled.locator("#approval-other")).to_be_visible(timeout=5_000)
    assert grid.bounding_box() == before


def test_a_question_that_is_over_leaves_the_screen(enrolled: Page, peer: DevicePeer) -> None:
    peer.ask()
    expect(screen(enrolled, "approval")).to_be_visible()
    peer.approvals.clear()
    expect(enrolled.get_by_role("heading", name="This question is over")).to_be_visible()


def test_a_second_question_waits_until_the_first_is_answered(
    enrolled: Page, peer: DevicePeer
) -> None:
    first = peer.ask()
    expect(screen(enrolled, "approval")).to_be_visible()
    peer.ask(provider_name="Confluence")
    expect(enrolled.locator("#approval-more")).to_have_text("1 more waiting")
    expect(enrolled.locator("#approval-provider")).to_have_text(first["provider_name"])
    enrolled.click("#deny")
    enrolled.click("#result-done")
    expect(enrolled.locator("#approval-provider")).to_have_text("Confluence")


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_question_of_six_symbols_fits_the_narrowest_screen(
    enrolled: Page, preview: Preview, peer: DevicePeer, language: str
) -> None:
    peer.symbols = "K3QAZW"
    peer.ask(provider_name="Wissensdatenbankverwaltungsdienst " * 2, browser="x" * 60)
    enrolled.goto(f"{preview.base}/device/?lang={language}")
    expect(screen(enrolled, "approval")).to_be_visible()
    enrolled.keyboard.type(peer.symbols)
    assert enrolled.evaluate("document.documentElement.scrollWidth") == 320
    for button in enrolled.locator("#entry-grid button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40


def test_a_question_does_not_interrupt_what_is_being_typed(
    enrolled: Page, peer: DevicePeer
) -> None:
    enrolled.get_by_role("button", name="Add an ID").click()
    enrolled.keyboard.press("Tab")
    enrolled.keyboard.type("https://idp")
    peer.ask()
    before = len(peer.used)
    enrolled.wait_for_timeout(1500)
    assert len(peer.used) > before  # it has looked, and kept still
    expect(enrolled.locator("#welcome-code")).to_have_value("https://idp")
    expect(screen(enrolled, "welcome")).to_be_visible()
    enrolled.get_by_role("button", name="Cancel").click()
    expect(screen(enrolled, "approval")).to_be_visible()


def test_hostile_names_are_shown_as_text(
    enrolled: Page, peer: DevicePeer, faults: list[str]
) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    peer.ask(provider_name=hostile, browser=hostile, place=hostile)
    expect(enrolled.locator("#approval-provider")).to_have_text(hostile)
    expect(enrolled.locator("#approval-browser")).to_have_text(hostile)
    expect(enrolled.locator("img")).to_have_count(0)
    assert faults == []


def test_the_app_opens_and_keeps_what_was_entered_without_a_connection(
    enrolled: Page, context: BrowserContext, peer: DevicePeer
) -> None:
    enrolled.wait_for_function("() => navigator.serviceWorker.controller !== null")
    enrolled.reload()
    expect(screen(enrolled, "home")).to_be_visible()
    context.set_offline(True)
    enrolled.reload()
    expect(enrolled.locator("#home-error")).to_contain_text("No connection")
    expect(enrolled.locator("#ids")).to_contain_text("alice")
    context.set_offline(False)
    peer.ask()
    expect(screen(enrolled, "approval")).to_be_visible(timeout=15_000)
    enrolled.keyboard.type("K3QA")
    context.set_offline(True)
    enrolled.click("#approve")
    expect(enrolled.locator("#approval-error")).to_have_text("No connection. Try again.")
    context.set_offline(False)
    enrolled.click("#approve")
    expect(enrolled.get_by_role("heading", name="Approved")).to_be_visible()


@pytest.mark.parametrize("minutes", [-7, 7])
def test_a_wrong_clock_on_the_device_does_no_harm(
    page: Page, preview: Preview, peer: DevicePeer, minutes: int
) -> None:
    page.add_init_script(
        f"const real = Date.now.bind(Date); Date.now = () => real() + {minutes * 60_000};"
    )
    peer.trial = False
    enrol(page, preview, peer)
    expect(page.get_by_role("heading", name="It is set up")).to_be_visible()
    page.click("#result-done")
    peer.ask()
    expect(screen(page, "approval")).to_be_visible()
    page.keyboard.type("K3QA")
    page.click("#approve")
    expect(page.get_by_role("heading", name="Approved")).to_be_visible()


def test_a_device_can_be_removed_there_and_here(enrolled: Page, peer: DevicePeer) -> None:
    enrolled.get_by_role("button", name="Remove this device").click()
    enrolled.click("#remove [value=yes]")
    expect(screen(enrolled, "welcome")).to_be_visible()
    assert peer.devices == {}
    assert enrolled.evaluate(STORED) == []


def test_a_device_that_was_removed_elsewhere_says_so_and_can_be_cleared(
    enrolled: Page, peer: DevicePeer
) -> None:
    peer.devices.clear()
    expect(enrolled.locator("#ids .note")).to_contain_text("was removed")
    enrolled.get_by_role("button", name="Remove this device").click()
    enrolled.click("#remove [value=yes]")
    expect(screen(enrolled, "welcome")).to_be_visible()


def test_two_ids_live_side_by_side(enrolled: Page, preview: Preview, peer: DevicePeer) -> None:
    peer.identity = "alice-admin"
    enrol(enrolled, preview, peer)
    expect(screen(enrolled, "result")).to_be_visible()
    enrolled.click("#result-done")
    expect(enrolled.locator("#ids li")).to_have_count(2)


def test_a_page_that_is_not_looked_at_asks_nothing(
    enrolled: Page, preview: Preview, peer: DevicePeer
) -> None:
    enrolled.evaluate(
        "() => { Object.defineProperty(document, 'visibilityState', {value: 'hidden'}); }"
    )
    enrolled.wait_for_timeout(1500)
    before = len(peer.used)
    enrolled.wait_for_timeout(2500)
    assert len(peer.used) == before


def test_a_browser_without_keys_is_told_so(page: Page, preview: Preview) -> None:
    page.add_init_script("Object.defineProperty(crypto, 'subtle', {value: undefined});")
    page.goto(f"{preview.base}/device/")
    expect(page.get_by_role("heading", name="This browser can’t keep a key")).to_be_visible()
