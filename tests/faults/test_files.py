"""X12, X13: files that go bad while the server runs, and a database that is damaged."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from saml_idp.domain.audit import AuditEvent
from tests.faults.places import Prepared
from tests.flows.site import ALONE, TWO_STEP, Phone, Site
from tests.flows.test_when_something_is_wrong import run_cli


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: len(file.read_bytes()) // 2])


def _emptied(file: Path) -> None:
    file.write_bytes(b"")


def _garbled(file: Path) -> None:
    file.write_bytes(b"\x00\xff" * 300)


def _folder_in_its_place(file: Path) -> None:
    file.unlink()
    file.mkdir()


_BROKEN: Final = (_truncated, _emptied, _garbled, _folder_in_its_place)


@pytest.fixture
def served(on_sqlite: Prepared, tmp_path: Path) -> Iterator[tuple[Site, Phone]]:
    with on_sqlite.served(tmp_path / "site") as found:
        yield found


def _page_of(site: Site, issuer: str) -> str:
    """Return the page that a login for *issuer* begins with."""
    page = site.browser().start(issuer)
    return str(page.request.path).rpartition("/")[2] if page.status_int == 200 else ""


@pytest.mark.parametrize("broken", _BROKEN)
def test_metadata_that_breaks_leaves_the_last_good_version_and_raises_an_alarm(
    served: tuple[Site, Phone], broken: Callable[[Path], None]
) -> None:
    site, _ = served
    broken(site.folder / "metadata" / "https---two-example-test.xml")
    site.idp.providers.refresh()
    assert _page_of(site, TWO_STEP) == "password"
    assert site.idp.providers.faults()
    assert site.trail(AuditEvent.METADATA_FAULT)


@pytest.mark.parametrize("broken", _BROKEN)
@pytest.mark.parametrize(("issuer", "begins_with"), [(TWO_STEP, "password"), (ALONE, "name")])
def test_a_policy_that_breaks_leaves_the_last_good_version_and_raises_an_alarm(
    served: tuple[Site, Phone], broken: Callable[[Path], None], issuer: str, begins_with: str
) -> None:
    """Cut in half or emptied, a file may still be TOML: it names no provider, and is refused."""
    site, _ = served
    name = issuer.replace("://", "---").replace(".", "-")
    broken(site.folder / "policies" / f"{name}.toml")
    site.idp.policies.refresh()
    assert _page_of(site, issuer) == begins_with
    assert site.idp.policies.faults()
    assert site.trail(AuditEvent.POLICY_FAULT)


def test_metadata_that_is_deleted_ends_the_service_and_is_on_record(
    served: tuple[Site, Phone],
) -> None:
    """Deleting is how an operator removes a service: it takes effect at once."""
    site, phone = served
    browser = site.browser()
    browser.start()
    browser.sign_in()
    phone.answer(browser.symbols)
    (site.folder / "metadata" / "https---two-example-test.xml").unlink()
    site.idp.providers.refresh()
    assert "respond" not in browser.submit("finish").forms
    assert _page_of(site, TWO_STEP) == ""
    assert _page_of(site, ALONE) == "name"
    assert site.trail(AuditEvent.METADATA_CHANGED)
    assert site.receipts() == 0


def test_a_policy_that_is_deleted_leaves_the_strict_default(served: tuple[Site, Phone]) -> None:
    site, _ = served
    site.make_ready_administrator()  # without one, two-step is not switched on for anyone
    (site.folder / "policies" / "https---alone-example-test.toml").unlink()
    site.idp.policies.refresh()
    assert _page_of(site, ALONE) == "password"
    assert site.trail(AuditEvent.POLICY_CHANGED)


@pytest.mark.parametrize("folder", ["metadata", "policies"])
def test_a_folder_that_vanishes_leaves_every_service_as_it_was(
    served: tuple[Site, Phone], folder: str
) -> None:
    site, _ = served
    (site.folder / folder).rename(site.folder / "elsewhere")
    site.idp.providers.refresh()
    site.idp.policies.refresh()
    assert (_page_of(site, TWO_STEP), _page_of(site, ALONE)) == ("password", "name")
    assert [*site.idp.providers.faults(), *site.idp.policies.faults()]


@pytest.mark.parametrize("table", ["receipts", "audit", "people", "sqlite_schema"])
def test_neither_doctor_nor_server_pass_over_a_damaged_page(
    on_sqlite: Prepared, tmp_path: Path, table: str
) -> None:
    site, _ = on_sqlite.copied(tmp_path / "site")
    _damage(site.folder / "idp.sqlite3", table)
    code, told = run_cli(site, "doctor")
    assert code == 2
    assert "restore the last backup" in " ".join(told.split())
    code, told = run_cli(site, "serve")
    assert code == 2
    assert "restore the last backup" in told


def _damage(file: Path, table: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # no page is in the log any more
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        if table == "sqlite_schema":
            page = 1
        else:
            (page,) = connection.execute(
                "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
            ).fetchone()
    with file.open("r+b") as octets:
        octets.seek((page - 1) * size + (100 if page == 1 else 0))
        octets.write(b"\xff" * 64)
