"""I3: looks at the store from outside, at the moment that anything is signed."""

from dataclasses import dataclass
from typing import Any

from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import AssertionId
from saml_idp.ports.store import Store
from saml_idp.saml.issuer import Issuer, SignedResponse
from tests.flows.model.ledger import Ledger

_BACKED = frozenset({ApprovalState.GRANTED, ApprovalState.SPENT})


@dataclass(frozen=True)
class WatchedIssuer:
    """The issuer, which signs nothing that is not on record by then."""

    issuer: Issuer
    store: Store
    ledger: Ledger

    @property
    def entity_id(self) -> Any:
        return self.issuer.entity_id

    @property
    def key(self) -> Any:
        return self.issuer.key

    def issue(self, proof: Any, release: Any, **rest: Any) -> SignedResponse:
        check_record(self.store, self.ledger, proof.assertion_id)
        return self.issuer.issue(proof, release, **rest)


def check_record(store: Store, ledger: Ledger, assertion_id: AssertionId) -> None:
    """Demand a receipt that refers to a granted approval, and an audit record, both committed."""
    with store.view() as unit:
        try:
            receipt = unit.receipts.get(assertion_id)
        except NotFound:
            ledger.demand("I3", "signed before the receipt was stored", holds=False)
            return
        approval = unit.approvals.get(receipt.approval)
        password = unit.receipts.get_password(receipt.password) if receipt.password else None
        records = unit.audit.read(limit=50, event="assertion_issued")
    ledger.demand(
        "I3",
        "the receipt's approval was not granted by its user",
        holds=approval.state in _BACKED and approval.user_id == receipt.user_id,
    )
    if password is not None:
        in_order = approval.decided_at is not None and password.verified_at <= approval.decided_at
        ledger.demand(
            "I3",
            "the receipt's password is another's, or came after the approval",
            holds=in_order and password.user_id == receipt.user_id,
        )
    named = [r for r in records if r.record.details.get("assertion") == assertion_id]
    ledger.demand("I3", "no audit record of the assertion", holds=len(named) == 1)
