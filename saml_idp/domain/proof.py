"""``CompletedChain`` and ``prove()``, its only mint. Nothing else can be made into an assertion."""

from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, final

from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.authn_context import satisfied_classes, stated_class
from saml_idp.domain.chain import Chain, SealKey, walk
from saml_idp.domain.decision import LoginPlan, Reason, decide
from saml_idp.domain.errors import ChainIncomplete, EvidenceForged
from saml_idp.domain.evidence import Evidence, Step
from saml_idp.domain.ids import AssertionId, AttemptId
from saml_idp.domain.person import Person
from saml_idp.domain.policy import Policy
from saml_idp.domain.request import AuthnRequest, RequestedContext
from saml_idp.domain.service_provider import Binding, ServiceProvider
from saml_idp.domain.session import Session, still_good, strong_enough

_MINT: Final = object()


@final
@dataclass(frozen=True, slots=True)
class CompletedChain:
    """The evidence that every step of a chain succeeded.

    Holding one means: every seal held, every step that the policy in force and the request
    demand was done in order by ``person``, fresh and strong enough, for ``provider`` and
    the ``request`` it sent; the class in ``stated_class`` is what was done.
    Made by ``prove()`` alone; it cannot be copied or pickled.
    """

    attempt_id: AttemptId
    request: AuthnRequest
    provider: ServiceProvider
    policy: Policy
    person: Person
    evidence: tuple[Evidence, ...]  # one a step, in the order of the chain
    chain: Chain
    stated_class: str
    authn_instant: datetime  # of the oldest step needed
    assertion_id: AssertionId
    session_index: str
    session_ends_at: datetime
    reasons: tuple[Reason, ...]  # what policy and request demanded, and why
    _mint: InitVar[object]  # not kept: no proof carries what makes another one

    def __post_init__(self, _mint: object) -> None:
        if _mint is not _MINT:
            raise EvidenceForged("only prove() makes a completed chain", reason="minted_elsewhere")

    def __copy__(self) -> NoReturn:
        raise TypeError("a completed chain is not copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("a completed chain is not copied")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a completed chain is not pickled")

    def __replace__(self, /, **changes: Any) -> NoReturn:
        raise TypeError("a completed chain is not changed")


def prove(
    attempt: LoginAttempt,
    key: SealKey,
    now: datetime,
    *,
    provider: ServiceProvider,
    policy: Policy,
    person: Person,
    assertion_id: AssertionId,
    session_index: str,
    session: Session | None,
    session_whole: timedelta,
) -> CompletedChain:
    """Return the proof that *attempt* passed its whole chain.

    Args:
        attempt: a login in ``CHAIN_COMPLETE``, as storage returned it.
        key: the key that the links were sealed with.
        now: the present instant, aware, UTC.
        provider: the provider as its metadata stands now.
        policy: the policy in force now; not the one the login began under.
        person: the user as the directory describes them now.
        assertion_id: xs:ID that the assertion will have.
        session_index: opaque, different for each provider (Core 2.7.2).
        session: the browser's live session, None without one.
        session_whole: how long a new session may live in all.

    Raises:
        EvidenceForged: a link is not ours, or speaks of another login or user.
        ChainIncomplete: a step is missing, out of order, too old or too weak.

    Spec: Core 2.7.2 (AuthnStatement).
    """
    if attempt.state is not State.CHAIN_COMPLETE or now >= attempt.expires_at:
        raise ChainIncomplete(f"the login is {attempt.state}", reason="not_complete")
    evidence = walk(
        attempt.chain,
        key,
        expected_attempt=attempt.attempt_id,
        expected_request=attempt.request,
        expected_steps=attempt.steps,
    )
    _check_parties(attempt, evidence, provider, policy, person)
    plan = decide(
        policy,
        context=attempt.request.requested_context,
        force_authn=False,
        is_passive=False,
        person=person,
        session_evidence=(),
        now=now,
    )
    if not isinstance(plan, LoginPlan):
        raise ChainIncomplete(f"refused now: {plan.reason}", reason=plan.reason)
    used = _evidence_for(plan.steps, evidence, attempt, policy, now)
    ends_at = _session_end(used, session, now + session_whole)
    return CompletedChain(
        attempt_id=attempt.attempt_id,
        request=attempt.request,
        provider=provider,
        policy=policy,
        person=person,
        evidence=used,
        chain=attempt.chain,
        stated_class=_class_reached(used, attempt.request.requested_context),
        authn_instant=min(e.at for e in used),
        assertion_id=assertion_id,
        session_index=session_index,
        session_ends_at=ends_at,
        reasons=plan.reasons,
        _mint=_MINT,
    )


def _check_parties(
    attempt: LoginAttempt,
    evidence: tuple[Evidence, ...],
    provider: ServiceProvider,
    policy: Policy,
    person: Person,
) -> None:
    """One user, one provider, one ACS: those of this login and no others."""
    if provider.entity_id != attempt.request.issuer or policy.entity_id not in (
        None,
        provider.entity_id,
    ):
        raise EvidenceForged("provider or policy of another login", reason="provider_differs")
    if not any(
        c.location == attempt.request.reply_to and c.binding == Binding.POST
        for c in provider.consumers
    ):
        raise ChainIncomplete("the reply address is no longer registered", reason="provider_gone")
    if any(e.user_id != person.user_id for e in evidence) or attempt.user_id != person.user_id:
        raise EvidenceForged("evidence of another user", reason="user_differs")


def _class_reached(used: tuple[Evidence, ...], wanted: RequestedContext | None) -> str:
    """P05: what was done, asked once more of the evidence itself and not of the plan."""
    stated = stated_class(satisfied_classes(used), wanted)
    if stated is None:
        raise ChainIncomplete("the requested context was not reached", reason="no_authn_context")
    return stated


def _session_end(
    used: tuple[Evidence, ...], session: Session | None, new_end: datetime
) -> datetime:
    """Return when the session ends at the latest; evidence carried in keeps its session's end.

    Carried evidence counts only while the very session that carried it lives.
    """
    carried = {e.session for e in used if e.session is not None}
    if not carried:
        return new_end
    if session is None or carried != {session.session_id}:
        raise ChainIncomplete("the session that served steps is over", reason="session_over")
    return session.ends_at


def _evidence_for(
    steps: tuple[Step, ...],
    evidence: tuple[Evidence, ...],
    attempt: LoginAttempt,
    policy: Policy,
    now: datetime,
) -> tuple[Evidence, ...]:
    """Return the evidence of each of *steps*, in order, each strong and fresh enough."""
    rest = iter(evidence)
    used: list[Evidence] = []
    for step in steps:
        # The iterator goes forward only: a step done before its predecessor is not found.
        found = next((e for e in rest if e.step is step), None)
        if found is None:
            raise ChainIncomplete(f"{step} was not done in its turn", reason=f"{step}_missing")
        if used and found.at < used[-1].at:
            # Rules 1 and 3: an approval given before a password proves nothing about it.
            raise ChainIncomplete(f"{step} was done out of turn", reason=f"{step}_out_of_turn")
        if found.session is not None:
            fresh = still_good(found, policy, now) and not attempt.request.force_authn
        else:
            fresh = attempt.created_at <= found.at <= now and strong_enough(found, policy)
        if not fresh:
            raise ChainIncomplete(f"{step} is too old or too weak", reason=f"{step}_not_enough")
        used.append(found)
    return tuple(used)
