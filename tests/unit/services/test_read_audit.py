"""Reading the audit trail by what an auditor knows."""

import pytest

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.ids import ApprovalIdentity
from saml_idp.services.read_audit import ReadAudit
from tests.build import NOW, PROVIDER, a_person
from tests.fakes import FakeStore


@pytest.fixture
def read_audit() -> ReadAudit:
    store = FakeStore()
    with store.unit() as unit:
        unit.people.add(a_person("alice", identity=ApprovalIdentity("wonder")), None)
        for event, subject, reference in (
            (AuditEvent.PASSWORD_REJECTED, "alice", "r1"),  # under the name that was entered
            (AuditEvent.PASSWORD_REJECTED, "mallory", "r2"),
            (AuditEvent.PASSWORD_ACCEPTED, "u-alice", "r3"),  # under the user's id
            (AuditEvent.METADATA_CHANGED, "", "r4"),
        ):
            origin = Origin(reference, "192.0.2.1", "browser")
            unit.audit.append(AuditRecord(NOW, event, origin, subject=subject, provider=PROVIDER))
    return ReadAudit(store)


def _sequences(read_audit: ReadAudit, **filters: object) -> list[int]:
    return [r.stored.sequence for r in read_audit(**{"limit": 10, **filters})]  # type: ignore[arg-type]


def test_the_newest_comes_first(read_audit: ReadAudit) -> None:
    assert _sequences(read_audit) == [4, 3, 2, 1]
    assert _sequences(read_audit, newest_first=False) == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["alice", "ALICE", "wonder"])
def test_a_user_s_records_are_found_under_id_and_entered_name(
    read_audit: ReadAudit, name: str
) -> None:
    assert _sequences(read_audit, user=name) == [3, 1]


def test_who_never_existed_left_a_trail_as_well(read_audit: ReadAudit) -> None:
    assert _sequences(read_audit, user="Mallory") == [2]


def test_an_error_page_s_reference_finds_its_record(read_audit: ReadAudit) -> None:
    assert _sequences(read_audit, reference="r2") == [2]
    assert _sequences(read_audit, reference="") == []


def test_filters_hold_together(read_audit: ReadAudit) -> None:
    assert _sequences(read_audit, user="alice", event=AuditEvent.PASSWORD_ACCEPTED) == [3]
    assert _sequences(read_audit, provider="https://other.example") == []
    assert _sequences(read_audit, after=2) == [4, 3]


def test_the_limit_counts_across_the_names_of_a_user(read_audit: ReadAudit) -> None:
    assert _sequences(read_audit, user="alice", limit=1) == [3]
    assert _sequences(read_audit, user="alice", limit=1, newest_first=False) == [1]


def test_a_user_s_id_is_told_as_the_name(read_audit: ReadAudit) -> None:
    names = {r.stored.sequence: r.subject_name for r in read_audit(limit=10)}

    assert names == {1: "alice", 2: "mallory", 3: "alice", 4: ""}
