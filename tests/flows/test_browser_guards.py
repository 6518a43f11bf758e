"""What protects a login in its browser: binding, tokens, cookies, headers, replays, clicks."""

import re

import pytest

from saml_idp.device_sdk.client import Result
from saml_idp.device_sdk.messages import Verdict
from saml_idp.domain.audit import AuditEvent
from tests.flows.site import ALONE, PASSWORD, TWO_STEP, Browser, Site, status_of
from tests.live.peer import SSO

PATHS = ("", "/password", "/name", "/approval", "/poll", "/ended")
POSTS = ("/password", "/name", "/approval", "/finish", "/restart", "/cancel", "/back")


def login_path(browser: Browser) -> str:
    """Return /login/ID of the browser's login."""
    found = re.match(r"/login/[\w-]+", browser.page.request.path)
    assert found
    return found[0]


def test_a_login_of_another_browser_is_not_found_at_any_address(site: Site) -> None:
    owner, stranger = site.browser(), site.browser()
    owner.start()
    stranger.start()
    path = login_path(owner)
    token = stranger.page.forms["login"]["csrf_token"].value
    for suffix in PATHS:
        assert stranger.get(path + suffix).status_int == 404
    for suffix in POSTS:
        assert stranger.post(path + suffix, {"csrf_token": token}).status_int == 404


@pytest.mark.parametrize("suffix", POSTS)
def test_no_form_is_taken_without_its_token(site: Site, suffix: str) -> None:
    browser = site.browser()
    browser.start()
    path = login_path(browser)
    assert browser.post(path + suffix, {}).status_int == 403
    assert browser.post(path + suffix, {"csrf_token": "0" * 64}).status_int == 403


@pytest.mark.parametrize("suffix", POSTS)
@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
     {"Origin": "https://evil.example.test"}, {"Origin": "http://localhost:1"}],
)  # fmt: skip
def test_no_form_is_taken_from_another_site(
    site: Site, suffix: str, headers: dict[str, str]
) -> None:
    browser = site.browser()
    browser.start()
    token = browser.page.forms["login"]["csrf_token"].value
    page = browser.post(login_path(browser) + suffix, {"csrf_token": token}, headers=headers)
    assert page.status_int == 403


def test_a_token_of_another_browser_is_no_token(site: Site) -> None:
    owner, stranger = site.browser(), site.browser()
    owner.start()
    stranger.start()
    foreign = stranger.page.forms["login"]["csrf_token"].value
    page = owner.submit("login", username="alice", password=PASSWORD, csrf_token=foreign)
    assert page.status_int == 403


@pytest.mark.parametrize("suffix", PATHS)
def test_states_open_only_their_own_page(site: Site, suffix: str) -> None:
    browser = site.browser()
    browser.start()
    path = login_path(browser)
    page = browser.get(path + suffix)
    if suffix == "/poll":
        assert page.json["status"] == "decided"
    else:
        assert page.request.path == f"{path}/password"


def test_finish_before_the_steps_leads_back_to_the_step(site: Site) -> None:
    browser = site.browser()
    browser.start()
    token = browser.page.forms["login"]["csrf_token"].value
    page = browser.post(login_path(browser) + "/finish", {"csrf_token": token, "step": "done"})
    assert page.request.path.endswith("/password")
    assert site.receipts() == 0


def test_a_request_is_good_for_one_login(site: Site) -> None:
    browser = site.browser()
    query = browser.query()
    assert browser.get(f"{SSO}?{query}").status_int == 200
    assert browser.get(f"{SSO}?{query}").status_int == 400
    assert site.trail(AuditEvent.REQUEST_REJECTED)[-1].record.reason == "replayed"


def test_a_request_served_by_a_session_is_good_for_one_assertion(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    phone.answer(browser.symbols)
    browser.submit("finish")
    query = browser.query()
    assert status_of(browser.get(f"{SSO}?{query}")) == "Success"
    assert browser.get(f"{SSO}?{query}").status_int == 400
    assert site.receipts() == 2


def test_a_second_finish_gives_no_second_assertion(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    approval_page = browser.sign_in()
    phone.answer(browser.symbols)
    assert "respond" in browser.submit("finish").forms
    browser.page = approval_page
    page = browser.submit("finish")
    assert "respond" not in page.forms
    assert site.receipts() == 1


def test_a_password_sent_twice_leads_to_the_same_approval(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    form = browser.start()
    browser.sign_in()
    first = browser.symbols
    browser.page = form
    browser.sign_in()
    assert browser.symbols == first
    assert len(phone.look()) == 1


def test_another_user_discards_the_steps_done(site: Site) -> None:
    site.add_user("mallory")
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    shown = browser.symbols
    form = next(f for f in browser.page.forms.values() if f.action.endswith("/restart"))
    browser.post(form.action, {"csrf_token": form["csrf_token"].value})
    assert browser.page.request.path.endswith("/password")
    assert phone.look() == []
    mallorys = site.phone("mallory")
    browser.sign_in("mallory")
    assert len(browser.symbols) == len(shown)  # asked at once, of the other user alone
    assert phone.look() == []
    assert mallorys.answer(browser.symbols) is Result.GRANTED
    browser.submit("finish")
    issued = site.trail(AuditEvent.ASSERTION_ISSUED)
    assert [r.record.subject for r in issued] == [site.people["mallory"].user_id]


def test_cancel_ends_the_login_and_the_phone_falls_silent(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    page = browser.submit("cancel")
    assert "/ended" in page.request.path
    assert phone.look() == []
    assert status_of(browser.submit_first()) == "AuthnFailed"


def test_a_cross_site_post_comes_back_by_get_and_keeps_the_session(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    phone.answer(browser.symbols)
    browser.submit("finish")
    before = browser.cookie("idp-browser")
    site.post_binding(browser, ALONE)
    assert status_of(browser.page) == "Success"
    after = browser.cookie("idp-browser").strip('"')
    assert after.partition(".")[0] == before.strip('"').partition(".")[0]


def test_a_post_without_a_session_goes_on_with_the_password(site: Site) -> None:
    browser = site.browser()
    site.post_binding(browser, TWO_STEP)
    assert browser.page.request.path.endswith("/password")


def test_a_passive_post_is_answered_after_the_cookies_are_seen(site: Site) -> None:
    browser = site.browser()
    site.post_binding(browser, TWO_STEP, attributes='IsPassive="true"')
    assert status_of(browser.page) == "NoPassive"


def test_relay_state_comes_back_byte_for_byte_and_escaped(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    state = 'https://x.test/?a=1&b="><script>alert(1)</script>'
    browser.start(relay_state=state)
    browser.sign_in()
    phone.answer(browser.symbols)
    page = browser.submit("finish")
    assert page.forms["respond"]["RelayState"].value == state
    assert "<script>alert" not in page.text


def test_every_page_carries_the_headers(site: Site) -> None:
    browser = site.browser()
    for path in ("/", "/device/", "/saml/metadata", "/saml/sso", "/nowhere", "/healthz"):
        headers = browser.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_response_page_may_be_sent_to_its_service_alone(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    phone.answer(browser.symbols)
    page = browser.submit("finish")
    policy = page.headers["Content-Security-Policy"]
    assert f"form-action {TWO_STEP};" in policy
    assert page.headers["Cache-Control"] == "no-store"
    nonce = re.search(r"'nonce-([\w-]+)'", policy)
    assert nonce
    assert f'nonce="{nonce[1]}"' in page.text


def test_cookies_are_http_only_and_lax(site: Site) -> None:
    browser = site.browser()
    page = browser.start(follow=False)
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


@pytest.mark.parametrize("host", ["evil.example.test", "localhost:81", "localhost.evil.test"])
def test_an_unknown_host_is_refused(site: Site, host: str) -> None:
    page = site.browser().http.get("/", headers={"Host": host}, expect_errors=True)
    assert page.status_int == 421


def test_a_soap_body_is_not_a_login(site: Site) -> None:
    page = site.browser().http.post(
        SSO, "<soap/>", headers={"Content-Type": "text/xml"}, expect_errors=True
    )
    assert page.status_int == 415


@pytest.mark.parametrize("address", ["spoofed", "203.0.113.9", "a, b", "", "::1, x"])
def test_a_forwarded_header_of_a_stranger_changes_nothing(site: Site, address: str) -> None:
    browser = site.browser()
    browser.get(f"{SSO}?{browser.query()}", headers={"X-Forwarded-For": address})
    origin = site.trail(AuditEvent.REQUEST_ACCEPTED)[-1].record.origin
    assert origin.address == "192.0.2.7"


def test_wrong_symbols_count_and_a_new_approval_does_not_reset_them(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    for _ in range(4):
        shown = browser.symbols
        wrong = ("B" if shown[0] == "A" else "A") + shown[1:]
        assert phone.answer(wrong) is Result.FAILED
        browser.submit("finish")
        site.clock.advance(seconds=1)
        browser.ask_again()
    with site.idp.store.view() as unit:
        tally = unit.tallies.find("alice")
    assert tally is not None
    assert tally.failures == 4


def test_decoys_and_known_names_show_the_same_page(site: Site) -> None:
    site.phone()
    pages = []
    for name in ("alice", "nobody-here"):
        browser = site.browser()
        browser.start(ALONE)
        page = browser.submit("login", username=name)
        text = re.sub(r'(value|action|href|nonce|data-poll-url|content|id)="[^"]*"', "", page.text)
        text = re.sub(r"<svg.*?</svg>|<strong>.*?</strong>|<li>.*?</li>", "", text, flags=re.DOTALL)
        pages.append((page.status_int, len(browser.symbols), text))
    assert pages[0] == pages[1]


def test_a_second_browser_waits_and_the_phone_is_told(site: Site) -> None:
    phone, first, second = site.phone(), site.browser(), site.browser()
    first.start()
    first.sign_in()
    second.start()
    second.sign_in()
    assert second.symbols == ""
    (approval,) = phone.look()
    assert approval.other_browser_waiting
    assert phone.client.answer(phone.own, approval, Verdict.APPROVE, symbols=first.symbols)


def test_a_second_tab_of_the_same_browser_supersedes_the_first(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    first = browser.sign_in()
    browser.start(TWO_STEP)
    browser.sign_in()
    (approval,) = phone.look()
    assert phone.answer(browser.symbols) is Result.GRANTED
    browser.page = first
    assert "respond" not in browser.submit("finish").forms
    assert approval.attempt not in first.request.path


def test_five_asks_in_a_quarter_of_an_hour_are_enough(site: Site) -> None:
    phone = site.phone()
    for _ in range(5):
        browser = site.browser()
        browser.start()
        browser.sign_in()
        assert len(browser.symbols) == 4
        browser.submit("cancel")
    browser = site.browser()
    browser.start()
    browser.sign_in()
    assert browser.symbols == ""
    assert phone.look() == []


def test_not_me_keeps_strangers_quiet_but_not_the_owner(site: Site) -> None:
    phone, owner, stranger = site.phone(), site.browser(), site.browser()
    owner.start()
    owner.sign_in()
    phone.answer(owner.symbols)
    owner.submit("finish")
    site.write_policy(TWO_STEP, "[login]\nstep_max_age_seconds = 0\n")
    stranger.start()
    stranger.sign_in()
    phone.answer(verdict=Verdict.NOT_ME)
    stranger.start()
    stranger.sign_in()
    assert stranger.symbols == ""
    owner.start()
    owner.sign_in()
    assert len(owner.symbols) == 4
