"""Two nodes that each take an administrator away: one of them is stopped, every time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from saml_idp.crypto.passwords import PasswordHasher
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.errors import LockOut
from saml_idp.domain.ids import UserId
from saml_idp.ports.store import Store
from saml_idp.services.administer_people import AdministerPeople
from tests.build import NOW, ORIGIN, a_device, a_person
from tests.fakes import FakeClock, FakeEntropy
from tests.ports.conftest import OpenNode
from tests.unit.services.office import RecordingNotifier

ROUNDS = 25
NAMES = ("ann", "ben")


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_of_two_changes_at_once_one_keeps_its_administrator(
    database_url: str, open_node: OpenNode
) -> None:
    nodes = [_office(open_node(database_url)) for _ in NAMES]
    with nodes[0].store.unit() as unit:
        for name in NAMES:
            unit.people.add(a_person(name, is_administrator=True), None)
            unit.devices.add(a_device(name))

    with ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            barrier = Barrier(2)
            racing = [
                threads.submit(_disable, node, name, barrier)
                for node, name in zip(nodes, NAMES, strict=True)
            ]
            assert sorted(future.result() for future in racing) == [False, True]
            for name in NAMES:
                nodes[0].enable(UserId(f"u-{name}"), origin=ORIGIN)

    with nodes[0].store.view() as unit:
        prevented = unit.audit.read(limit=1000, event=AuditEvent.LOCK_OUT_PREVENTED)
    assert len(prevented) == ROUNDS


def _disable(office: AdministerPeople, name: str, barrier: Barrier) -> bool:
    """Disable the user when all are ready to; False when that was prevented."""
    barrier.wait(10)
    try:
        office.disable(UserId(f"u-{name}"), origin=ORIGIN)
    except LockOut:
        return False
    return True


def _office(store: Store) -> AdministerPeople:
    return AdministerPeople(
        store, FakeClock(NOW), FakeEntropy(), PasswordHasher(), RecordingNotifier()
    )
