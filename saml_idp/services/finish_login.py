"""Prove, spend, record, issue. The only caller of ``prove()`` and of the issuer."""

from dataclasses import dataclass
from datetime import datetime

from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.attempt import Event, LoginAttempt
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.chain import SealKey, seal_for_session
from saml_idp.domain.decision import Reason, RefusalReason
from saml_idp.domain.errors import (
    ChainIncomplete,
    EvidenceForged,
    IdpError,
    LoginRefused,
    NotFound,
    RequestRejected,
    TransitionNotAllowed,
)
from saml_idp.domain.evidence import Evidence, Step
from saml_idp.domain.ids import ApprovalId, AssertionId, Digest, EvidenceId, SessionId
from saml_idp.domain.limits import Limits
from saml_idp.domain.person import Person
from saml_idp.domain.policy import Policy
from saml_idp.domain.proof import CompletedChain, prove
from saml_idp.domain.receipt import Receipt
from saml_idp.domain.release import Release, released
from saml_idp.domain.service_provider import ServiceProvider
from saml_idp.domain.session import Session
from saml_idp.ports.files import PolicyBook, ProviderRegistry
from saml_idp.ports.store import Store, Unit
from saml_idp.ports.system import Clock, Entropy
from saml_idp.saml.issuer import Issuer, SignedResponse


@dataclass(frozen=True, slots=True)
class Finished:
    """A signed response, and the person it speaks of for the browser's mark.

    ``session_started``: the session of the secret handed in is new; its cookie is to be set.
    """

    response: SignedResponse
    person: Person
    session_started: bool


@dataclass(frozen=True, slots=True)
class FinishLogin:
    store: Store
    providers: ProviderRegistry
    policies: PolicyBook
    issuer: Issuer
    clock: Clock
    entropy: Entropy
    seal_key: SealKey
    limits: Limits

    def __call__(
        self,
        attempt: LoginAttempt,
        *,
        is_stored: bool,
        session_secret: Digest | None,
        new_session_secret: Digest,
        origin: Origin,
    ) -> Finished:
        """Return the signed response that *attempt* has earned.

        Proof, spending, receipt, session and audit record commit in one unit (L12); only
        then is anything signed. Of two racing calls one gets past the spending.

        Args:
            attempt: in ``CHAIN_COMPLETE``, as ``begin_login`` or the store returned it.
            is_stored: False for one that came straight from ``begin_login``.
            session_secret: hash of the browser's session cookie, None without one.
            new_session_secret: hash of the cookie to set if a new session starts.

        Raises:
            LoginRefused: the rules in force now do not let this login through; it is over.
            EvidenceForged: the stored evidence is not ours; it is over, and an alarm.
            TransitionNotAllowed: already answered, or the user or session changed meanwhile.
        """
        now = self.clock.now()
        try:
            provider = self.providers.find(attempt.request.issuer)
            if provider is None:
                raise ChainIncomplete("the service is not known any more", reason="provider_gone")
            policy = self.policies.policy_for(provider.entity_id)
            with self.store.unit() as unit:
                finishing = _Finishing(self, unit, attempt, provider, policy, now)
                proof, release, started = finishing.spend(
                    session_secret, new_session_secret, origin, is_stored=is_stored
                )
        except (
            ChainIncomplete,
            EvidenceForged,
            LoginRefused,
            NotFound,
            RequestRejected,
        ) as refused:
            self._refuse(attempt, refused, origin, now, is_stored=is_stored)
            raise
        response = self.issuer.issue(proof, release, issued_at=now, new_id=self.entropy.xml_id)
        return Finished(response, proof.person, session_started=started)

    def _refuse(
        self,
        attempt: LoginAttempt,
        refused: IdpError,
        origin: Origin,
        now: datetime,
        *,
        is_stored: bool,
    ) -> None:
        """End the login and record why, in a unit of its own."""
        with self.store.unit() as unit:
            unit.audit.append(
                AuditRecord(
                    now,
                    AuditEvent.FINISH_REFUSED,
                    origin,
                    subject=attempt.user_id or "",
                    provider=attempt.request.issuer,
                    attempt=attempt.attempt_id,
                    outcome="fault" if isinstance(refused, EvidenceForged) else "refused",
                    reason=refused.reason,
                )
            )
        if not is_stored:
            return
        try:
            with self.store.unit() as unit:
                ended = attempt.after(Event.LOGIN_REFUSED, ended_because=refused.reason)
                unit.attempts.replace(attempt, ended)
        except TransitionNotAllowed:
            return  # it was over already


@dataclass(frozen=True, slots=True)
class _Finishing:
    """One finish inside its unit of work."""

    verb: FinishLogin
    unit: Unit
    attempt: LoginAttempt
    provider: ServiceProvider
    policy: Policy
    now: datetime

    def spend(
        self,
        session_secret: Digest | None,
        new_session_secret: Digest,
        origin: Origin,
        *,
        is_stored: bool,
    ) -> tuple[CompletedChain, Release, bool]:
        """Prove the chain and store all that follows from it."""
        if self.attempt.user_id is None:
            raise ChainIncomplete("nobody signed in", reason="no_user")
        person = self.unit.people.get(self.attempt.user_id)
        session = self._live(session_secret)
        proof = self._proved(person, session)
        release = released(
            proof,
            idp_entity_id=self.verb.issuer.entity_id,
            persistent_id=lambda user, provider: self.unit.receipts.persistent_id(
                user, provider, fresh=self.verb.entropy.xml_id()
            ),
            transient_id=self.verb.entropy.xml_id,
        )
        _check_subject(proof, release)
        self._spend_attempt(is_stored=is_stored)
        kept = self._session_after(proof, session, new_session_secret)
        receipt = self._receipt(proof, release, kept)
        self.unit.receipts.add(receipt)
        self.unit.audit.append(_issued(receipt, proof, origin))
        if kept is not session:
            self.unit.tallies.clear(person.username)
        return proof, release, kept is not session

    def _live(self, secret: Digest | None) -> Session | None:
        found = self.unit.sessions.find(secret) if secret is not None else None
        idle = self.verb.limits.session_idle
        return found if found is not None and found.is_live(self.now, idle=idle) else None

    def _proved(self, person: Person, session: Session | None) -> CompletedChain:
        return prove(
            self.attempt,
            self.verb.seal_key,
            self.now,
            provider=self.provider,
            policy=self.policy,
            person=person,
            assertion_id=AssertionId(self.verb.entropy.xml_id()),
            session_index=self.verb.entropy.xml_id(),
            session=session,
            session_whole=self.verb.limits.session_whole,
        )

    def _spend_attempt(self, *, is_stored: bool) -> None:
        done = self.attempt.after(Event.RESPONSE_ISSUED)
        if is_stored:
            self.unit.attempts.replace(self.attempt, done)
        else:
            self.unit.attempts.add(done)

    def _session_after(
        self, proof: CompletedChain, session: Session | None, secret: Digest
    ) -> Session:
        """Spend this login's own approval; return the session that goes on from here.

        A login with a step of its own starts a new session in place of the old one, which
        ends: the record is replaced, never merged (P08, E03).
        """
        fresh = [e for e in proof.evidence if e.session is None]
        if not fresh and session is not None:
            self.unit.sessions.touch(session.session_id, self.now)
            return session
        for evidence in fresh:
            if evidence.step is Step.APPROVAL:
                self._check_device(evidence)
                self.unit.approvals.move(
                    ApprovalId(evidence.reference), to=ApprovalState.SPENT, at=self.now
                )
        if session is not None:
            self.unit.sessions.end(session.session_id, self.now)
        session_id = SessionId(self.verb.entropy.token(160))
        key = self.verb.seal_key
        started = Session(
            session_id=session_id,
            secret=secret,
            user_id=proof.person.user_id,
            links=tuple(seal_for_session(session_id, e, key) for e in proof.evidence),
            created_at=self.now,
            last_used_at=self.now,
            ends_at=proof.session_ends_at,
        )
        self.unit.sessions.add(started)
        return started

    def _check_device(self, evidence: Evidence) -> None:
        """A device that was removed after it answered does not count any more (D17)."""
        device_id = evidence.device_id
        if device_id is None or not self.unit.devices.get(device_id).is_live:
            raise ChainIncomplete("the device was removed", reason="device_retired")

    def _receipt(self, proof: CompletedChain, release: Release, session: Session) -> Receipt:
        by_step = {e.step: e.reference for e in proof.evidence}
        password = by_step.get(Step.PASSWORD)
        return Receipt(
            assertion_id=proof.assertion_id,
            attempt_id=proof.attempt_id,
            provider=proof.provider.entity_id,
            user_id=proof.person.user_id,
            request_id=proof.request.request_id,
            approval=ApprovalId(by_step[Step.APPROVAL]),
            password=EvidenceId(password) if password is not None else None,
            session_id=session.session_id,
            session_index=proof.session_index,
            name_id=release.name_id.value,
            name_id_format=release.name_id.format,
            context_class=proof.stated_class,
            key_id=self.verb.issuer.key.key_id,
            chain=proof.chain,
            explanation=tuple(map(_told, proof.reasons)),
            issued_at=self.now,
        )


def _check_subject(proof: CompletedChain, release: Release) -> None:
    """Core 3.3.2.2: a request that names a subject is about that subject and nobody else."""
    wanted = proof.request.subject_name_id
    if wanted is not None and wanted != release.name_id.value:
        raise LoginRefused("another user signed in", reason=RefusalReason.UNKNOWN_PRINCIPAL)


def _told(reason: Reason) -> str:
    return f"{reason.text} ({reason.source})" if reason.source is not None else reason.text


def _issued(receipt: Receipt, proof: CompletedChain, origin: Origin) -> AuditRecord:
    details: dict[str, object] = {
        "assertion": receipt.assertion_id,
        "approval": receipt.approval,
        "password": receipt.password,
        "class": receipt.context_class,
        "key": receipt.key_id,
        "steps": [f"{e.step}:{'session' if e.session else 'now'}" for e in proof.evidence],
    }
    return AuditRecord(
        receipt.issued_at,
        AuditEvent.ASSERTION_ISSUED,
        origin,
        subject=receipt.user_id,
        provider=receipt.provider,
        attempt=receipt.attempt_id,
        details=details,
    )
