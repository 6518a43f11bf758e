"""Every page in a browser: what a person, a keyboard, a screen reader and a policy find there."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.chromium import FLAGS, find_chromium
from tests.live.preview_pages import HOSTILE, PAGES, Preview, previewing

pytestmark = pytest.mark.live

SHOWN = [name for name in PAGES if not name.startswith("respond")]
LARGEST_PAGE = 100 * 1024
NARROWEST = 320
# What an organisation may have chosen, the hard cases among it.
COLOURS = ("#ffff00", "#000000", "#ffffff", "#ff69b4", "#00ff00", "#0000ff", "#1d5c7a", "#d71920")
# Counts what would be sent, and stays on the page.
KEEP_FORM = """() => {
  const form = document.getElementById("login");
  form.dataset.sent = "0";
  form.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) form.dataset.sent = String(Number(form.dataset.sent) + 1);
    event.preventDefault();
  });
}"""
CONTRAST = """([ink, ground]) => {
  const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = (colour) => {
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data].map((octet) => {
      const part = octet / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, bright] = [light(ink), light(ground)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
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
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": NARROWEST, "height": 640})
    yield context.new_page()
    context.close()


def test_every_page_obeys_its_policy_and_asks_nobody_else(page: Page, preview: Preview) -> None:
    told: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    for name in SHOWN:
        page.goto(f"{preview.base}/p/{name}")
        page.wait_for_timeout(50)
    assert told == []
    assert [url for url in asked if not url.startswith(preview.base + "/")] == []


def _keeper(into: list[Any]) -> Callable[[Any], None]:
    def keep(answer: Any) -> None:
        into.append(answer)

    return keep


def test_no_page_weighs_more_than_100_kb(page: Page, preview: Preview) -> None:
    weights: dict[str, int] = {}
    for name in ("password", "approval", "ended-denied", "error-internal", "home", "device"):
        received: list[Any] = []
        keep = _keeper(received)
        page.on("response", keep)
        page.goto(f"{preview.base}/p/{name}")
        page.wait_for_load_state("networkidle")
        page.remove_listener("response", keep)
        # The service worker reads the shell a second time, in its own time: not the page's weight.
        weights[name] = sum({answer.url: len(answer.body()) for answer in received}.values())
    assert {name: size for name, size in weights.items() if size > LARGEST_PAGE} == {}


@pytest.mark.parametrize("language", ["en", "de"])
def test_nothing_sticks_out_of_a_narrow_screen(page: Page, preview: Preview, language: str) -> None:
    wide = []
    for name in SHOWN:
        page.goto(f"{preview.base}/p/{name}?lang={language}")
        if page.evaluate("document.documentElement.scrollWidth") > NARROWEST:
            wide.append(name)
    assert wide == []


def test_every_page_says_its_language_and_has_one_heading(page: Page, preview: Preview) -> None:
    for name in SHOWN:
        page.goto(f"{preview.base}/p/{name}?lang=de")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.locator("h1:visible")).to_have_count(1)
        assert page.title().endswith(" · Example Organisation")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("colour", COLOURS)
def test_whatever_colour_the_organisation_has_can_be_read(
    browser: Browser, preview: Preview, colour: str, scheme: Any
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.route(
        re.compile(r"/static/brand\.css"),
        lambda route: route.fulfill(
            body=f":root {{ --accent: {colour}; }}", content_type="text/css"
        ),
    )
    page.goto(f"{preview.base}/p/password")
    button, cancel = page.locator("#submit"), page.locator("[form=cancel]")
    style = "(element, name) => getComputedStyle(element)[name]"
    paper = page.locator(".card").evaluate(style, "backgroundColor")
    pairs = {
        "on the button": [button.evaluate(style, n) for n in ("color", "backgroundColor")],
        "as a text": [cancel.evaluate(style, "color"), paper],
    }
    contrasts = {name: page.evaluate(CONTRAST, pair) for name, pair in pairs.items()}
    context.close()
    assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}


def test_the_password_page_starts_where_typing_starts(page: Page, preview: Preview) -> None:
    page.goto(f"{preview.base}/p/password")
    expect(page.locator("#username")).to_be_focused()
    page.goto(f"{preview.base}/p/password-known")
    expect(page.locator("#password")).to_be_focused()
    expect(page.locator("#username")).to_have_value("alice")


def test_a_login_by_keyboard_alone_posts_name_password_and_token(
    page: Page, preview: Preview
) -> None:
    page.goto(f"{preview.base}/p/password")
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type("pässword with space")
    page.keyboard.press("Enter")
    expect(page).to_have_title("posted")
    [(path, body)] = preview.posts
    assert path == "/post"
    assert parse_qs(body) == {
        "csrf_token": ["token"],
        "username": ["alice"],
        "password": ["pässword with space"],
    }


def test_a_wrong_password_is_said_aloud_and_tied_to_the_fields(
    page: Page, preview: Preview
) -> None:
    page.goto(f"{preview.base}/p/password-wrong")
    expect(page.get_by_role("alert")).to_contain_text("is wrong")
    for field in ("#username", "#password"):
        expect(page.locator(field)).to_have_attribute("aria-describedby", "error")
        expect(page.locator(field)).to_have_attribute("aria-invalid", "true")


def test_the_password_can_be_shown_and_is_hidden_again_before_it_is_sent(
    page: Page, preview: Preview
) -> None:
    page.goto(f"{preview.base}/p/password-known")
    page.get_by_role("button", name="Show password").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.evaluate(KEEP_FORM)
    page.fill("#password", "x")
    page.click("#submit")
    expect(page.locator("#password")).to_have_attribute("type", "password")
    expect(page.locator("#submit")).to_have_text("One moment …")


def test_a_form_is_sent_once_however_often_it_is_pressed(page: Page, preview: Preview) -> None:
    page.goto(f"{preview.base}/p/password-known")
    page.evaluate(KEEP_FORM)
    page.fill("#password", "x")
    for _ in range(3):
        page.click("#submit", force=True)
    expect(page.locator("#login")).to_have_attribute("data-sent", "1")


def test_a_delay_is_counted_down_and_ends_by_itself(page: Page, preview: Preview) -> None:
    page.clock.install()
    page.goto(f"{preview.base}/p/password-throttled")
    expect(page.locator("#error")).to_have_text("Too many tries. Please wait 16 seconds.")
    expect(page.locator("#submit")).to_be_disabled()
    page.clock.run_for(17_000)
    expect(page.locator("#submit")).to_be_enabled()
    expect(page.locator("#error")).to_have_text("You can try again now.")


def test_the_symbols_are_read_out_in_order(page: Page, preview: Preview) -> None:
    page.goto(f"{preview.base}/p/approval")
    row = page.get_by_role("list", name="Access symbols")
    assert row.get_by_role("listitem").all_inner_texts() == [
        "K\nkey",
        "3\nclover",
        "Q\nqueen’s crown",
        "A\napple",
    ]
    boxes = [picture.bounding_box() for picture in row.locator("svg use").all()]
    assert all(box and box["width"] > 10 and box["height"] > 10 for box in boxes)


def test_a_decided_login_goes_on_by_itself(page: Page, preview: Preview) -> None:
    page.goto(f"{preview.base}/p/approval")
    expect(page.locator("#status")).to_have_text("Waiting for your approval")
    preview.poll_status = "decided"
    expect(page).to_have_title("posted", timeout=10_000)
    assert preview.posts == [("/post", "csrf_token=token")]


def test_a_pending_login_stays_where_it_is_and_nothing_moves(page: Page, preview: Preview) -> None:
    page.goto(f"{preview.base}/p/approval")
    watched = ".symbols, #progress, [form=cancel]"
    before = [part.bounding_box() for part in page.locator(watched).all()]
    preview.poll_status = "pending"
    page.route("**/poll", lambda route: route.abort())
    expect(page.locator("#status")).to_have_text("No connection. We keep trying.", timeout=10_000)
    assert [part.bounding_box() for part in page.locator(watched).all()] == before
    page.unroute("**/poll")
    expect(page.locator("#status")).to_have_text("Waiting for your approval", timeout=15_000)
    assert preview.posts == []


def test_time_running_out_is_said_once_and_leads_on(page: Page, preview: Preview) -> None:
    page.goto(f"{preview.base}/p/approval-31-seconds")
    expect(page.locator("#spoken")).to_have_text("")
    expect(page.locator("#spoken")).to_contain_text("30 seconds left")
    expect(page.locator("#clock")).to_have_text("0:29")
    expect(page.locator("#spoken")).to_contain_text("30 seconds left")
    page.goto(f"{preview.base}/p/approval-2-seconds")
    expect(page).to_have_title("posted")
    assert preview.posts == [("/post", "csrf_token=token")]


def test_a_login_that_is_not_ours_any_more_leads_on(page: Page, preview: Preview) -> None:
    page.route("**/poll", lambda route: route.fulfill(status=404, body="{}"))
    page.goto(f"{preview.base}/p/approval")
    expect(page).to_have_title("posted", timeout=10_000)


def test_the_answer_to_the_service_holds_hostile_values_as_values(
    page: Page, preview: Preview
) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.goto(f"{preview.base}/p/respond-hostile")
    expect(page).to_have_title("posted")
    [(path, body)] = preview.posts
    assert path.startswith("/sink?a=%22%3E%3Cscript%3E")
    assert parse_qs(body) == {"SAMLResponse": [HOSTILE], "RelayState": [HOSTILE]}
    assert asked == []


def test_a_hostile_brand_is_only_a_name(page: Page, preview: Preview) -> None:
    preview.brand = HOSTILE
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    for name in ("password", "home", "device"):
        page.goto(f"{preview.base}/p/{name}")
        assert HOSTILE in page.title()
    assert told == []


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A browser without scripts."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_without_scripts_a_password_can_be_given(plain_page: Page, preview: Preview) -> None:
    plain_page.goto(f"{preview.base}/p/password-known")
    expect(plain_page.locator("#show")).to_be_hidden()
    plain_page.fill("#password", "x")
    plain_page.click("#submit")
    assert parse_qs(preview.posts[0][1])["password"] == ["x"]


def test_without_scripts_the_approval_page_looks_by_itself_and_by_hand(
    plain_page: Page, preview: Preview
) -> None:
    plain_page.goto(f"{preview.base}/p/approval")
    refresh = plain_page.locator("noscript meta[http-equiv=refresh]")
    expect(refresh).to_have_attribute("content", "2")
    plain_page.get_by_role("button", name="I have approved, go on").click()
    assert preview.posts == [("/post", "csrf_token=token")]


def test_without_scripts_the_answer_goes_to_the_service_by_a_button(
    plain_page: Page, preview: Preview
) -> None:
    plain_page.goto(f"{preview.base}/p/respond")
    plain_page.get_by_role("button", name="Go on to Jira").click()
    assert parse_qs(preview.posts[0][1]) == {
        "SAMLResponse": ["PHNhbWw+"],
        "RelayState": ["/browse/X-1"],
    }
