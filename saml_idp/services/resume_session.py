"""The browser came back with its cookies: an earlier login of it may serve the first steps."""

from dataclasses import dataclass
from datetime import timedelta

from saml_idp.domain.attempt import Event, LoginAttempt, State
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.browser import Browser
from saml_idp.domain.chain import SealKey
from saml_idp.domain.decision import Refusal, decide
from saml_idp.domain.ids import AttemptId, Digest
from saml_idp.domain.opening import resumed
from saml_idp.ports.files import PolicyBook
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock


@dataclass(frozen=True, slots=True)
class ResumeSession:
    store: Store
    policies: PolicyBook
    clock: Clock
    seal_key: SealKey
    session_idle: timedelta

    def __call__(
        self,
        attempt_id: AttemptId,
        *,
        browser: Browser,
        session_secret: Digest | None,
        origin: Origin,
    ) -> LoginAttempt:
        """Return the ``OPENED`` login moved as far as the browser's session carries it.

        The login is bound to *browser* from here on; before, it was bound to the one-time
        secret that its POST set (E02). A login in another state comes back as it is.
        """
        now = self.clock.now()
        with self.store.view() as unit:
            attempt = unit.attempts.get(attempt_id)
            session = unit.sessions.find(session_secret) if session_secret else None
            live = session if session and session.is_live(now, idle=self.session_idle) else None
            person = unit.people.get(live.user_id) if live else None
        if attempt.state is not State.OPENED:
            return attempt
        if person is not None and not person.enabled:
            live, person = None, None
        request = attempt.request
        plan = decide(
            self.policies.policy_for(request.issuer),
            context=request.requested_context,
            force_authn=request.force_authn,
            is_passive=request.is_passive,
            person=person,
            session_evidence=live.evidence(self.seal_key) if live else (),
            now=now,
        )
        event, reason, details = AuditEvent.REQUEST_ACCEPTED, "", [r.text for r in plan.reasons]
        if isinstance(plan, Refusal):
            event, reason = AuditEvent.LOGIN_REFUSED, str(plan.reason)
            moved = attempt.after(Event.LOGIN_REFUSED, ended_because=reason, browser=browser.digest)
        elif plan.steps != attempt.steps:
            event, reason = AuditEvent.LOGIN_REFUSED, "policy_changed"
            moved = attempt.after(Event.LOGIN_REFUSED, ended_because=reason, browser=browser.digest)
        else:
            moved = resumed(attempt, plan, person, self.seal_key, browser=browser.digest)
        with self.store.unit() as unit:
            unit.attempts.replace(attempt, moved)
            unit.audit.append(
                AuditRecord(
                    now,
                    event,
                    origin,
                    subject=moved.entered_name or "",
                    provider=request.issuer,
                    attempt=attempt_id,
                    outcome="refused" if reason else "ok",
                    reason=reason,
                    details={"plan": details},
                )
            )
        return moved
