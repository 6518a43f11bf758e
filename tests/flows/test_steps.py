"""Which steps run: sessions, step-up, forced and passive requests, contexts, policy changes."""

import pytest

from saml_idp.device_sdk.client import Result
from saml_idp.domain.audit import AuditEvent
from tests.flows.site import ALONE, ORIGIN, TWO_STEP, Browser, Phone, Site, status_of

_AC = "urn:oasis:names:tc:SAML:2.0:ac:classes:"


def context(*classes: str, comparison: str = "exact") -> str:
    """Return a RequestedAuthnContext element."""
    refs = "".join(f"<saml:AuthnContextClassRef>{c}</saml:AuthnContextClassRef>" for c in classes)
    return (
        f'<samlp:RequestedAuthnContext Comparison="{comparison}">{refs}'
        "</samlp:RequestedAuthnContext>"
    )


def signed_in(site: Site, issuer: str = TWO_STEP) -> tuple[Phone, Browser]:
    """Return a phone and a browser in which alice has signed in to *issuer*."""
    phone, browser = site.phone(), site.browser()
    browser.start(issuer)
    browser.sign_in() if issuer == TWO_STEP else browser.submit("login", username="alice")
    assert phone.answer(browser.symbols) is Result.GRANTED
    assert "respond" in browser.submit("finish").forms
    return phone, browser


def steps_of_last(site: Site) -> object:
    return site.trail(AuditEvent.ASSERTION_ISSUED)[-1].record.details["steps"]


def test_an_approval_alone_does_not_pass_a_two_step_service(site: Site) -> None:
    phone, browser = signed_in(site, ALONE)
    browser.start(TWO_STEP)
    assert "password" in browser.page.request.path
    browser.sign_in()
    assert phone.answer(browser.symbols) is Result.GRANTED
    browser.submit("finish")
    assert steps_of_last(site) == ["password:now", "approval:now"]


def test_step_up_replaces_the_session_and_the_old_cookie_is_dead(site: Site) -> None:
    phone, browser = signed_in(site, ALONE)
    old = browser.cookie("idp-session")
    browser.start(TWO_STEP)
    browser.sign_in()
    phone.answer(browser.symbols)
    browser.submit("finish")
    assert browser.cookie("idp-session") != old
    browser.http.set_cookie("idp-session", old)
    assert "respond" not in browser.start(ALONE).forms


def test_a_step_that_is_too_old_runs_again(site: Site) -> None:
    site.write_policy(TWO_STEP, "[login]\nstep_max_age_seconds = 60\n")
    _, browser = signed_in(site)
    site.clock.advance(seconds=61)
    browser.start(TWO_STEP)
    assert "password" in browser.page.request.path


def test_max_age_zero_asks_at_every_login(site: Site) -> None:
    site.write_policy(TWO_STEP, "[login]\nstep_max_age_seconds = 0\n")
    _, browser = signed_in(site)
    browser.start(TWO_STEP)
    assert "password" in browser.page.request.path


@pytest.mark.parametrize("value", ["true", "1"])
def test_force_authn_repeats_every_step(site: Site, value: str) -> None:
    phone, browser = signed_in(site)
    browser.start(TWO_STEP, attributes=f'ForceAuthn="{value}"')
    browser.sign_in()
    phone.answer(browser.symbols)
    browser.submit("finish")
    assert steps_of_last(site) == ["password:now", "approval:now"]


def test_a_passive_request_without_session_is_answered_without_a_page(site: Site) -> None:
    page = site.browser().start(TWO_STEP, attributes='IsPassive="true"')
    assert status_of(page) == "NoPassive"


def test_a_passive_request_with_a_session_is_served(site: Site) -> None:
    _, browser = signed_in(site)
    assert status_of(browser.start(TWO_STEP, attributes='IsPassive="true"')) == "Success"


def test_passive_and_forced_cannot_both_be(site: Site) -> None:
    _, browser = signed_in(site)
    page = browser.start(TWO_STEP, attributes='IsPassive="true" ForceAuthn="true"')
    assert status_of(page) == "NoPassive"


def test_a_requested_password_context_adds_the_password_to_the_approval(site: Site) -> None:
    browser = site.browser()
    browser.start(ALONE, extra=context(_AC + "PasswordProtectedTransport"))
    assert "password" in browser.page.request.path


def test_a_lower_context_still_runs_both_steps(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start(TWO_STEP, extra=context(_AC + "PasswordProtectedTransport"))
    browser.sign_in()
    phone.answer(browser.symbols)
    page = browser.submit("finish")
    assert status_of(page) == "Success"
    assert steps_of_last(site) == ["password:now", "approval:now"]


@pytest.mark.parametrize(
    "asked",
    [
        context("urn:example:unknown"),
        context("https://refeds.org/profile/mfa", comparison="better"),
        context(_AC + "X509"),
    ],
)
def test_a_context_that_cannot_be_met_is_told_at_once(site: Site, asked: str) -> None:
    assert status_of(site.browser().start(TWO_STEP, extra=asked)) == "NoAuthnContext"


def test_a_policy_that_tightens_during_a_login_counts_at_its_finish(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    site.make_ready_administrator()
    browser.start(ALONE)
    browser.submit("login", username="alice")
    phone.answer(browser.symbols)
    site.write_policy(ALONE, "[login]\ntwo_step = true\n")
    page = browser.submit("finish")
    assert "respond" not in page.forms
    assert site.receipts() == 0
    assert site.trail(AuditEvent.FINISH_REFUSED)[-1].record.reason == "password_missing"


def test_a_user_disabled_between_approval_and_finish_gets_no_assertion(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    phone.answer(browser.symbols)
    site.idp.people.disable(site.people["alice"].user_id, origin=ORIGIN)
    browser.submit("finish")
    assert site.receipts() == 0


def test_a_device_removed_after_its_answer_does_not_count(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    phone.answer(browser.symbols)
    phone.client.retire(phone.own)
    browser.submit("finish")
    assert site.receipts() == 0


def test_a_disabled_users_session_serves_nobody(site: Site) -> None:
    _, browser = signed_in(site)
    site.idp.people.disable(site.people["alice"].user_id, origin=ORIGIN)
    assert "respond" not in browser.start(TWO_STEP).forms


def test_a_provider_that_is_gone_gets_no_assertion(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    phone.answer(browser.symbols)
    for file in (site.folder / "metadata").iterdir():
        file.unlink()
    site.idp.providers.refresh()
    browser.submit("finish")
    assert site.receipts() == 0


def test_groups_of_the_policy_decide_who_may_come_in(site: Site) -> None:
    site.write_policy(TWO_STEP, '[login]\ngroups = ["jira-users"]\n')
    site.phone()
    browser = site.browser()
    browser.start()
    page = browser.sign_in()
    assert "/ended" in page.request.path
    assert status_of(browser.submit_first()) == "RequestDenied"


def test_a_user_without_id_is_told_only_after_the_right_password(site: Site) -> None:
    site.add_user("carol", with_identity=False)
    browser = site.browser()
    browser.start()
    assert browser.sign_in("carol", "wrong password here").status_int == 401
    page = browser.sign_in("carol")
    assert "/ended" in page.request.path
    assert "administrator" in page.text


def test_a_user_without_device_is_told_only_after_the_right_password(site: Site) -> None:
    browser = site.browser()
    browser.start()
    page = browser.sign_in("alice")
    assert "/ended" in page.request.path
    assert site.trail(AuditEvent.LOGIN_REFUSED)[-1].record.reason == "no_device"
