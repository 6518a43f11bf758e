"""The port ``ReceiptStore``: a receipt refers to what proves it, once for each login."""

from dataclasses import replace
from typing import Any

import pytest

from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.attempt import TWO_STEP, State
from saml_idp.domain.errors import Conflict, NotFound, TransitionNotAllowed
from saml_idp.domain.ids import (
    ApprovalId,
    AssertionId,
    AttemptId,
    EntityId,
    EvidenceId,
    UserId,
)
from saml_idp.domain.receipt import Receipt, VerifiedPassword
from saml_idp.ports.store import Store
from tests.build import (
    ALICE,
    ATTEMPT,
    NOW,
    PROVIDER,
    SESSION,
    a_chain,
    an_approval,
    an_attempt,
    evidence_for,
    seconds,
)

PASSWORD = VerifiedPassword(EvidenceId("password-1"), ATTEMPT, ALICE, NOW + seconds(10))


def a_receipt(**changes: Any) -> Receipt:
    plain = Receipt(
        assertion_id=AssertionId("_assertion-1"),
        attempt_id=ATTEMPT,
        provider=PROVIDER,
        user_id=ALICE,
        request_id="_request-1",
        approval=ApprovalId("approval-1"),
        password=EvidenceId("password-1"),
        session_id=SESSION,
        session_index="_index-1",
        name_id="alice",
        name_id_format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
        context_class="urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
        key_id="0123456789abcdef",
        chain=a_chain(*evidence_for(TWO_STEP)),
        explanation=("two steps (built-in default)", "…"),
        issued_at=NOW + seconds(30),
    )
    return replace(plain, **changes)


def _prove(store: Store, **approval: Any) -> None:
    """Store what stands behind a receipt, with *approval* changed."""
    granted = {"state": ApprovalState.SPENT, "decided_at": NOW + seconds(20), **approval}
    with store.unit() as unit:
        unit.attempts.add(an_attempt(State.DONE))
        unit.receipts.add_password(PASSWORD)
        assert unit.approvals.add(an_approval(**granted))


def test_a_receipt_comes_back_as_it_was(store: Store) -> None:
    _prove(store)
    with store.unit() as unit:
        unit.receipts.add(a_receipt())
    with store.view() as unit:
        assert unit.receipts.get(AssertionId("_assertion-1")) == a_receipt()
        assert unit.receipts.get_password("password-1") == PASSWORD
        assert unit.receipts.count() == 1


def test_a_receipt_of_approval_alone_comes_back_as_it_was(store: Store) -> None:
    _prove(store, state=ApprovalState.GRANTED)
    receipt = a_receipt(password=None, request_id=None)
    with store.unit() as unit:
        unit.receipts.add(receipt)
        assert unit.receipts.get(AssertionId("_assertion-1")) == receipt


def test_a_login_has_one_receipt(store: Store) -> None:
    _prove(store)
    with store.unit() as unit:
        unit.receipts.add(a_receipt())
        with pytest.raises(TransitionNotAllowed):
            unit.receipts.add(a_receipt(assertion_id=AssertionId("_assertion-2")))
    with store.view() as unit:
        assert unit.receipts.count() == 1


@pytest.mark.parametrize(
    "state", sorted(set(ApprovalState) - {ApprovalState.GRANTED, ApprovalState.SPENT})
)
def test_a_receipt_needs_a_granted_approval(store: Store, state: ApprovalState) -> None:
    _prove(store, state=state)
    with pytest.raises(Conflict), store.unit() as unit:
        unit.receipts.add(a_receipt())


@pytest.mark.parametrize(
    ("approval", "receipt"),
    [
        pytest.param({"user_id": UserId("u-bob")}, {}, id="approval of another user"),
        pytest.param({"user_id": None}, {}, id="decoy"),
        pytest.param({"decided_at": NOW + seconds(9)}, {}, id="approval before the password"),
        pytest.param({}, {"approval": ApprovalId("unknown")}, id="no approval"),
        pytest.param({}, {"password": EvidenceId("unknown")}, id="no password"),
        pytest.param({}, {"attempt_id": AttemptId("unknown")}, id="no login"),
        pytest.param({}, {"user_id": UserId("u-bob")}, id="receipt of another user"),
    ],
)
def test_a_receipt_without_its_proof_is_refused(
    store: Store, approval: dict[str, Any], receipt: dict[str, Any]
) -> None:
    _prove(store, **approval)
    with pytest.raises(Conflict), store.unit() as unit:
        unit.receipts.add(a_receipt(**receipt))
    with store.view() as unit:
        assert unit.receipts.count() == 0


def test_a_password_of_another_user_proves_nothing(store: Store) -> None:
    with store.unit() as unit:
        unit.attempts.add(an_attempt(State.DONE))
        unit.receipts.add_password(replace(PASSWORD, user_id=UserId("u-bob")))
        unit.approvals.add(an_approval(state=ApprovalState.SPENT, decided_at=NOW + seconds(20)))
    with pytest.raises(Conflict), store.unit() as unit:
        unit.receipts.add(a_receipt())


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with store.view() as unit:
        with pytest.raises(NotFound):
            unit.receipts.get(AssertionId("_unknown"))
        with pytest.raises(NotFound):
            unit.receipts.get_password("unknown")


def test_evidence_of_a_password_is_stored_once_and_for_a_login(store: Store) -> None:
    with pytest.raises(Conflict), store.unit() as unit:
        unit.receipts.add_password(PASSWORD)
    _prove(store)
    with store.unit() as unit, pytest.raises(Conflict):
        unit.receipts.add_password(PASSWORD)


def test_a_pairwise_identifier_stays_and_differs_by_user_and_provider(store: Store) -> None:
    other, bob = EntityId("https://other"), UserId("u-bob")
    with store.unit() as unit:
        receipts = unit.receipts
        assert receipts.persistent_id(ALICE, PROVIDER, fresh="_1") == "_1"
        assert receipts.persistent_id(ALICE, PROVIDER, fresh="_2") == "_1"
        assert receipts.persistent_id(ALICE, other, fresh="_2") == "_2"
        assert receipts.persistent_id(bob, PROVIDER, fresh="_3") == "_3"


def test_a_pairwise_identifier_is_of_one_user(store: Store) -> None:
    with store.unit() as unit:
        unit.receipts.persistent_id(ALICE, PROVIDER, fresh="_1")
    with pytest.raises(Conflict), store.unit() as unit:
        unit.receipts.persistent_id(UserId("u-bob"), PROVIDER, fresh="_1")
