"""First step: the password."""

from dataclasses import dataclass
from datetime import datetime

from saml_idp.domain.attempt import Event, LoginAttempt, State
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.browser import Browser
from saml_idp.domain.chain import SealKey, extend
from saml_idp.domain.decision import RefusalReason, refusal_for
from saml_idp.domain.errors import Throttled, TransitionNotAllowed
from saml_idp.domain.evidence import Evidence, Method, Step
from saml_idp.domain.ids import AttemptId, EvidenceId, canonical_name
from saml_idp.domain.person import Person
from saml_idp.domain.receipt import VerifiedPassword
from saml_idp.domain.throttle import subject_for
from saml_idp.ports.files import PolicyBook
from saml_idp.ports.people import Directory
from saml_idp.ports.store import Store, Unit
from saml_idp.ports.system import Clock, Entropy


@dataclass(frozen=True, slots=True)
class CheckPassword:
    store: Store
    directory: Directory
    policies: PolicyBook
    clock: Clock
    entropy: Entropy
    seal_key: SealKey

    def __call__(
        self,
        attempt_id: AttemptId,
        *,
        username: str,
        password: str,
        browser: Browser,
        origin: Origin,
    ) -> LoginAttempt:
        """Try the password. A wrong one is an answer, not an error: it is counted.

        The try is counted *before* the check, in its own unit, so that parallel guesses
        cannot all pass under the bound (W07).

        Raises:
            Throttled: too many failures; nothing was checked.
            Busy: too many hashes are under way.
            TransitionNotAllowed: the login does not wait for a password.
        """
        with self.store.view() as unit:
            attempt = unit.attempts.get(attempt_id)
        if attempt.state is not State.AWAITING_PASSWORD or self.clock.now() >= attempt.expires_at:
            raise TransitionNotAllowed("the login does not wait for a password")
        name = canonical_name(username)[:256]
        subject = self._subject(name, browser)
        self._count(subject, name, attempt, origin)
        person = self.directory.verify_password(name, password)
        now = self.clock.now()
        if person is None:
            moved = attempt.after(Event.PASSWORD_REJECTED, entered_name=name)
            record = self._record(AuditEvent.PASSWORD_REJECTED, moved, name, origin, now)
            try:
                with self.store.unit() as unit:
                    unit.attempts.replace(attempt, moved)
                    unit.audit.append(record)
            except TransitionNotAllowed:
                with self.store.unit() as unit:  # a guess is on record whatever the login became
                    unit.audit.append(record)
                raise
            return moved
        try:
            return self._stored(attempt, person, subject, origin, now)
        except TransitionNotAllowed:
            # The same form, sent twice: what was right is no failure, whichever came first (L07).
            with self.store.unit() as unit:
                unit.tallies.take_back(subject)
            raise

    def _stored(
        self, attempt: LoginAttempt, person: Person, subject: str, origin: Origin, now: datetime
    ) -> LoginAttempt:
        """Store the login as the right password leaves it, and return it."""
        with self.store.unit() as unit:
            unit.tallies.take_back(subject)
            moved = self._accepted(attempt, person, unit, now)
            unit.attempts.replace(attempt, moved)
            event = AuditEvent.PASSWORD_ACCEPTED
            unit.audit.append(self._record(event, moved, person.user_id, origin, now))
            if moved.state is State.REFUSED:
                event = AuditEvent.LOGIN_REFUSED
                unit.audit.append(self._record(event, moved, person.user_id, origin, now))
        return moved

    def _subject(self, name: str, browser: Browser) -> str:
        found = self.directory.find(name)
        known = found is not None and browser.knows(found.user_id)
        account = found.username if found is not None else name
        return subject_for(account, known_browser=browser.digest if known else None)

    def _count(self, subject: str, name: str, attempt: LoginAttempt, origin: Origin) -> None:
        now = self.clock.now()
        with self.store.unit() as unit:
            wait = unit.tallies.count_try(subject, now)
            if wait:
                event = AuditEvent.PASSWORD_THROTTLED
                unit.audit.append(self._record(event, attempt, name, origin, now))
        if wait:
            raise Throttled("too many failures", retry_after_seconds=wait)

    def _accepted(
        self, attempt: LoginAttempt, person: Person, unit: Unit, now: datetime
    ) -> LoginAttempt:
        """Return the attempt after the right password: on to the approval, or refused.

        Only here, after the right password, is a user told that they have no ID, no device
        or no right to this service.
        """
        reason = refusal_for(person, self.policies.policy_for(attempt.request.issuer), [])
        if reason is None and not any(d.is_live for d in unit.devices.of_user(person.user_id)):
            reason = RefusalReason.NO_DEVICE
        if reason is not None:
            return attempt.after(
                Event.LOGIN_REFUSED,
                ended_because=str(reason),
                user_id=person.user_id,
                entered_name=person.username,
            )
        evidence_id = EvidenceId(self.entropy.token(128))
        evidence = Evidence(Step.PASSWORD, person.user_id, now, evidence_id, Method.PASSWORD)
        moved = attempt.after(
            Event.PASSWORD_ACCEPTED,
            chain=extend(attempt.chain, evidence, self.seal_key),
            user_id=person.user_id,
            entered_name=person.username,
        )
        unit.receipts.add_password(
            VerifiedPassword(evidence_id, attempt.attempt_id, person.user_id, now)
        )
        return moved

    @staticmethod
    def _record(
        event: AuditEvent, attempt: LoginAttempt, subject: str, origin: Origin, now: datetime
    ) -> AuditRecord:
        refused = event is not AuditEvent.PASSWORD_ACCEPTED
        return AuditRecord(
            now,
            event,
            origin,
            subject=subject,
            provider=attempt.request.issuer,
            attempt=attempt.attempt_id,
            outcome="refused" if refused else "ok",
            reason=(attempt.ended_because or "") if refused else "",
        )
