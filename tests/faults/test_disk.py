"""X06, X07, U08: what cannot be recorded is not signed; it goes on when the cause is gone."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.faults.invariants import breaches, tables_of
from tests.faults.node import Node
from tests.faults.places import Prepared, database_like, url_of
from tests.faults.user import assertions_in, waiting_for_the_finish
from tests.flows.site import Browser, Phone, Site
from tests.postgres import PostgresServer

# An error of the database that is no constraint: what a failing disk or a full one looks like.
_NO_AUDIT: Final = """
CREATE TRIGGER no_audit BEFORE INSERT ON audit WHEN NEW.event = 'assertion_issued'
BEGIN SELECT json('{'); END
"""
_NO_AUDIT_POSTGRES: Final = (
    b"""CREATE FUNCTION no_audit() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION USING ERRCODE = ''disk_full''; END'""",
    b"""CREATE TRIGGER no_audit BEFORE INSERT ON audit FOR EACH ROW
        WHEN (NEW.event = 'assertion_issued') EXECUTE FUNCTION no_audit()""",
)


def _nothing_came_of(browser: Browser, form: Any, url: str) -> None:
    """The finish fails: no assertion, no spent approval, no receipt, no session."""
    browser.page = form
    page = browser.submit("finish")
    assert page.status_int == 503
    assert page.headers["Retry-After"]
    assert assertions_in(page) == []
    tables = tables_of(url)
    assert tables["receipts"] == []
    assert "spent" not in {row["state"] for row in tables["approvals"]}
    assert "done" not in {row["state"] for row in tables["attempts"]}


def _all_is_well(browser: Browser, form: Any, url: str) -> None:
    """The cause is gone: the very same form gives the assertion."""
    browser.page = form
    assert len(assertions_in(browser.submit("finish"))) == 1
    assert breaches(tables_of(url)) == []


def test_without_its_audit_record_nothing_is_issued(on_sqlite: Prepared, tmp_path: Path) -> None:
    with on_sqlite.served(tmp_path / "site") as (site, phone):
        browser, url = waiting_for_the_finish(site, phone), url_of(site.folder)
        form = browser.page
        with closing(sqlite3.connect(site.folder / "idp.sqlite3")) as connection:
            connection.execute(_NO_AUDIT)
            _nothing_came_of(browser, form, url)
            connection.execute("DROP TRIGGER no_audit")
        _all_is_well(browser, form, url)


def test_without_its_audit_record_nothing_is_issued_on_postgresql(
    on_postgres: Prepared, postgres: PostgresServer, tmp_path: Path
) -> None:
    with (
        database_like(postgres, on_postgres) as url,
        on_postgres.served(tmp_path / "site", url=url) as (site, phone),
        closing(psycopg.connect(url, autocommit=True)) as connection,
    ):
        browser = waiting_for_the_finish(site, phone)
        form = browser.page
        for statement in _NO_AUDIT_POSTGRES:
            connection.execute(statement)
        _nothing_came_of(browser, form, url)
        connection.execute("DROP TRIGGER no_audit ON audit")
        _all_is_well(browser, form, url)


@pytest.mark.parametrize(
    ("fault", "mended"),
    [
        ("PRAGMA query_only = ON", ""),  # the writer takes a new connection by itself
        ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000"),
    ],
    ids=["read only", "full"],
)
def test_a_database_that_takes_no_more_issues_nothing(
    on_sqlite: Prepared, tmp_path: Path, fault: str, mended: str
) -> None:
    with on_sqlite.served(tmp_path / "site") as (site, phone):
        browser, url = waiting_for_the_finish(site, phone), url_of(site.folder)
        form = browser.page
        writer: Any = site.idp.store._database._writer  # type: ignore[union-attr]
        writer._connection.execute(fault)
        if "page" in fault:
            _use_up_the_pages(writer._connection)
        _nothing_came_of(browser, form, url)
        if mended:
            writer._connection.execute(mended)
        _all_is_well(browser, form, url)


def _use_up_the_pages(connection: Any) -> None:
    """Add audit records until not one more fits."""
    insert = (
        "INSERT INTO audit (at, node, event, actor, address, reference, browser, subject,"
        " provider, attempt, outcome, reason, details)"
        " VALUES (0, '', 'policy_changed', '', '', '', '', '', '', '', 'ok', '', '{}')"
    )
    with suppress(sqlite3.OperationalError):
        for _ in range(10_000):
            connection.execute(insert)


@pytest.mark.parametrize("step", ["start", "password", "finish"])
def test_a_disk_that_refuses_to_write_stops_a_login_and_loses_none(
    on_sqlite: Prepared, tmp_path: Path, step: str
) -> None:
    """Real write errors (EFBIG, a kind of full disk) in the server's own process."""
    site, phone = on_sqlite.copied(tmp_path / "site")
    node = site.app = Node(site.folder, site.clock)
    browser = site.browser()
    _up_to(step, site, phone, browser)
    form = browser.page
    node.let_files_grow(to=1)
    assert _do(step, browser).status_int == 503
    assert browser.get("/healthz").status_int == 200
    node.let_files_grow(to=None)
    browser.page = form
    assert _do(step, browser).status_int == 200
    if step != "finish":
        if step == "start":
            browser.sign_in()
        phone.answer(browser.symbols)
        browser.submit("finish")
    assert len(assertions_in(browser.page)) == 1
    node.close()
    assert breaches(tables_of(url_of(site.folder))) == []


def _up_to(step: str, site: Site, phone: Phone, browser: Browser) -> None:
    if step != "start":
        browser.start()
    if step == "finish":
        browser.sign_in()
        phone.answer(browser.symbols)


def _do(step: str, browser: Browser) -> Any:
    if step == "start":
        return browser.start()
    return browser.sign_in() if step == "password" else browser.submit("finish")
