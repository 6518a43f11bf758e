"""Login attempts, their sealed links, the request ids already seen.

The only module of the database that touches links: it carries their text and makes none.
"""

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from saml_idp.adapters.db.tables import (
    ATTEMPT_IS_OPEN,
    approvals,
    attempts,
    receipts,
    verified_passwords,
)
from saml_idp.adapters.db.transaction import Row, Transaction
from saml_idp.adapters.db.values import instant, stored
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.chain import Chain, Link
from saml_idp.domain.errors import NotFound, RequestRejected, TransitionNotAllowed
from saml_idp.domain.evidence import Step
from saml_idp.domain.ids import AttemptId, Digest, EntityId, UserId
from saml_idp.domain.request import (
    AuthnRequest,
    Comparison,
    NameIdPolicy,
    RequestedContext,
    request_values,
)

_c = attempts.c
_ADD: Final = insert(attempts).on_conflict_do_nothing()
_GET: Final = select(attempts).where(_c.attempt_id == bindparam("attempt_id"))
_IS_THERE: Final = select(_c.attempt_id).where(_c.attempt_id == bindparam("attempt_id"))
_REPLACE: Final = (
    update(attempts)
    .where(_c.attempt_id == bindparam("old_id"), _c.version == bindparam("old_version"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "browser",
                "state",
                "chain",
                "user_id",
                "entered_name",
                "ended_because",
                "expires_at",
                "version",
            )
        }
    )
)
_COUNT_OPEN: Final = select(func.count()).select_from(attempts).where(ATTEMPT_IS_OPEN)
_OLD: Final = (
    select(_c.attempt_id)
    .where(
        _c.expires_at < bindparam("instant"),
        ~exists().where(receipts.c.attempt_id == _c.attempt_id),
        ~exists().where(verified_passwords.c.attempt_id == _c.attempt_id),
        ~exists().where(approvals.c.attempt_id == _c.attempt_id),
    )
    .limit(bindparam("most"))
)
_DELETE_OLD: Final = delete(attempts).where(_c.attempt_id.in_(_OLD.scalar_subquery()))


class Attempts:
    """The ``AttemptStore`` of one unit."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, attempt: LoginAttempt) -> None:
        """Store a new attempt; see the port."""
        added = self._transaction.change(
            _ADD,
            attempt_id=attempt.attempt_id,
            provider=attempt.request.issuer,
            request_id=attempt.request.request_id,
            request=_request_text(attempt.request),
            steps=" ".join(attempt.steps),
            created_at=stored(attempt.created_at),
            **_changing(attempt),
        )
        if added != 1:
            raise RequestRejected("this request was answered before", reason="replayed")

    def get(self, attempt_id: AttemptId) -> LoginAttempt:
        """Return the attempt as stored."""
        row = self._transaction.row(_GET, attempt_id=attempt_id)
        if row is None:
            raise NotFound("there is no such login")
        return _attempt_of(row)

    def replace(self, old: LoginAttempt, new: LoginAttempt) -> None:
        """Store *new* by compare-and-swap on the version of *old*."""
        changed = self._transaction.change(
            _REPLACE, old_id=old.attempt_id, old_version=old.version, **_changing(new)
        )
        if changed == 1:
            return
        if self._transaction.row(_IS_THERE, attempt_id=old.attempt_id) is None:
            raise NotFound("there is no such login")
        raise TransitionNotAllowed("the login has moved on", reason="attempt_moved")

    def count_open(self) -> int:
        """Return how many attempts are not over."""
        row = self._transaction.row(_COUNT_OPEN)
        return int(row[0]) if row is not None else 0

    def delete_before(self, instant: datetime, *, limit: int) -> int:
        """Delete attempts that expired and that nothing refers to."""
        return self._transaction.change(_DELETE_OLD, instant=stored(instant), most=limit)


def chain_text(chain: Chain) -> str:
    """Return sealed links as JSON text."""
    return json.dumps([[link.body, link.seal] for link in chain])


def chain_from(text: str) -> Chain:
    """Return the sealed links that ``chain_text`` wrote."""
    return tuple(Link(body, seal) for body, seal in json.loads(text))


def _changing(attempt: LoginAttempt) -> dict[str, Any]:
    return {
        "browser": attempt.browser,
        "state": str(attempt.state),
        "chain": chain_text(attempt.chain),
        "user_id": attempt.user_id,
        "entered_name": attempt.entered_name,
        "ended_because": attempt.ended_because,
        "expires_at": stored(attempt.expires_at),
        "version": attempt.version,
    }


def _attempt_of(row: Row) -> LoginAttempt:
    (
        attempt_id, browser, _, _, request, steps, state, chain,
        user_id, entered_name, ended_because, created_at, expires_at, version,
    ) = row  # fmt: skip
    return LoginAttempt(
        attempt_id=AttemptId(attempt_id),
        browser=Digest(browser),
        request=_request_from(request),
        steps=tuple(map(Step, steps.split())),
        state=State(state),
        chain=chain_from(chain),
        user_id=UserId(user_id) if user_id is not None else None,
        entered_name=entered_name,
        ended_because=ended_because,
        created_at=instant(created_at),
        expires_at=instant(expires_at),
        version=version,
    )


def _request_text(request: AuthnRequest) -> str:
    return json.dumps(request_values(request))


def _request_from(text: str) -> AuthnRequest:
    values: dict[str, Any] = json.loads(text)
    context, name_id_policy = values["requested_context"], values["name_id_policy"]
    values["issuer"] = EntityId(values["issuer"])
    values["received_at"] = datetime.fromisoformat(values["received_at"])
    if context is not None:
        values["requested_context"] = RequestedContext(
            Comparison(context["comparison"]), tuple(context["classes"])
        )
    if name_id_policy is not None:
        values["name_id_policy"] = NameIdPolicy(**name_id_policy)
    return AuthnRequest(**values)
