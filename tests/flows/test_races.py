"""Of two workers that answer one approval, or finish one login, one succeeds (D06, L12, X09)."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from saml_idp.adapters.db import schema
from saml_idp.adapters.db.store import parsed_url
from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.attempt import State
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.ids import ApprovalId, AssertionId, AttemptId
from saml_idp.saml.sp_metadata import write_minimal_metadata
from tests.build import ACS, PROVIDER
from tests.flows.racing import House, run_race, seed
from tests.postgres import PostgresServer

ROUNDS = 1200  # in every sixth one answer is a no: at least a thousand logins are finished


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, site_template: Path, tmp_path: Path) -> Iterator[House]:
    folder = tmp_path / "site"
    shutil.copytree(site_template, folder)
    (folder / "metadata" / "sp.xml").write_bytes(write_minimal_metadata(PROVIDER, ACS))
    if request.param == "sqlite":
        yield House(folder)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        file = folder / "saml_idp.toml"
        file.write_text(file.read_text().replace("sqlite:///idp.sqlite3", url))
        schema.upgrade(parsed_url(url))
        yield House(folder)


@pytest.mark.slow
def test_one_answer_counts_and_one_assertion_is_issued(house: House) -> None:
    jobs = seed(house, ROUNDS)
    outcomes: dict[str, list[int]] = {"granted": [], "denied": [], "issued": [], "late": []}
    for number, outcome in run_race(house, jobs):
        outcomes[outcome].append(number)

    assert sorted(outcomes["granted"] + outcomes["denied"]) == list(range(ROUNDS))
    granted = set(outcomes["granted"])
    assert len(granted) >= 1000
    assert outcomes["denied"]  # a no was first now and then
    assert sorted(outcomes["issued"]) == sorted(granted)
    assert sorted(outcomes["late"]) == sorted(granted)  # both wanted it, each time

    idp = house.open()
    with idp.store.view() as unit:
        assert unit.receipts.count() == len(granted)
        for number, job in enumerate(jobs):
            approval = unit.approvals.get(ApprovalId(job["approval"]))
            attempt = unit.attempts.get(AttemptId(job["attempt"]))
            expected = (
                (ApprovalState.SPENT, State.DONE)
                if number in granted
                else (ApprovalState.DENIED, State.REFUSED)
            )
            assert (approval.state, attempt.state) == expected
        issued = unit.audit.read(limit=2 * ROUNDS, event=AuditEvent.ASSERTION_ISSUED)
        assert len({record.record.attempt for record in issued}) == len(issued) == len(granted)
        answers = [
            record
            for event in (AuditEvent.APPROVAL_GRANTED, AuditEvent.APPROVAL_DENIED)
            for record in unit.audit.read(limit=2 * ROUNDS, event=event)
        ]
        assert len(answers) == ROUNDS
    for record in issued[:20]:
        assert idp.verify_receipt(AssertionId(str(record.record.details["assertion"]))).ok
    idp.store.close()
