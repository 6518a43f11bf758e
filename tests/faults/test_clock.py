"""X08: the clock jumps by an hour while a login is under way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from saml_idp.device_sdk.client import Result
from saml_idp.device_sdk.errors import CallFailed
from saml_idp.device_sdk.messages import OpenApproval, Verdict
from tests.faults.invariants import breaches, tables_of
from tests.faults.places import Prepared, url_of
from tests.faults.user import assertions_in, waiting_for_the_finish
from tests.flows.site import ALONE, Browser, Phone, Site


@pytest.fixture
def served(on_sqlite: Prepared, tmp_path: Path) -> Iterator[tuple[Site, Phone]]:
    with on_sqlite.served(tmp_path / "site") as found:
        yield found


@pytest.fixture
def asked(served: tuple[Site, Phone]) -> tuple[Site, Phone, Browser, OpenApproval]:
    """A login whose approval is open, and the question as the phone fetched it."""
    site, phone = served
    browser = site.browser()
    browser.start()
    browser.sign_in()
    (approval,) = phone.look()
    return site, phone, browser, approval


def _approve(phone: Phone, approval: OpenApproval, symbols: str) -> str:
    """Return what the answer came to, or the code of the refusal."""
    try:
        return phone.client.answer(phone.own, approval, Verdict.APPROVE, symbols=symbols)
    except CallFailed as refused:
        return refused.code


def test_a_jump_forward_lets_no_expired_approval_count(
    asked: tuple[Site, Phone, Browser, OpenApproval],
) -> None:
    site, phone, browser, approval = asked
    symbols = browser.symbols
    site.clock.advance(hours=1)
    assert _approve(phone, approval, symbols) is not Result.GRANTED
    assert assertions_in(browser.submit("finish")) == []
    assert site.receipts() == 0


def test_a_jump_back_revives_no_approval_that_was_seen_to_expire(
    asked: tuple[Site, Phone, Browser, OpenApproval],
) -> None:
    site, phone, browser, approval = asked
    symbols = browser.symbols
    site.clock.advance(seconds=121)
    site.idp.keep_house()
    site.clock.advance(hours=-1)
    assert phone.look() == []
    assert _approve(phone, approval, symbols) != Result.GRANTED
    assert assertions_in(browser.submit("finish")) == []
    assert site.receipts() == 0


def test_a_jump_back_gives_no_approval_a_longer_life(
    asked: tuple[Site, Phone, Browser, OpenApproval],
) -> None:
    """An answer from before its question is none: the hour would be added to its lifetime."""
    site, phone, browser, approval = asked
    site.clock.advance(hours=-1)
    assert _approve(phone, approval, browser.symbols) != Result.GRANTED
    assert assertions_in(browser.submit("finish")) == []
    assert site.receipts() == 0


@pytest.mark.parametrize("hours", [1, -1])
def test_a_finished_chain_is_not_issued_at_another_hour(
    served: tuple[Site, Phone], hours: int
) -> None:
    site, phone = served
    browser = waiting_for_the_finish(site, phone)
    site.clock.advance(hours=hours)
    assert assertions_in(browser.submit("finish")) == []
    assert site.receipts() == 0


def test_a_session_is_not_revived_by_a_jump_back(served: tuple[Site, Phone]) -> None:
    site, phone = served
    browser = waiting_for_the_finish(site, phone)
    browser.submit("finish")
    assert len(assertions_in(browser.start(ALONE))) == 1
    site.clock.advance(hours=-1)
    assert assertions_in(browser.start(ALONE)) == []
    assert site.receipts() == 2


def test_after_a_jump_and_back_a_new_login_works(served: tuple[Site, Phone]) -> None:
    site, phone = served
    for hours in (1, -1):
        site.clock.advance(hours=hours, seconds=1)
        site.idp.keep_house()
        browser = waiting_for_the_finish(site, phone)
        assert len(assertions_in(browser.submit("finish"))) == 1
        site.clock.advance(minutes=20)
    assert breaches(tables_of(url_of(site.folder))) == []
