"""X01, L12: a server that is killed at any point of a login breaks no promise.

The process dies by SIGKILL, as by the kernel's out-of-memory killer or a pulled plug of the
machine it runs on; another one goes on with the same database.
"""

from pathlib import Path
from typing import Final

import pytest

from saml_idp.bootstrap import build
from saml_idp.domain.ids import AssertionId
from saml_idp.settings import load_settings
from tests.faults.invariants import breaches, tables_of
from tests.faults.node import Node
from tests.faults.places import Prepared, database_like, url_of
from tests.faults.user import User
from tests.flows.site import Phone, Site
from tests.postgres import PostgresServer

# The units of a login: its opening, the counted try, the password, the question, the phone's
# token, the question fetched, the answer's token, the answer, the finish.
_UNITS: Final = 9
_LAST_COMMIT: Final = f"COMMIT {_UNITS}"
_EARNED: Final = (
    f"after {_LAST_COMMIT}",
    "before Issuer.issue 1",
    "after Issuer.issue 1",
    "before the answer leaves 7",
)
_POINTS: Final = (
    *(f"{word} COMMIT {unit}" for unit in range(1, _UNITS + 1) for word in ("before", "after")),
    "before the answer leaves 3",
    "before the answer leaves 4",
    "before the answer leaves 6",
    "after DatabaseDirectory.verify_password 1",
    "after Receipts.add_password 1",
    "after verified_answer 1",
    "after Approvals.move 2",
    "after Attempts.replace 3",
    "after Approvals.move 3",
    "after Receipts.add 1",
    *_EARNED[1:],
)
_POSTGRES_POINTS: Final = (
    "after COMMIT 3",
    "before COMMIT 8",
    "after COMMIT 8",
    "before COMMIT 9",
    "after COMMIT 9",
)


def _sign_in_with_a_kill(site: Site, phone: Phone, url: str, fatal: str) -> None:
    first = site.app = Node(site.folder, site.clock, fatal=fatal)
    user = User(site, phone)
    user.sign_in()
    site.app.close()
    assert first.process.exitcode == -9, f"nobody died at {fatal}"
    tables = tables_of(url)
    assert breaches(tables) == []
    assert user.lost == 1
    # Only an answer that was lost after the spending costs the login: it is not given twice.
    spent_for_nothing = 1 if fatal in _EARNED else 0
    stored = {row["assertion_id"] for row in tables["receipts"]}
    assert set(user.seen) < stored if spent_for_nothing else set(user.seen) == stored
    assert len(stored) == 1 + spent_for_nothing
    idp = build(load_settings(site.folder / "saml_idp.toml", {}))
    checked = [idp.verify_receipt(AssertionId(one)) for one in stored]
    idp.store.close()
    assert all(report.ok for report in checked), checked


@pytest.mark.parametrize("fatal", _POINTS)
def test_a_server_killed_here_keeps_every_promise_and_the_user_goes_on(
    on_sqlite: Prepared, tmp_path: Path, fatal: str
) -> None:
    site, phone = on_sqlite.copied(tmp_path / "site")
    _sign_in_with_a_kill(site, phone, url_of(site.folder), fatal)


@pytest.mark.parametrize("fatal", _POSTGRES_POINTS)
def test_a_server_killed_here_on_postgresql_keeps_every_promise(
    on_postgres: Prepared, postgres: PostgresServer, tmp_path: Path, fatal: str
) -> None:
    with database_like(postgres, on_postgres) as url:
        site, phone = on_postgres.copied(tmp_path / "site", url=url)
        _sign_in_with_a_kill(site, phone, url, fatal)


def test_the_points_are_those_of_a_whole_login(on_sqlite: Prepared, tmp_path: Path) -> None:
    """A new unit or another order of the old ones must be marked as well."""
    site, phone = on_sqlite.copied(tmp_path / "site")
    node = site.app = Node(site.folder, site.clock)
    User(site, phone).sign_in()
    node.close()
    assert set(_POINTS) <= set(node.passed)
    assert [mark for mark in node.passed if "after COMMIT" in mark][-1] == f"after {_LAST_COMMIT}"
    assert len(set(_POINTS)) >= 25
    assert breaches(tables_of(url_of(site.folder))) == []
