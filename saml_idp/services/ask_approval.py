"""Second step, first half: put the question to the user's ID."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from saml_idp.crypto.symbol_box import open_symbols, seal_symbols
from saml_idp.domain.approval import Approval, ApprovalState
from saml_idp.domain.asking import ApprovalPage, ApprovalView, standing
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.browser import Browser
from saml_idp.domain.chain import SealKey
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.domain.evidence import Step
from saml_idp.domain.ids import ApprovalId, ApprovalIdentity, AttemptId, EntityId
from saml_idp.domain.person import Person
from saml_idp.domain.policy import Policy
from saml_idp.domain.throttle import (
    ASK_WINDOW,
    NOT_ME_QUIET,
    asks_allowed,
    retry_after,
    subject_for,
)
from saml_idp.ports.files import PolicyBook
from saml_idp.ports.people import Notifier
from saml_idp.ports.store import Store, Unit
from saml_idp.ports.system import Clock, Entropy


@dataclass(frozen=True, slots=True)
class AskApproval:
    store: Store
    policies: PolicyBook
    clock: Clock
    entropy: Entropy
    notifier: Notifier
    seal_key: SealKey
    display_name: Callable[[EntityId], str]

    def __call__(
        self, attempt_id: AttemptId, *, again: bool, browser: Browser, origin: Origin
    ) -> ApprovalPage:
        """Return the approval of this login as its page shows it, asking it when due.

        The first ask comes by itself once every step before it has succeeded; a further one
        only when the user wants it (*again*), and never while one is open.

        Raises:
            TransitionNotAllowed: the login does not wait for an approval.
        """
        now = self.clock.now()
        with self.store.view() as unit:
            attempt = unit.attempts.get(attempt_id)
            latest = _of_this_user(unit.approvals.find_latest(attempt_id), attempt)
        if attempt.state is not State.AWAITING_APPROVAL or now >= attempt.expires_at:
            raise TransitionNotAllowed("the login does not wait for an approval")
        view = standing(latest, now)
        if latest is not None and view is ApprovalView.ASKED:
            return self._page(latest, now)
        if view is not None and not again:
            return ApprovalPage(view)
        return self._ask(attempt, browser, origin, now)

    def _ask(
        self, attempt: LoginAttempt, browser: Browser, origin: Origin, now: datetime
    ) -> ApprovalPage:
        policy = self.policies.policy_for(attempt.request.issuer)
        symbols = self.entropy.symbols(policy.access_symbols)
        with self.store.unit() as unit:
            person = self._owner(unit, attempt)
            approval = self._approval(attempt, person, policy, symbols, browser, origin, now)
            view = self._stored(unit, attempt, approval, person, now)
            event = AuditEvent.APPROVAL_ASKED
            if view is ApprovalView.LIMITED:
                event = AuditEvent.APPROVAL_LIMITED
            if view is not ApprovalView.WAITING_OTHER:
                unit.audit.append(
                    AuditRecord(
                        now,
                        event,
                        origin,
                        subject=attempt.user_id or attempt.entered_name or "",
                        provider=attempt.request.issuer,
                        attempt=attempt.attempt_id,
                        outcome="ok" if view is ApprovalView.ASKED else "refused",
                        details={
                            "approval": approval.approval_id,
                            "decoy": person is None,
                            "known_browser": approval.known_browser,
                        },
                    )
                )
        if view is not ApprovalView.ASKED:
            return ApprovalPage(view)
        if person is not None:
            self.notifier.wake(approval.identity)
        return self._page(approval, now)

    def _owner(self, unit: Unit, attempt: LoginAttempt) -> Person | None:
        """Return whom to ask; None where the approval can only be a decoy."""
        if attempt.user_id is None:
            return None
        person = unit.people.get(attempt.user_id)
        live = any(d.is_live for d in unit.devices.of_user(person.user_id))
        return person if person.enabled and person.identity is not None and live else None

    def _approval(
        self,
        attempt: LoginAttempt,
        person: Person | None,
        policy: Policy,
        symbols: str,
        browser: Browser,
        origin: Origin,
        now: datetime,
    ) -> Approval:
        approval_id = ApprovalId(self.entropy.token(160))
        identity = person.identity if person is not None and person.identity else None
        return Approval(
            approval_id=approval_id,
            attempt_id=attempt.attempt_id,
            user_id=person.user_id if person is not None else None,
            # A decoy lives under its own name space: it takes no real ID's one place.
            identity=identity or ApprovalIdentity(f"?{attempt.entered_name}"),
            provider=attempt.request.issuer,
            provider_name=self.display_name(attempt.request.issuer),
            place=origin.address,
            browser=origin.browser,
            nonce=self.entropy.token(128),
            symbols=seal_symbols(self.seal_key, approval_id, symbols),
            symbols_count=len(symbols),
            methods=policy.methods,
            state=ApprovalState.PENDING,
            known_browser=person is not None and browser.knows(person.user_id),
            created_at=now,
            expires_at=min(now + policy.approval_lifetime, attempt.expires_at),
        )

    def _stored(
        self,
        unit: Unit,
        attempt: LoginAttempt,
        approval: Approval,
        person: Person | None,
        now: datetime,
    ) -> ApprovalView:
        """Store *approval* where the prompt discipline allows it; return what came of it."""
        if self._is_limited(unit, attempt, approval, person, now):
            return ApprovalView.LIMITED
        other = unit.approvals.find_open(approval.identity, now)
        if other is not None:
            if not self._is_same_browser(unit, other, attempt):
                unit.approvals.mark_other_waiting(other.approval_id)
                return ApprovalView.WAITING_OTHER
            unit.approvals.move(other.approval_id, to=ApprovalState.SUPERSEDED, at=now)
        if not unit.approvals.add(approval):
            return ApprovalView.WAITING_OTHER
        return ApprovalView.ASKED

    @staticmethod
    def _is_same_browser(unit: Unit, other: Approval, attempt: LoginAttempt) -> bool:
        if other.attempt_id is None:
            return True  # a trial: the login is what the user wants now
        return unit.attempts.get(other.attempt_id).browser == attempt.browser

    @staticmethod
    def _is_limited(
        unit: Unit,
        attempt: LoginAttempt,
        approval: Approval,
        person: Person | None,
        now: datetime,
    ) -> bool:
        known = approval.known_browser
        most = asks_allowed(known_browser=known, password_passed=Step.PASSWORD in attempt.steps)
        if unit.approvals.count_asked(approval.identity, now - ASK_WINDOW) >= most:
            return True
        if not known and unit.approvals.has_not_me(approval.identity, now - NOT_ME_QUIET):
            return True
        account = person.username if person is not None else attempt.entered_name or ""
        mark = attempt.browser if known else None
        tally = unit.tallies.find(subject_for(account, known_browser=mark))
        return tally is not None and retry_after(tally, now) > 0

    def _page(self, approval: Approval, now: datetime) -> ApprovalPage:
        return ApprovalPage(
            ApprovalView.ASKED,
            symbols=open_symbols(self.seal_key, approval.approval_id, approval.symbols),
            approval_id=approval.approval_id,
            seconds_left=max(0, int((approval.expires_at - now).total_seconds())),
            lifetime_seconds=int((approval.expires_at - approval.created_at).total_seconds()),
        )


def _of_this_user(latest: Approval | None, attempt: LoginAttempt) -> Approval | None:
    """Return *latest* if it was asked of whom the login is about now, not before a restart."""
    if latest is None:
        return None
    if latest.user_id is None:
        return latest if latest.identity == f"?{attempt.entered_name}" else None
    return latest if latest.user_id == attempt.user_id else None
