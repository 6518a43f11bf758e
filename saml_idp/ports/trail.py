"""What is kept for the auditor: the trail, and the receipts. Both only grow."""

from collections.abc import Sequence
from typing import Protocol

from saml_idp.domain.audit import AuditRecord, StoredRecord
from saml_idp.domain.ids import AssertionId, EntityId, UserId
from saml_idp.domain.receipt import Receipt, VerifiedPassword


class AuditTrail(Protocol):
    """Append only."""

    def append(self, record: AuditRecord) -> None:
        """Store *record* at the end."""

    def read(
        self,
        *,
        limit: int,
        after: int = 0,
        event: str | None = None,
        subject: str | None = None,
        provider: str | None = None,
        reference: str | None = None,
        newest_first: bool = True,
    ) -> Sequence[StoredRecord]:
        """Return records that match, at most *limit*; ``after``: sequence numbers above it."""


class ReceiptStore(Protocol):
    """Receipts and the passwords behind them."""

    def add_password(self, verified: VerifiedPassword) -> None:
        """Store the record of a verified password."""

    def add(self, receipt: Receipt) -> None:
        """Store a receipt; TransitionNotAllowed when the attempt has one already (I4)."""

    def get(self, assertion_id: AssertionId) -> Receipt:
        """Return the receipt."""

    def get_password(self, evidence_id: str) -> VerifiedPassword:
        """Return the record of a verified password."""

    def persistent_id(self, user_id: UserId, provider: EntityId, *, fresh: str) -> str:
        """Return the pairwise identifier, storing *fresh* when there is none yet."""

    def count(self) -> int:
        """Return how many receipts there are."""
