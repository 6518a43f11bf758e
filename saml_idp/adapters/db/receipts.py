"""Receipts, the passwords behind them, and pairwise identifiers."""

import json
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from saml_idp.adapters.db.attempts import chain_from, chain_text
from saml_idp.adapters.db.tables import name_ids, receipts, verified_passwords
from saml_idp.adapters.db.transaction import Row, Transaction
from saml_idp.adapters.db.values import instant, stored
from saml_idp.domain.errors import Conflict, NotFound, TransitionNotAllowed
from saml_idp.domain.ids import (
    ApprovalId,
    AssertionId,
    AttemptId,
    EntityId,
    EvidenceId,
    SessionId,
    UserId,
)
from saml_idp.domain.receipt import Receipt, VerifiedPassword

_p, _n = verified_passwords.c, name_ids.c
_ADD: Final = insert(receipts).on_conflict_do_nothing()
_GET: Final = select(receipts).where(receipts.c.assertion_id == bindparam("assertion_id"))
_COUNT: Final = select(func.count()).select_from(receipts)
_ADD_PASSWORD: Final = insert(verified_passwords).on_conflict_do_nothing()
_GET_PASSWORD: Final = select(verified_passwords).where(_p.evidence_id == bindparam("evidence_id"))
_ADD_NAME_ID: Final = insert(name_ids).on_conflict_do_nothing()
_NAME_ID: Final = select(_n.value).where(
    _n.user_id == bindparam("user_id"), _n.provider == bindparam("provider")
)


class Receipts:
    """The ``ReceiptStore`` of one unit."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add_password(self, verified: VerifiedPassword) -> None:
        """Store the record of a verified password."""
        added = self._transaction.change(
            _ADD_PASSWORD,
            evidence_id=verified.evidence_id,
            attempt_id=verified.attempt_id,
            user_id=verified.user_id,
            verified_at=stored(verified.verified_at),
        )
        if added != 1:
            raise Conflict("this evidence is stored already", reason="evidence_taken")

    def add(self, receipt: Receipt) -> None:
        """Store a receipt; TransitionNotAllowed when the attempt has one already (I4).

        Raises:
            Conflict: its approval was not granted to its user, or its password was not
                verified for them before that approval (a trigger of the table).
        """
        added = self._transaction.change(
            _ADD,
            assertion_id=receipt.assertion_id,
            attempt_id=receipt.attempt_id,
            provider=receipt.provider,
            user_id=receipt.user_id,
            request_id=receipt.request_id,
            approval=receipt.approval,
            password=receipt.password,
            session_id=receipt.session_id,
            session_index=receipt.session_index,
            name_id=receipt.name_id,
            name_id_format=receipt.name_id_format,
            context_class=receipt.context_class,
            key_id=receipt.key_id,
            chain=chain_text(receipt.chain),
            explanation=json.dumps(receipt.explanation),
            issued_at=stored(receipt.issued_at),
        )
        if added != 1:
            raise TransitionNotAllowed("this login was answered already", reason="receipt_exists")

    def get(self, assertion_id: AssertionId) -> Receipt:
        """Return the receipt."""
        row = self._transaction.row(_GET, assertion_id=assertion_id)
        if row is None:
            raise NotFound("there is no such receipt")
        return _receipt_of(row)

    def get_password(self, evidence_id: str) -> VerifiedPassword:
        """Return the record of a verified password."""
        row = self._transaction.row(_GET_PASSWORD, evidence_id=evidence_id)
        if row is None:
            raise NotFound("there is no such record of a password")
        return VerifiedPassword(
            EvidenceId(row[0]), AttemptId(row[1]), UserId(row[2]), instant(row[3])
        )

    def persistent_id(self, user_id: UserId, provider: EntityId, *, fresh: str) -> str:
        """Return the pairwise identifier, storing *fresh* when there is none yet."""
        row = self._transaction.row(_NAME_ID, user_id=user_id, provider=provider)
        if row is None:
            self._transaction.change(_ADD_NAME_ID, user_id=user_id, provider=provider, value=fresh)
            row = self._transaction.row(_NAME_ID, user_id=user_id, provider=provider)
        if row is None:
            raise Conflict("this identifier belongs to another user", reason="name_id_taken")
        return str(row[0])

    def count(self) -> int:
        """Return how many receipts there are."""
        row = self._transaction.row(_COUNT)
        return int(row[0]) if row is not None else 0


def _receipt_of(row: Row) -> Receipt:
    (
        assertion_id, attempt_id, provider, user_id, request_id, approval, password, session_id,
        session_index, name_id, name_id_format, context_class, key_id, chain, explanation,
        issued_at,
    ) = row  # fmt: skip
    return Receipt(
        assertion_id=AssertionId(assertion_id),
        attempt_id=AttemptId(attempt_id),
        provider=EntityId(provider),
        user_id=UserId(user_id),
        request_id=request_id,
        approval=ApprovalId(approval),
        password=EvidenceId(password) if password is not None else None,
        session_id=SessionId(session_id),
        session_index=session_index,
        name_id=name_id,
        name_id_format=name_id_format,
        context_class=context_class,
        key_id=key_id,
        chain=chain_from(chain),
        explanation=tuple(json.loads(explanation)),
        issued_at=instant(issued_at),
    )
