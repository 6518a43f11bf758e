"""The road of a login, whole: from the request to the response, by both plans."""

from saml_idp.device_sdk.client import Result
from saml_idp.device_sdk.messages import Verdict
from saml_idp.domain.audit import AuditEvent
from tests.flows.site import ALONE, PASSWORD, TWO_STEP, Site


def test_password_then_approval_gives_a_signed_assertion(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    assert browser.sign_in().status_int == 200
    assert phone.answer(browser.symbols) is Result.GRANTED
    page = browser.submit("finish")
    assert page.forms["respond"].action == f"{TWO_STEP}/acs"
    assert site.receipts() == 1


def test_the_approval_alone_suffices_where_the_policy_says_so(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start(ALONE)
    browser.submit("login", username="alice")
    assert phone.answer(browser.symbols) is Result.GRANTED
    assert "respond" in browser.submit("finish").forms
    assert site.receipts() == 1


def test_a_wrong_password_asks_no_phone(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    page = browser.sign_in(password=PASSWORD + "!")
    assert page.status_int == 401
    assert phone.look() == []


def test_wrong_symbols_end_the_approval_and_nothing_is_asked_by_itself(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    shown = browser.symbols
    wrong = shown[1:] + shown[:1] if shown[1:] + shown[:1] != shown else "A" + shown[1:]
    assert phone.answer(wrong) is Result.FAILED
    browser.submit("finish")
    assert browser.symbols == ""
    assert phone.look() == []
    assert site.receipts() == 0


def test_deny_ends_the_login(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    assert phone.answer(verdict=Verdict.DENY) is Result.DENIED
    page = browser.submit("finish")
    assert "/ended" in page.request.path
    assert site.receipts() == 0


def test_the_next_service_asks_nothing(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    phone.answer(browser.symbols)
    browser.submit("finish")
    page = browser.start(ALONE)
    assert page.forms["respond"].action == f"{ALONE}/acs"
    issued = site.trail(AuditEvent.ASSERTION_ISSUED)
    assert issued[-1].record.details["steps"] == ["approval:session"]


def test_a_device_enrolled_during_a_login_gets_no_trial_and_the_login_goes_on(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    site.clock.advance(seconds=1)
    second = site.phone(trial=True)
    assert second.look() == []
    assert phone.answer(browser.symbols) is Result.GRANTED
    assert "respond" in browser.submit("finish").forms
