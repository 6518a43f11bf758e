"""Approvals: every move is one conditional update that changes one row or nothing (D06)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Update, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from saml_idp.adapters.db.tables import APPROVAL_IS_OPEN, approvals, not_me
from saml_idp.adapters.db.transaction import Row, Transaction
from saml_idp.adapters.db.values import instant, instant_or_none, stored, stored_or_none
from saml_idp.domain.approval import SUCCESSORS, Approval, ApprovalState
from saml_idp.domain.errors import NotFound, TransitionNotAllowed
from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import ApprovalId, ApprovalIdentity, AttemptId, DeviceId, EntityId, UserId

_c = approvals.c
_ANSWERS: Final = {ApprovalState.GRANTED, ApprovalState.DENIED, ApprovalState.FAILED}


def _moving(to: ApprovalState) -> Update:
    """Return the one update that leads to *to*, from where ``SUCCESSORS`` allows it alone."""
    before = sorted(state for state, after in SUCCESSORS.items() if to in after)
    listed = ", ".join(f"'{state}'" for state in before)
    moving = update(approvals).where(
        _c.approval_id == bindparam("key"), text(f"state IN ({listed})")
    )
    if to in _ANSWERS:
        moving = moving.where(_c.expires_at > bindparam("at"))
    if to in {ApprovalState.FETCHED, ApprovalState.SPENT}:
        return moving.values(state=str(to))
    return moving.values(
        state=str(to),
        decided_at=func.coalesce(_c.decided_at, bindparam("at")),
        device_id=func.coalesce(bindparam("device"), _c.device_id),
        answer=func.coalesce(bindparam("message"), _c.answer),
        public_key=func.coalesce(bindparam("signed_with"), _c.public_key),
    )


_ADD: Final = insert(approvals).on_conflict_do_nothing()
_GET: Final = select(approvals).where(_c.approval_id == bindparam("approval_id"))
_EXPIRE_OF_IDENTITY: Final = (
    update(approvals)
    .where(_c.identity == bindparam("whose"), APPROVAL_IS_OPEN, _c.expires_at <= bindparam("at"))
    .values(state="expired", decided_at=bindparam("at"))
)
_OPEN: Final = select(approvals).where(
    _c.identity == bindparam("identity"), APPROVAL_IS_OPEN, _c.expires_at > bindparam("at")
)
_LATEST: Final = (
    select(approvals)
    .where(_c.attempt_id == bindparam("attempt_id"))
    .order_by(_c.created_at.desc(), _c.approval_id.desc())
    .limit(1)
)
_OLD_DECOYS: Final = (
    select(_c.approval_id)
    .where(_c.user_id.is_(None), _c.expires_at < bindparam("instant"))
    .limit(bindparam("most"))
)
_DELETE_DECOYS: Final = delete(approvals).where(_c.approval_id.in_(_OLD_DECOYS.scalar_subquery()))
_MOVES: Final = {
    to: _moving(to) for to in ApprovalState if any(to in after for after in SUCCESSORS.values())
}
_MARK_WAITING: Final = (
    update(approvals)
    .where(_c.approval_id == bindparam("key"), APPROVAL_IS_OPEN)
    .values(other_browser_waiting=True)
)
_COUNT_ASKED: Final = (
    select(func.count())
    .select_from(approvals)
    .where(
        _c.identity == bindparam("identity"),
        _c.created_at >= bindparam("since"),
        _c.attempt_id.is_not(None),
    )
)
_HAS_NOT_ME: Final = select(not_me.c.identity).where(
    not_me.c.identity == bindparam("identity"), not_me.c.answered_at >= bindparam("since")
)
_NOT_ME: Final = insert(not_me)
_ADD_NOT_ME: Final = _NOT_ME.on_conflict_do_update(
    index_elements=[not_me.c.identity], set_={"answered_at": _NOT_ME.excluded.answered_at}
)
_END_OF_OWNER: Final = (
    update(approvals)
    .where(_c.user_id == bindparam("owner"), APPROVAL_IS_OPEN)
    .values(state="cancelled", decided_at=bindparam("at"))
)
_DUE: Final = (
    select(_c.approval_id)
    .where(APPROVAL_IS_OPEN, _c.expires_at <= bindparam("at"))
    .order_by(_c.expires_at)
    .limit(bindparam("most"))
    # Two nodes that sweep at once share the work instead of waiting for each other.
    .with_for_update(skip_locked=True)
)
_EXPIRE_DUE: Final = (
    update(approvals)
    .where(_c.approval_id.in_(_DUE.scalar_subquery()), APPROVAL_IS_OPEN)
    .values(state="expired", decided_at=bindparam("at"))
    .returning(approvals)
)


class Approvals:
    """The ``ApprovalStore`` of one unit."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, approval: Approval) -> bool:
        """Store a new approval; False when the identity has an open one already."""
        change = self._transaction.change
        change(_EXPIRE_OF_IDENTITY, whose=approval.identity, at=stored(approval.created_at))
        added = change(
            _ADD,
            approval_id=approval.approval_id,
            attempt_id=approval.attempt_id,
            user_id=approval.user_id,
            identity=approval.identity,
            provider=approval.provider,
            provider_name=approval.provider_name,
            place=approval.place,
            browser=approval.browser,
            nonce=approval.nonce,
            symbols=approval.symbols,
            symbols_count=approval.symbols_count,
            methods=" ".join(sorted(approval.methods)),
            state=str(approval.state),
            known_browser=approval.known_browser,
            created_at=stored(approval.created_at),
            expires_at=stored(approval.expires_at),
            decided_at=stored_or_none(approval.decided_at),
            device_id=approval.device_id,
            answer=approval.answer,
            public_key=approval.public_key,
            other_browser_waiting=approval.other_browser_waiting,
        )
        return added == 1

    def get(self, approval_id: ApprovalId) -> Approval:
        """Return the approval as stored."""
        row = self._transaction.row(_GET, approval_id=approval_id)
        if row is None:
            raise NotFound("there is no such approval")
        return _approval_of(row)

    def find_open(self, identity: ApprovalIdentity, now: datetime) -> Approval | None:
        """Return the identity's open approval that is not past its time."""
        row = self._transaction.row(_OPEN, identity=identity, at=stored(now))
        return _approval_of(row) if row is not None else None

    def find_latest(self, attempt_id: AttemptId) -> Approval | None:
        """Return the newest approval of the attempt."""
        row = self._transaction.row(_LATEST, attempt_id=attempt_id)
        return _approval_of(row) if row is not None else None

    def move(
        self,
        approval_id: ApprovalId,
        *,
        to: ApprovalState,
        at: datetime,
        device_id: DeviceId | None = None,
        answer: str | None = None,
        public_key: str | None = None,
    ) -> None:
        """Move the approval along an arrow of ``SUCCESSORS`` by one conditional update."""
        moving = _MOVES.get(to)
        moved = moving is not None and self._transaction.change(
            moving,
            key=approval_id,
            at=stored(at),
            device=device_id,
            message=answer,
            signed_with=public_key,
        )
        if not moved:
            now_at = self.get(approval_id).state
            raise TransitionNotAllowed(
                f"the approval is {now_at} and does not become {to}", reason=f"approval_{now_at}"
            )

    def delete_decoys_before(self, instant: datetime, *, limit: int) -> int:
        """Delete decoys that expired before *instant*; return how many."""
        return self._transaction.change(_DELETE_DECOYS, instant=stored(instant), most=limit)

    def mark_other_waiting(self, approval_id: ApprovalId) -> None:
        """Note on an open approval that another browser is trying."""
        self._transaction.change(_MARK_WAITING, key=approval_id)

    def count_asked(self, identity: ApprovalIdentity, since: datetime) -> int:
        """Return how many approvals of logins were asked of *identity* since then."""
        row = self._transaction.row(_COUNT_ASKED, identity=identity, since=stored(since))
        return int(row[0]) if row is not None else 0

    def has_not_me(self, identity: ApprovalIdentity, since: datetime) -> bool:
        """True when *identity* answered "not me" since then."""
        return (
            self._transaction.row(_HAS_NOT_ME, identity=identity, since=stored(since)) is not None
        )

    def add_not_me(self, identity: ApprovalIdentity, at: datetime) -> None:
        """Remember that *identity* answered "not me"."""
        self._transaction.change(_ADD_NOT_ME, identity=identity, answered_at=stored(at))

    def end_open_of_device_owner(self, user_id: UserId, at: datetime) -> int:
        """Cancel every open approval of the user; return how many (D17)."""
        return self._transaction.change(_END_OF_OWNER, owner=user_id, at=stored(at))

    def expire_due(self, now: datetime, *, limit: int) -> Sequence[Approval]:
        """Move open approvals past their time to ``expired``; return them, oldest first."""
        rows = self._transaction.rows(_EXPIRE_DUE, at=stored(now), most=limit)
        return sorted(map(_approval_of, rows), key=lambda approval: approval.expires_at)


def _approval_of(row: Row) -> Approval:
    (
        approval_id, attempt_id, user_id, identity, provider, provider_name, place, browser,
        nonce, symbols, symbols_count, methods, state, known_browser, created_at, expires_at,
        decided_at, device_id, answer, public_key, other_browser_waiting,
    ) = row  # fmt: skip
    return Approval(
        approval_id=ApprovalId(approval_id),
        attempt_id=AttemptId(attempt_id) if attempt_id is not None else None,
        user_id=UserId(user_id) if user_id is not None else None,
        identity=ApprovalIdentity(identity),
        provider=EntityId(provider),
        provider_name=provider_name,
        place=place,
        browser=browser,
        nonce=nonce,
        symbols=symbols,
        symbols_count=symbols_count,
        methods=frozenset(map(Method, methods.split())),
        state=ApprovalState(state),
        known_browser=bool(known_browser),
        created_at=instant(created_at),
        expires_at=instant(expires_at),
        decided_at=instant_or_none(decided_at),
        device_id=DeviceId(device_id) if device_id is not None else None,
        answer=answer,
        public_key=public_key,
        other_browser_waiting=bool(other_browser_waiting),
    )
