"""X02, X05, X24: the database goes away, comes back, or is lost in the very commit."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from saml_idp.device_sdk.client import Result
from saml_idp.device_sdk.errors import CallFailed
from saml_idp.device_sdk.messages import OpenApproval, Verdict
from saml_idp.domain.attempt import State
from saml_idp.domain.audit import AuditEvent
from tests.faults.invariants import breaches, tables_of
from tests.faults.places import Prepared, database_like, url_of
from tests.faults.user import assertions_in, waiting_for_the_finish
from tests.faults.wire import Where, Wire, wire_to
from tests.flows.site import ALONE, Phone, Site
from tests.postgres import PostgresServer


@pytest.fixture
def wire(postgres: PostgresServer) -> Iterator[Wire]:
    with wire_to(postgres) as found:
        yield found


@pytest.fixture
def url(on_postgres: Prepared, postgres: PostgresServer) -> Iterator[str]:
    with database_like(postgres, on_postgres) as found:
        yield found


@pytest.fixture
def served(
    on_postgres: Prepared, wire: Wire, url: str, tmp_path: Path
) -> Iterator[tuple[Site, Phone]]:
    with on_postgres.served(tmp_path / "site", url=wire.url(url)) as found:
        yield found


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_finish_that_loses_its_commit_never_gives_a_second_assertion(
    served: tuple[Site, Phone], wire: Wire, url: str, where: Where
) -> None:
    site, phone = served
    browser = waiting_for_the_finish(site, phone)
    form = browser.page
    wire.cut_at_commit(1, where)
    page = browser.submit("finish")
    assert wire.is_whole
    assert page.status_int == 503
    assert assertions_in(page) == []
    browser.page = form
    again = browser.submit("finish")
    # What was stored is not given twice; what was not stored is given once.
    assert len(assertions_in(again)) == (0 if where == "after" else 1)
    assert site.receipts() == 1
    assert len(site.trail(AuditEvent.ASSERTION_ISSUED)) == 1
    assert breaches(tables_of(url)) == []
    if where == "after":
        site.clock.advance(seconds=1)
        afresh = waiting_for_the_finish(site, phone)
        assert len(assertions_in(afresh.submit("finish"))) == 1


@pytest.mark.parametrize("where", ["before", "after"])
def test_an_answer_that_loses_its_commit_counts_once_or_not_at_all(
    served: tuple[Site, Phone], wire: Wire, url: str, where: Where
) -> None:
    site, phone = served
    browser = site.browser()
    browser.start()
    browser.sign_in()
    (approval,) = phone.look()
    wire.cut_at_commit(2, where)  # the first is that of the call's token
    with pytest.raises(CallFailed) as caught:
        _approve(phone, approval, browser.symbols)
    assert (caught.value.status, wire.is_whole) == (503, True)
    again = _approve(phone, approval, browser.symbols)
    assert again is (Result.OVER if where == "after" else Result.GRANTED)
    assert len(assertions_in(browser.submit("finish"))) == 1
    granted = [entry.record for entry in site.trail(AuditEvent.APPROVAL_GRANTED)]
    assert len([record for record in granted if record.attempt]) == 1  # none: the trial
    assert breaches(tables_of(url)) == []


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_password_that_loses_its_commit_is_asked_again_or_was_right(
    served: tuple[Site, Phone], wire: Wire, url: str, where: Where
) -> None:
    site, phone = served
    browser = site.browser()
    form = browser.start()
    wire.cut_at_commit(2, where)  # the first is that of the counted try
    assert browser.sign_in().status_int == 503
    assert wire.is_whole
    browser.page = form
    browser.sign_in()
    assert phone.answer(browser.symbols) is Result.GRANTED
    assert len(assertions_in(browser.submit("finish"))) == 1
    assert breaches(tables_of(url)) == []


def test_a_node_that_does_not_reach_the_database_says_no_to_everything(
    served: tuple[Site, Phone], wire: Wire, url: str
) -> None:
    site, phone = served
    in_session = waiting_for_the_finish(site, phone)
    in_session.submit("finish")
    site.clock.advance(seconds=1)
    waiting = waiting_for_the_finish(site, phone)
    stranger = site.browser()
    form = stranger.start()
    wire.down()
    began = time.monotonic()
    for page in (
        waiting.get("/readyz"),
        site.browser().start(),
        in_session.start(ALONE),  # a session is no cached yes
        stranger.sign_in(),
    ):
        assert page.status_int == 503
        assert assertions_in(page) == []
    with pytest.raises(CallFailed) as caught:
        phone.look()
    assert caught.value.status == 503
    assert waiting.get("/healthz").status_int == 200
    assert time.monotonic() - began < 25  # five calls, five seconds each at most
    wire.up()
    assert waiting.get("/readyz").status_int == 200
    stranger.page = form
    assert stranger.sign_in().status_int == 200
    assert len(assertions_in(in_session.start(ALONE))) == 1
    assert len(tables_of(url)["receipts"]) == 2


def test_a_login_goes_on_where_it_was_when_the_database_is_back(
    served: tuple[Site, Phone], wire: Wire, url: str
) -> None:
    site, phone = served
    browser = waiting_for_the_finish(site, phone)
    form = browser.page
    for _ in range(3):
        wire.down()
        browser.page = form
        assert browser.submit("finish").status_int == 503
        wire.up()
        assert browser.get("/readyz").status_int == 200
    browser.page = form
    assert len(assertions_in(browser.submit("finish"))) == 1
    assert breaches(tables_of(url)) == []


def test_a_sqlite_file_that_is_away_and_back_costs_no_login(
    on_sqlite: Prepared, tmp_path: Path
) -> None:
    with on_sqlite.served(tmp_path / "site") as (site, phone):
        browser = waiting_for_the_finish(site, phone)
        form = browser.page
        site.idp.store.close()  # all is in the one file now
        file, away = site.folder / "idp.sqlite3", site.folder / "away"
        file.rename(away)
        file.mkdir()
        assert browser.get("/readyz").status_int == 503
        browser.page = form
        assert browser.submit("finish").status_int == 503
        assert site.browser().start().status_int == 503
        file.rmdir()
        away.rename(file)
        assert browser.get("/readyz").status_int == 200
        browser.page = form
        assert len(assertions_in(browser.submit("finish"))) == 1
        tables = tables_of(url_of(site.folder))
        assert breaches(tables) == []
        assert {row["state"] for row in tables["attempts"]} == {State.DONE}


def test_a_sqlite_file_that_is_replaced_under_a_running_server_is_not_served(
    on_sqlite: Prepared, tmp_path: Path
) -> None:
    """The old file would still say yes to whoever the restored one does not know."""
    with on_sqlite.served(tmp_path / "site") as (site, phone):
        browser = waiting_for_the_finish(site, phone)
        form = browser.page
        file = site.folder / "idp.sqlite3"
        restored = site.folder / "restored"
        with closing(sqlite3.connect(file)) as running, closing(sqlite3.connect(restored)) as copy:
            running.backup(copy)
        restored.rename(file)
        ready = browser.get("/readyz")
        assert (ready.status_int, "restart the server" in ready.text) == (503, True)
        browser.page = form
        assert browser.submit("finish").status_int == 503
        site.close()  # the restart
        assert browser.get("/readyz").status_int == 200
        browser.page = form
        assert len(assertions_in(browser.submit("finish"))) == 1
        assert breaches(tables_of(url_of(site.folder))) == []


def _approve(phone: Phone, approval: OpenApproval, symbols: str) -> Result:
    return phone.client.answer(phone.own, approval, Verdict.APPROVE, symbols=symbols)
