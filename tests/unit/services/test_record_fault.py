"""An error of ours is in the trail under its reference."""

from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.errors import StoreUnavailable
from saml_idp.services.record_fault import RecordFault
from tests.build import ORIGIN
from tests.fakes import FakeClock, FakeStore


def test_a_fault_is_recorded_by_its_kind_and_origin() -> None:
    store, clock = FakeStore(), FakeClock()
    RecordFault(store, clock)("ZeroDivisionError", origin=ORIGIN)
    (stored,) = store.rows.audit
    record = stored.record
    assert (record.event, record.outcome) == (AuditEvent.FAULT, "fault")
    assert (record.reason, record.origin, record.at) == ("ZeroDivisionError", ORIGIN, clock.now())


def test_a_database_that_is_down_makes_no_second_fault() -> None:
    store = FakeStore()

    def down() -> None:
        raise StoreUnavailable("no answer")

    store.on_commit = down
    RecordFault(store, FakeClock())("KeyError", origin=ORIGIN)
    assert store.rows.audit == []
