"""What a login has to do now, and why. One function for the engine, ``explain`` and the proof."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saml_idp.domain.attempt import APPROVAL_ALONE, TWO_STEP, Steps
from saml_idp.domain.authn_context import classes_of, stated_class
from saml_idp.domain.evidence import Evidence, Step
from saml_idp.domain.person import Person
from saml_idp.domain.policy import Policy, UserVerification
from saml_idp.domain.request import RequestedContext
from saml_idp.domain.service_provider import Source
from saml_idp.domain.session import resumable


class RefusalReason(StrEnum):
    """Why a login is refused; stable words for audit, metrics and pages."""

    NO_AUTHN_CONTEXT = "no_authn_context"
    NO_PASSIVE = "no_passive"
    INVALID_NAME_ID_POLICY = "invalid_name_id_policy"
    UNKNOWN_PRINCIPAL = "unknown_principal"
    NOT_IN_GROUPS = "not_in_groups"
    USER_DISABLED = "user_disabled"
    NO_IDENTITY = "no_identity"
    NO_DEVICE = "no_device"
    DENIED = "denied"
    NOT_ME = "not_me"
    CANCELLED = "cancelled"
    POLICY_CHANGED = "policy_changed"
    POLICY_FAULT = "policy_fault"
    PROVIDER_GONE = "provider_gone"
    CANNOT_ENCRYPT = "cannot_encrypt"
    REQUEST_UNSUPPORTED = "request_unsupported"


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that shaped the decision. ``key``: dotted policy key, "" for other rules."""

    text: str
    key: str = ""
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class LoginPlan:
    """What a login has to do. ``steps``: the whole chain; ``resumed``: evidence of a session
    that serves its first steps; ``remaining``: the steps to run now, in order;
    ``claims``: the class that would be stated at the least.
    """

    steps: Steps
    resumed: tuple[Evidence, ...]
    remaining: Steps
    claims: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The login cannot be done."""

    reason: RefusalReason
    reasons: tuple[Reason, ...]


def decide(
    policy: Policy,
    *,
    context: RequestedContext | None,
    force_authn: bool,
    is_passive: bool,
    person: Person | None,
    session_evidence: tuple[Evidence, ...],
    now: datetime,
) -> LoginPlan | Refusal:
    """Return what this login would have to do now, or why it is refused.

    Args:
        policy: what is in force for the provider.
        context: the RequestedAuthnContext; it can only add to what the policy demands.
        person: the user, as far as known: from the session, or named by ``explain``.
        session_evidence: what a live session of *person* holds; empty without one.
        now: the present instant, aware, UTC.
    """
    reasons: list[Reason] = []
    planned = _steps(policy, context, reasons)
    if planned is None:
        return Refusal(RefusalReason.NO_AUTHN_CONTEXT, tuple(reasons))
    steps, claims = planned
    if person is not None:
        refused = refusal_for(person, policy, reasons)
        if refused is not None:
            return Refusal(refused, tuple(reasons))
    resumed = _resumed(policy, steps, session_evidence, reasons, force_authn=force_authn, now=now)
    remaining = steps[len(resumed) :]
    if remaining and is_passive:
        reasons.append(Reason(f"the request is passive and {remaining[0]} would need a page"))
        return Refusal(RefusalReason.NO_PASSIVE, tuple(reasons))
    return LoginPlan(steps, resumed, remaining, claims, tuple(reasons))


def _steps(
    policy: Policy, context: RequestedContext | None, reasons: list[Reason]
) -> tuple[Steps, str] | None:
    """Return the chain that policy and request demand together, with its least class."""
    key = "login.two_step"
    state = "on" if policy.two_step else "off"
    text = "password, then ID approval" if policy.two_step else "ID approval alone"
    reasons.append(Reason(f"two-step authentication is {state}: {text}", key, policy.source(key)))
    key = "login.access_symbols"
    reasons.append(Reason(f"{policy.access_symbols} access symbols", key, policy.source(key)))
    candidates = [TWO_STEP] if policy.two_step else [APPROVAL_ALONE, TWO_STEP]
    for steps in candidates:
        held = classes_of(
            password=Step.PASSWORD in steps,
            symbols=policy.access_symbols,
            user_verified=policy.user_verification is UserVerification.REQUIRED,
        )
        stated = stated_class(held, context)
        if stated is not None:
            if steps != candidates[0]:
                reasons.append(Reason("the requested context adds the password step"))
            return steps, stated
    wanted = ", ".join(context.classes) if context else ""
    reasons.append(Reason(f"no chain of this product meets the requested context: {wanted}"))
    return None


def refusal_for(person: Person, policy: Policy, reasons: list[Reason]) -> RefusalReason | None:
    """Return why *person* may not sign in under *policy*, None when they may."""
    if not person.enabled:
        reasons.append(Reason("the user is disabled"))
        return RefusalReason.USER_DISABLED
    if policy.groups:
        key = "login.groups"
        allowed = sorted(set(policy.groups) & set(person.groups))
        if not allowed:
            reasons.append(
                Reason(
                    f"the user is in none of {', '.join(policy.groups)}", key, policy.source(key)
                )
            )
            return RefusalReason.NOT_IN_GROUPS
        reasons.append(Reason(f"the user is in {allowed[0]}", key, policy.source(key)))
    if person.identity is None:
        reasons.append(Reason("the user has no ID; an administrator has to assign one"))
        return RefusalReason.NO_IDENTITY
    return None


def _resumed(
    policy: Policy,
    steps: Steps,
    evidence: tuple[Evidence, ...],
    reasons: list[Reason],
    *,
    force_authn: bool,
    now: datetime,
) -> tuple[Evidence, ...]:
    if not evidence:
        return ()
    if force_authn:
        reasons.append(Reason("the request forces every step anew"))
        return ()
    key = "login.step_max_age_seconds"
    resumed = resumable(evidence, steps, policy, now)
    age = int(policy.step_max_age.total_seconds())
    served = ", ".join(e.step for e in resumed) or "no step"
    reasons.append(
        Reason(f"the session serves {served} (at most {age} s old)", key, policy.source(key))
    )
    return resumed
