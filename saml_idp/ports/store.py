"""The database as one value: a unit of work over every store."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from saml_idp.ports.login_stores import ApprovalStore, AttemptStore, SessionStore, TallyStore
from saml_idp.ports.people_stores import DeviceStore, PersonStore
from saml_idp.ports.trail import AuditTrail, ReceiptStore


class Unit(Protocol):
    """The stores, inside one transaction."""

    @property
    def attempts(self) -> AttemptStore:
        """The attempts of this unit."""

    @property
    def approvals(self) -> ApprovalStore:
        """The approvals of this unit."""

    @property
    def devices(self) -> DeviceStore:
        """The devices of this unit."""

    @property
    def people(self) -> PersonStore:
        """The people of this unit."""

    @property
    def sessions(self) -> SessionStore:
        """The sessions of this unit."""

    @property
    def tallies(self) -> TallyStore:
        """The tallies of this unit."""

    @property
    def audit(self) -> AuditTrail:
        """The audit of this unit."""

    @property
    def receipts(self) -> ReceiptStore:
        """The receipts of this unit."""


class Store(Protocol):
    """The database."""

    def unit(self) -> AbstractContextManager[Unit]:
        """Open a unit of work that writes; BEGIN IMMEDIATE on SQLite."""

    def view(self) -> AbstractContextManager[Unit]:
        """Open a unit that reads a consistent snapshot and writes nothing."""

    def check(self) -> Sequence[str]:
        """Return what is wrong with the database (unreachable, schema behind, corrupt)."""
