"""The port ``AuditTrail``: append only, and no text keeps a record from being written."""

from dataclasses import replace
from typing import Any

import pytest

from saml_idp.domain.audit import AuditEvent, AuditRecord
from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import AttemptId
from saml_idp.ports.store import Store
from tests.build import NOW, ORIGIN, PROVIDER, seconds


def a_record(number: int = 0, **changes: Any) -> AuditRecord:
    plain = AuditRecord(
        NOW + seconds(number),
        AuditEvent.ASSERTION_ISSUED,
        ORIGIN,
        subject="u-alice",
        provider=PROVIDER,
        attempt=f"attempt-{number}",
        details={"steps": ["password:now"], "known": True, "count": 3, "none": None},
    )
    return replace(plain, **changes)


def _append(store: Store, *records: AuditRecord) -> None:
    with store.unit() as unit:
        for record in records:
            unit.audit.append(record)


def test_a_record_comes_back_as_it_was(store: Store) -> None:
    _append(store, a_record())
    with store.view() as unit:
        (found,) = unit.audit.read(limit=10)
    assert found.record == a_record()


def test_records_are_numbered_in_order(store: Store) -> None:
    _append(store, *(a_record(n) for n in range(5)))
    with store.view() as unit:
        forward = unit.audit.read(limit=10, newest_first=False)
        backward = unit.audit.read(limit=10)
    assert [r.record.attempt for r in forward] == [f"attempt-{n}" for n in range(5)]
    assert list(backward) == list(forward)[::-1]
    assert [r.sequence for r in forward] == sorted({r.sequence for r in forward})


def test_records_are_read_page_by_page(store: Store) -> None:
    _append(store, *(a_record(n) for n in range(5)))
    with store.view() as unit:
        first = unit.audit.read(limit=2, newest_first=False)
        then = unit.audit.read(limit=2, newest_first=False, after=first[-1].sequence)
        newest = unit.audit.read(limit=2)
    assert [r.record.attempt for r in then] == ["attempt-2", "attempt-3"]
    assert [r.record.attempt for r in newest] == ["attempt-4", "attempt-3"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"event": "password_rejected"},
        {"subject": "u-bob"},
        {"provider": "https://other"},
        {"reference": "ref-2"},
        {"event": "password_rejected", "subject": "u-bob", "reference": "ref-2"},
    ],
    ids=str,
)
def test_records_are_found_by_what_they_are_about(store: Store, wanted: dict[str, str]) -> None:
    other = a_record(
        1,
        event=AuditEvent.PASSWORD_REJECTED,
        subject="u-bob",
        provider="https://other",
        origin=replace(ORIGIN, reference="ref-2"),
    )
    _append(store, a_record(), other, a_record(2))
    with store.view() as unit:
        found = unit.audit.read(limit=10, **wanted)  # type: ignore[arg-type]
    assert [r.record for r in found] == [other]


@pytest.mark.parametrize("hostile", ["\x00", "\ud800", "\r\nfake: record", "x" * 100_000, "' --"])
def test_no_text_keeps_a_record_from_being_written(store: Store, hostile: str) -> None:
    origin = replace(ORIGIN, reference=hostile, address=hostile, actor=hostile, browser=hostile)
    _append(
        store,
        a_record(
            origin=origin,
            subject=hostile,
            provider=hostile,
            attempt=hostile,
            reason=hostile,
            details={"given": hostile},
        ),
    )
    with store.view() as unit:
        (found,) = unit.audit.read(limit=10)
    assert found.record.event is AuditEvent.ASSERTION_ISSUED
    assert len(found.record.subject) <= 320


def test_a_record_in_a_failed_unit_is_not_kept(store: Store) -> None:
    def append_and_fail() -> None:
        with store.unit() as unit:
            unit.audit.append(a_record())
            unit.attempts.get(AttemptId("unknown"))

    with pytest.raises(NotFound):
        append_and_fail()
    with store.view() as unit:
        assert list(unit.audit.read(limit=10)) == []
