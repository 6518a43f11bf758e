"""X01, L12: a server that is killed at any point of a login breaks no promise.

The process dies by SIGKILL, as by the kernel's out-of-memory killer or a pulled plug of the
machine it runs on; another one goes on with the same database.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from saml_idp.bootstrap import Idp, build
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
EARNED: Final = (
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
    *EARNED[1:],
)
_POSTGRES_POINTS: Final = (
    "after COMMIT 3",
    "before COMMIT 8",
    "after COMMIT 8",
    "before COMMIT 9",
    "after COMMIT 9",
)


@dataclass
class House:
    """An installation whose servers are killed one after the other."""

    site: Site
    phone: Phone
    url: str
    idp: Idp  # an auditor's process, which serves nobody

    def sign_in_with_a_kill(self, fatal: str) -> None:
        """Kill the server at *fatal* in a login of a new browser; show what came of it."""
        node = self.site.app
        node.arm(fatal)
        before = self._receipts()
        user = User(self.site, self.phone)
        user.sign_in()
        assert node.process.exitcode == -signal.SIGKILL, f"nobody died at {fatal}"
        assert user.lost == 1
        assert breaches(tables_of(self.url)) == []
        new = self._receipts() - before
        # Only an answer that was lost after the spending costs the login: none is given twice.
        assert len(new) == (2 if fatal in EARNED else 1)
        assert len(user.seen) == 1
        assert set(user.seen) <= new
        reports = [self.idp.verify_receipt(AssertionId(one)) for one in new]
        assert all(report.ok for report in reports), reports
        self.site.clock.advance(minutes=20)  # no limit of asks is in the way of the next

    def _receipts(self) -> set[str]:
        return {row["assertion_id"] for row in tables_of(self.url)["receipts"]}


@contextmanager
def opened_house(template: Prepared, folder: Path, url: str = "") -> Iterator[House]:
    site, phone = template.copied(folder, url=url)
    idp = build(load_settings(folder / "saml_idp.toml", {}))
    site.app = Node(folder, site.clock)
    yield House(site, phone, url or url_of(folder), idp)
    site.app.close()
    idp.store.close()


@pytest.fixture(scope="module")
def house(on_sqlite: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened_house(on_sqlite, tmp_path_factory.mktemp("killed") / "site") as opened:
        yield opened


@pytest.fixture(scope="module")
def postgres_house(
    on_postgres: Prepared, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("killed") / "site"
    with (
        database_like(postgres, on_postgres) as url,
        opened_house(on_postgres, folder, url) as opened,
    ):
        yield opened


@pytest.mark.parametrize("fatal", _POINTS)
def test_a_server_killed_here_keeps_every_promise_and_the_user_goes_on(
    house: House, fatal: str
) -> None:
    house.sign_in_with_a_kill(fatal)


@pytest.mark.parametrize("fatal", _POSTGRES_POINTS)
def test_a_server_killed_here_on_postgresql_keeps_every_promise(
    postgres_house: House, fatal: str
) -> None:
    postgres_house.sign_in_with_a_kill(fatal)


def test_the_points_are_those_of_a_whole_login(on_sqlite: Prepared, tmp_path: Path) -> None:
    """A new unit or another order of the old ones must be marked as well."""
    with opened_house(on_sqlite, tmp_path / "site") as opened:
        node = opened.site.app
        User(opened.site, opened.phone).sign_in()
        assert set(_POINTS) <= set(node.passed)
        ends = [mark for mark in node.passed if "after COMMIT" in mark]
        assert ends[-1] == f"after {_LAST_COMMIT}"
        assert breaches(tables_of(opened.url)) == []
    assert len(set(_POINTS)) >= 25
