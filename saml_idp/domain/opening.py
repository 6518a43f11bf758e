"""Open a login and let a session serve its first steps."""

from datetime import datetime, timedelta

from saml_idp.domain.attempt import Event, LoginAttempt, State, Steps
from saml_idp.domain.chain import SealKey, extend, open_chain
from saml_idp.domain.decision import LoginPlan
from saml_idp.domain.evidence import Step
from saml_idp.domain.ids import AttemptId, Digest
from saml_idp.domain.person import Person
from saml_idp.domain.request import AuthnRequest


def opened(
    request: AuthnRequest,
    steps: Steps,
    *,
    attempt_id: AttemptId,
    browser: Digest,
    key: SealKey,
    now: datetime,
    lifetime: timedelta,
) -> LoginAttempt:
    """Return a new login in ``OPENED``, its chain holding the opening alone."""
    return LoginAttempt(
        attempt_id=attempt_id,
        browser=browser,
        request=request,
        steps=steps,
        state=State.OPENED,
        chain=open_chain(attempt_id, request, steps, key),
        user_id=None,
        entered_name=None,
        ended_because=None,
        created_at=now,
        expires_at=now + lifetime,
    )


def resumed(
    attempt: LoginAttempt, plan: LoginPlan, person: Person | None, key: SealKey, **changes: object
) -> LoginAttempt:
    """Return *attempt* (in ``OPENED``) moved as far as the session's evidence carries it.

    ``person``: the session's user, named on the form when steps remain; None without one.
    """
    chain = attempt.chain
    for evidence in plan.resumed:
        chain = extend(chain, evidence, key)
    known = person is not None and bool(plan.resumed)
    return attempt.after(
        _event(plan),
        chain=chain,
        user_id=person.user_id if person is not None and known else None,
        entered_name=person.username if person is not None else None,
        **changes,
    )


def _event(plan: LoginPlan) -> Event:
    if not plan.remaining:
        return Event.CHAIN_RESUMED
    if plan.remaining[0] is Step.APPROVAL and plan.resumed:
        return Event.PASSWORD_RESUMED
    return Event.NOTHING_RESUMED
