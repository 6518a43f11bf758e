"""A policy is not changed without a record of who changed it."""

from pathlib import Path
from typing import Final

import pytest

from saml_idp.adapters.policy_files import PolicyFiles
from saml_idp.adapters.provider_files import ProviderFiles
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.errors import ConfigurationError, Conflict, LockOut, StoreUnavailable
from saml_idp.domain.ids import EntityId
from saml_idp.services.add_provider import AddProvider
from saml_idp.services.change_policy import ChangePolicy
from tests.fakes import FakeClock, FakeStore

JIRA: Final = EntityId("https://jira.example.com")
ORIGIN: Final = Origin("ref", "", "cli:root")


class Desk:
    """Real files, a fake store, and the two verbs."""

    def __init__(self, folder: Path) -> None:
        for name in ("policies", "metadata"):
            (folder / name).mkdir()
        self.folder = folder
        self.store = FakeStore()
        self.clock = FakeClock()
        self.is_ready = True
        self.policies = PolicyFiles(folder / "policies", lock_out_guard=lambda: self.is_ready)
        self.providers = ProviderFiles(
            folder / "metadata", allow_http_loopback=False, clock=self.clock
        )
        self.change = ChangePolicy(self.store, self.policies, self.clock)
        self.add = AddProvider(self.store, self.providers, self.clock)

    def records(self, event: AuditEvent) -> list[AuditRecord]:
        with self.store.view() as unit:
            return [stored.record for stored in unit.audit.read(limit=10, event=event)]

    def files(self) -> list[str]:
        return sorted(p.name for p in self.folder.glob("*/*"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_change_is_made_and_recorded(desk: Desk) -> None:
    planned = desk.change.plan(JIRA, "login.access_symbols", 6, origin=ORIGIN)
    assert desk.policies.policy_for(JIRA).access_symbols == 4
    desk.change(planned, confirm_loosening=False, origin=ORIGIN)
    assert desk.policies.policy_for(JIRA).access_symbols == 6
    (record,) = desk.records(AuditEvent.POLICY_CHANGED)
    assert (record.provider, record.origin, record.outcome) == (JIRA, ORIGIN, "ok")
    assert record.details == {
        "file": "policies/jira.example.com.toml",
        "key": "login.access_symbols",
        "before": "4",
        "after": "6",
        "loosened": [],
    }


def test_an_unconfirmed_loosening_is_neither_made_nor_recorded(desk: Desk) -> None:
    planned = desk.change.plan(JIRA, "login.two_step", False, origin=ORIGIN)  # noqa: FBT003
    with pytest.raises(Conflict):
        desk.change(planned, confirm_loosening=False, origin=ORIGIN)
    assert desk.files() == []
    assert desk.records(AuditEvent.POLICY_CHANGED) == []


def test_nothing_is_changed_that_cannot_be_recorded(desk: Desk) -> None:
    planned = desk.change.plan(JIRA, "login.access_symbols", 6, origin=ORIGIN)
    desk.store.break_down()
    with pytest.raises(StoreUnavailable):
        desk.change(planned, confirm_loosening=True, origin=ORIGIN)
    assert desk.files() == []


def test_a_change_that_did_not_come_about_is_recorded_as_such(desk: Desk) -> None:
    planned = desk.change.plan(JIRA, "login.access_symbols", 6, origin=ORIGIN)
    other_hand = f'entity_id = "{JIRA}"'
    (desk.folder / "policies" / "jira.example.com.toml").write_text(other_hand)
    with pytest.raises(Conflict):
        desk.change(planned, confirm_loosening=True, origin=ORIGIN)
    newest, oldest = desk.records(AuditEvent.POLICY_CHANGED)
    assert (newest.outcome, oldest.outcome) == ("fault", "ok")


def test_a_prevented_lock_out_is_recorded(desk: Desk) -> None:
    desk.policies.set_value(JIRA, "login.two_step", False, confirm_loosening=True)  # noqa: FBT003
    desk.is_ready = False
    with pytest.raises(LockOut):
        desk.change.plan(JIRA, "login.two_step", True, origin=ORIGIN)  # noqa: FBT003
    (record,) = desk.records(AuditEvent.LOCK_OUT_PREVENTED)
    assert (record.provider, record.outcome, record.origin) == (JIRA, "refused", ORIGIN)


def test_a_service_is_added_and_recorded(desk: Desk) -> None:
    desk.add(desk.providers.minimal(JIRA, f"{JIRA}/acs"), origin=ORIGIN)
    assert desk.providers.find(JIRA) is not None
    (record,) = desk.records(AuditEvent.METADATA_CHANGED)
    assert record.details == {"added": [JIRA]}
    assert desk.files() == ["jira.example.com.xml"]


def test_a_bad_service_is_neither_added_nor_recorded(desk: Desk) -> None:
    with pytest.raises(ConfigurationError):
        desk.add(b"<x/>", origin=ORIGIN)
    assert desk.files() == []
    assert desk.records(AuditEvent.METADATA_CHANGED) == []


def test_no_service_is_added_that_cannot_be_recorded(desk: Desk) -> None:
    desk.store.break_down()
    with pytest.raises(StoreUnavailable):
        desk.add(desk.providers.minimal(JIRA, f"{JIRA}/acs"), origin=ORIGIN)
    assert desk.files() == []
