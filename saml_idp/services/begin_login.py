"""A request came in: validate it, decide by policy, open a login."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from saml_idp.domain.attempt import TWO_STEP, Event, LoginAttempt, State, Steps
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.browser import Browser
from saml_idp.domain.chain import SealKey
from saml_idp.domain.decision import LoginPlan, Refusal, RefusalReason, decide
from saml_idp.domain.errors import Busy, LoginRefused, RequestRejected
from saml_idp.domain.evidence import Evidence
from saml_idp.domain.ids import AttemptId, Digest, EntityId
from saml_idp.domain.limits import Limits
from saml_idp.domain.opening import opened, resumed
from saml_idp.domain.person import Person
from saml_idp.domain.policy import Encryption, Policy
from saml_idp.domain.release import chosen_format
from saml_idp.domain.request import AuthnRequest, RefusedAtOnce
from saml_idp.ports.files import PolicyBook, ProviderRegistry
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock, Entropy
from saml_idp.saml.bindings import InboundMessage
from saml_idp.saml.requests import AnswerableRefusal, read_authn_request

# These concern the user, not the request: a page says so before the provider is told.
_TOLD_TO_THE_USER = frozenset(
    {RefusalReason.NOT_IN_GROUPS, RefusalReason.NO_IDENTITY, RefusalReason.USER_DISABLED}
)


@dataclass(frozen=True, slots=True)
class BeginLogin:
    store: Store
    providers: ProviderRegistry
    policies: PolicyBook
    clock: Clock
    entropy: Entropy
    seal_key: SealKey
    limits: Limits
    entity_id: EntityId

    def __call__(
        self,
        decode: Callable[[], InboundMessage],
        *,
        endpoint: str,
        browser: Browser,
        session_secret: Digest | None,
        cookies_were_sent: bool,
        origin: Origin,
    ) -> LoginAttempt:
        """Return the login that a message opens.

        Args:
            decode: undoes the HTTP binding; what it refuses is recorded like any refusal.
            endpoint: our URL that received the message.
            session_secret: hash of the browser's session cookie, None without one.
            cookies_were_sent: False for a cross-site POST, where the browser keeps its Lax
                cookies back: the login stays ``OPENED`` until it comes back by GET.

        A login whose every step a session serves comes back in ``CHAIN_COMPLETE`` and is
        *not* stored: ``finish_login`` stores it together with its receipt.

        Raises:
            RequestRejected: a page here, never an answer to the provider.
            RefusedAtOnce: an answer to the provider with a SAML status.
        """
        now = self.clock.now()
        try:
            return self._begun(
                self._read(decode(), endpoint, now, origin),
                browser,
                session_secret if cookies_were_sent else None,
                origin,
                now,
                cookies_were_sent=cookies_were_sent,
            )
        except RefusedAtOnce:
            raise  # recorded where it was decided
        except (RequestRejected, LoginRefused) as refused:
            event = AuditEvent.REQUEST_REJECTED
            if isinstance(refused, LoginRefused):
                event = AuditEvent.LOGIN_REFUSED
            record = AuditRecord(now, event, origin, outcome="refused", reason=refused.reason)
            with self.store.unit() as unit:
                unit.audit.append(record)
            raise

    def _begun(
        self,
        request: AuthnRequest,
        browser: Browser,
        session_secret: Digest | None,
        origin: Origin,
        now: datetime,
        *,
        cookies_were_sent: bool,
    ) -> LoginAttempt:
        policy = self.policies.policy_for(request.issuer)
        evidence: tuple[Evidence, ...] = ()
        person: Person | None = None
        if session_secret is not None:
            evidence, person = self._session(session_secret, now)
        plan = decide(
            policy,
            context=request.requested_context,
            force_authn=request.force_authn,
            is_passive=request.is_passive and cookies_were_sent,
            person=person if evidence else None,
            session_evidence=evidence,
            now=now,
        )
        refusal = self._refusal(request, policy, plan)
        if refusal in _TOLD_TO_THE_USER and person is not None and not request.is_passive:
            return self._told(request, person, str(refusal), browser, origin, now)
        if isinstance(plan, Refusal) or refusal is not None:
            raise self._refused(request, str(refusal), origin, now)
        attempt = self._opened(request, plan.steps, browser, now)
        if cookies_were_sent:
            attempt = resumed(attempt, plan, person, self.seal_key)
        if attempt.state is not State.CHAIN_COMPLETE:
            self._store(attempt, plan, origin, now)
        return attempt

    def _read(
        self, message: InboundMessage, endpoint: str, now: datetime, origin: Origin
    ) -> AuthnRequest:
        try:
            return read_authn_request(
                message,
                find_provider=self.providers.find,
                expected_destination=endpoint,
                require_signed=lambda issuer: (
                    self.policies.policy_for(issuer).require_signed_requests
                ),
                now=now,
                known_as={self.entity_id},
                deflated_allowed=lambda issuer: self.policies.policy_for(issuer).deflated_post,
            )
        except AnswerableRefusal as refusal:
            raise self._refused(refusal.request, refusal.reason, origin, now) from refusal

    def _session(self, secret: Digest, now: datetime) -> tuple[tuple[Evidence, ...], Person | None]:
        """Return what the browser's session counts for, and whose it is."""
        with self.store.view() as unit:
            session = unit.sessions.find(secret)
            if session is None or not session.is_live(now, idle=self.limits.session_idle):
                return (), None
            person = unit.people.get(session.user_id)
        if not person.enabled:
            return (), None
        return session.evidence(self.seal_key), person

    def _refusal(
        self, request: AuthnRequest, policy: Policy, plan: LoginPlan | Refusal
    ) -> RefusalReason | None:
        if isinstance(plan, Refusal):
            return plan.reason
        if chosen_format(policy, request.name_id_policy, request.issuer) is None:
            return RefusalReason.INVALID_NAME_ID_POLICY
        provider = self.providers.find(request.issuer)
        no_key = provider is None or not provider.encryption_certificates
        if policy.encrypt is Encryption.ALWAYS and no_key:
            return RefusalReason.CANNOT_ENCRYPT
        return None

    def _refused(
        self, request: AuthnRequest, reason: str, origin: Origin, now: datetime
    ) -> RefusedAtOnce:
        with self.store.unit() as unit:
            unit.audit.append(
                AuditRecord(
                    now,
                    AuditEvent.LOGIN_REFUSED,
                    origin,
                    provider=request.issuer,
                    outcome="refused",
                    reason=reason,
                )
            )
        return RefusedAtOnce(request, reason)

    def _told(
        self,
        request: AuthnRequest,
        person: Person,
        reason: str,
        browser: Browser,
        origin: Origin,
        now: datetime,
    ) -> LoginAttempt:
        """Store and return a login that is over already: a page tells the session's user why."""
        attempt = self._opened(request, TWO_STEP, browser, now).after(
            Event.LOGIN_REFUSED,
            ended_because=reason,
            user_id=person.user_id,
            entered_name=person.username,
        )
        with self.store.unit() as unit:
            unit.attempts.add(attempt)
            unit.audit.append(
                AuditRecord(
                    now,
                    AuditEvent.LOGIN_REFUSED,
                    origin,
                    subject=person.user_id,
                    provider=request.issuer,
                    attempt=attempt.attempt_id,
                    outcome="refused",
                    reason=reason,
                )
            )
        return attempt

    def _opened(
        self, request: AuthnRequest, steps: Steps, browser: Browser, now: datetime
    ) -> LoginAttempt:
        return opened(
            request,
            steps,
            attempt_id=AttemptId(self.entropy.token(160)),
            browser=browser.digest,
            key=self.seal_key,
            now=now,
            lifetime=self.limits.login_lifetime,
        )

    def _store(self, attempt: LoginAttempt, plan: LoginPlan, origin: Origin, now: datetime) -> None:
        with self.store.unit() as unit:
            if unit.attempts.count_open() >= self.limits.open_attempts:
                raise Busy("too many logins are open")
            unit.attempts.add(attempt)
            unit.audit.append(
                AuditRecord(
                    now,
                    AuditEvent.REQUEST_ACCEPTED,
                    origin,
                    subject=attempt.entered_name or "",
                    provider=attempt.request.issuer,
                    attempt=attempt.attempt_id,
                    details={"plan": [r.text for r in plan.reasons]},
                )
            )
