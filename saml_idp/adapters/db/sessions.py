"""Browser sessions."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from saml_idp.adapters.db.attempts import chain_from, chain_text
from saml_idp.adapters.db.tables import sessions
from saml_idp.adapters.db.transaction import Row, Transaction
from saml_idp.adapters.db.values import instant, instant_or_none, stored, stored_or_none
from saml_idp.domain.errors import Conflict, NotFound, TransitionNotAllowed
from saml_idp.domain.ids import Digest, SessionId, UserId
from saml_idp.domain.session import Session

_c = sessions.c
_ADD: Final = insert(sessions).on_conflict_do_nothing()
_FIND: Final = select(sessions).where(_c.secret == bindparam("secret"))
_IS_THERE: Final = select(_c.session_id).where(_c.session_id == bindparam("session_id"))
_IS_RUNNING: Final = _c.ended_at.is_(None)
_TOUCH: Final = (
    update(sessions)
    .where(_c.session_id == bindparam("key"), _IS_RUNNING)
    .values(last_used_at=bindparam("at"))
)
_END: Final = (
    update(sessions)
    .where(_c.session_id == bindparam("key"), _IS_RUNNING)
    .values(ended_at=bindparam("at"))
)
_END_OF_USER: Final = (
    update(sessions)
    .where(_c.user_id == bindparam("owner"), _IS_RUNNING)
    .values(ended_at=bindparam("at"))
)
_OLD: Final = (
    select(_c.session_id)
    .where(or_(_c.ends_at < bindparam("instant"), _c.ended_at < bindparam("instant")))
    .limit(bindparam("most"))
)
_DELETE_OLD: Final = delete(sessions).where(_c.session_id.in_(_OLD.scalar_subquery()))


class Sessions:
    """The ``SessionStore`` of one unit."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, session: Session) -> None:
        """Store a new session."""
        added = self._transaction.change(
            _ADD,
            session_id=session.session_id,
            secret=session.secret,
            user_id=session.user_id,
            links=chain_text(session.links),
            created_at=stored(session.created_at),
            last_used_at=stored(session.last_used_at),
            ends_at=stored(session.ends_at),
            ended_at=stored_or_none(session.ended_at),
        )
        if added != 1:
            raise Conflict("this session is stored already", reason="session_taken")

    def find(self, secret: Digest) -> Session | None:
        """Return the session whose cookie hashes to *secret*, live or not."""
        row = self._transaction.row(_FIND, secret=secret)
        return _session_of(row) if row is not None else None

    def touch(self, session_id: SessionId, at: datetime) -> None:
        """Note a use; TransitionNotAllowed when the session has ended."""
        if self._transaction.change(_TOUCH, key=session_id, at=stored(at)) == 1:
            return
        self._must_be_there(session_id)
        raise TransitionNotAllowed("the session has ended", reason="session_ended")

    def end(self, session_id: SessionId, at: datetime) -> None:
        """End the session; ending twice is harmless."""
        if self._transaction.change(_END, key=session_id, at=stored(at)) == 0:
            self._must_be_there(session_id)

    def end_of_user(self, user_id: UserId, at: datetime) -> int:
        """End every session of the user; return how many."""
        return self._transaction.change(_END_OF_USER, owner=user_id, at=stored(at))

    def delete_before(self, instant: datetime, *, limit: int) -> int:
        """Delete sessions over before *instant*; return how many."""
        return self._transaction.change(_DELETE_OLD, instant=stored(instant), most=limit)

    def _must_be_there(self, session_id: SessionId) -> None:
        if self._transaction.row(_IS_THERE, session_id=session_id) is None:
            raise NotFound("there is no such session")


def _session_of(row: Row) -> Session:
    session_id, secret, user_id, links, created_at, last_used_at, ends_at, ended_at = row
    return Session(
        session_id=SessionId(session_id),
        secret=Digest(secret),
        user_id=UserId(user_id),
        links=chain_from(links),
        created_at=instant(created_at),
        last_used_at=instant(last_used_at),
        ends_at=instant(ends_at),
        ended_at=instant_or_none(ended_at),
    )
