"""Values of the domain with sane defaults; a test says only what it is about.

One person (alice), one provider, one login that began at ``NOW``. Whatever carries a seal is
sealed for real, with ``SEAL_KEY``; whatever is proven is proven by ``prove``.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from saml_idp.domain.approval import Approval, ApprovalState
from saml_idp.domain.attempt import TWO_STEP, LoginAttempt, State, Steps
from saml_idp.domain.audit import Origin
from saml_idp.domain.chain import Chain, SealKey, extend, open_chain, seal_for_session
from saml_idp.domain.device import Device, Enrolment
from saml_idp.domain.evidence import Evidence, Method, Step
from saml_idp.domain.ids import (
    ApprovalId,
    ApprovalIdentity,
    AssertionId,
    AttemptId,
    DeviceId,
    Digest,
    EntityId,
    SessionId,
    UserId,
    digest_of,
)
from saml_idp.domain.person import Person
from saml_idp.domain.policy import Policy
from saml_idp.domain.proof import CompletedChain, prove
from saml_idp.domain.request import AuthnRequest
from saml_idp.domain.service_provider import AssertionConsumer, Binding, ServiceProvider, Source
from saml_idp.domain.session import Session

NOW: Final = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
SEAL_KEY: Final = SealKey(b"seal" * 8)
OTHER_SEAL_KEY: Final = SealKey(b"else" * 8)
IDP: Final = EntityId("https://idp.example.org/saml")
PROVIDER: Final = EntityId("https://sp.example.org/metadata")
ACS: Final = "https://sp.example.org/acs"
ALICE: Final = UserId("u-alice")
BOB: Final = UserId("u-bob")
ATTEMPT: Final = AttemptId("attempt-1")
SESSION: Final = SessionId("session-1")
BROWSER: Final = digest_of("the browser")
ORIGIN: Final = Origin("ref-1", "192.0.2.1", "browser", "Firefox on Linux")
LOGIN_LIFETIME: Final = timedelta(minutes=10)
SESSION_WHOLE: Final = timedelta(hours=12)

_WITH_USER: Final = (State.AWAITING_APPROVAL, State.CHAIN_COMPLETE, State.DONE)
_WITH_ALL: Final = (State.CHAIN_COMPLETE, State.DONE)


def seconds(count: float) -> timedelta:
    """Return *count* seconds."""
    return timedelta(seconds=count)


def a_request(**changes: Any) -> AuthnRequest:
    """Return a plain request of ``PROVIDER``."""
    plain = AuthnRequest(
        request_id="_request-1",
        issuer=PROVIDER,
        reply_to=ACS,
        relay_state="state",
        force_authn=False,
        is_passive=False,
        requested_context=None,
        name_id_policy=None,
        subject_name_id=None,
        was_signed=False,
        received_at=NOW,
    )
    return replace(plain, **changes)


def a_provider(entity_id: str = PROVIDER, **changes: Any) -> ServiceProvider:
    """Return a provider with one ACS, that of ``a_request``."""
    plain = ServiceProvider(
        entity_id=EntityId(entity_id),
        consumers=(AssertionConsumer(ACS, Binding.POST, 0, is_default=True),),
        signing_certificates=(),
        encryption_certificates=(),
        signs_requests=False,
        wants_assertions_signed=True,
        name_id_formats=(),
        display_names=(("", "Example service"),),
        logo=None,
        source=Source("metadata/sp.xml", 1),
    )
    return replace(plain, **changes)


def a_policy(**changes: Any) -> Policy:
    """Return the built-in policy (two steps, four symbols) with *changes*."""
    return replace(Policy(), **changes)


def a_person(name: str = "alice", **changes: Any) -> Person:
    """Return an enabled user with an ID; user id, name and ID follow from *name*."""
    plain = Person(
        user_id=UserId(f"u-{name}"),
        username=name,
        enabled=True,
        is_administrator=False,
        identity=ApprovalIdentity(name),
        groups=("jira-users", "staff"),
        attributes={"email": (f"{name}@example.org",), "name": (f"{name.title()} Example",)},
        created_at=NOW - timedelta(days=30),
    )
    return replace(plain, **changes)


def a_device(name: str = "alice", number: int = 1, **changes: Any) -> Device:
    """Return a live device of the user *name*. Its key is a word, and verifies nothing."""
    plain = Device(
        device_id=DeviceId(f"device-of-{name}-{number}"),
        user_id=UserId(f"u-{name}"),
        identity=ApprovalIdentity(name),
        name=f"phone {number} of {name}",
        method=Method.DEVICE,
        public_key=f'{{"kty":"test","x":"{name}-{number}"}}',
        enrolled_at=NOW - timedelta(days=1),
    )
    return replace(plain, **changes)


def an_enrolment(name: str = "alice", code: str = "code-" + "c" * 22, **changes: Any) -> Enrolment:
    """Return an open invitation for the user *name*."""
    plain = Enrolment(
        code_hash=digest_of(code),
        user_id=UserId(f"u-{name}"),
        identity=ApprovalIdentity(name),
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        created_by="cli:root",
    )
    return replace(plain, **changes)


def an_approval(**changes: Any) -> Approval:
    """Return a pending approval of ``an_attempt`` for alice's ID."""
    plain = Approval(
        approval_id=ApprovalId("approval-1"),
        attempt_id=ATTEMPT,
        user_id=ALICE,
        identity=ApprovalIdentity("alice"),
        provider=PROVIDER,
        provider_name="Example service",
        place="192.0.2.1",
        browser="Firefox on Linux",
        nonce="n" * 22,
        symbols="sealed",
        symbols_count=4,
        methods=frozenset({Method.DEVICE, Method.PASSKEY}),
        state=ApprovalState.PENDING,
        known_browser=False,
        created_at=NOW,
        expires_at=NOW + seconds(120),
    )
    return replace(plain, **changes)


def password_evidence(**changes: Any) -> Evidence:
    """Return alice's right password, 10 s into the login."""
    plain = Evidence(Step.PASSWORD, ALICE, NOW + seconds(10), "password-1", Method.PASSWORD)
    return replace(plain, **changes)


def approval_evidence(**changes: Any) -> Evidence:
    """Return alice's approval by four symbols, 20 s into the login."""
    plain = Evidence(
        Step.APPROVAL,
        ALICE,
        NOW + seconds(20),
        "approval-1",
        Method.DEVICE,
        symbols=4,
        device_id=DeviceId("device-of-alice-1"),
    )
    return replace(plain, **changes)


def evidence_for(steps: Steps, user_id: UserId = ALICE) -> tuple[Evidence, ...]:
    """Return the evidence of each of *steps*, all of *user_id*."""
    made = {Step.PASSWORD: password_evidence, Step.APPROVAL: approval_evidence}
    return tuple(made[step](user_id=user_id) for step in steps)


def a_chain(
    *evidence: Evidence,
    attempt_id: AttemptId = ATTEMPT,
    request: AuthnRequest | None = None,
    steps: Steps = TWO_STEP,
    key: SealKey = SEAL_KEY,
) -> Chain:
    """Return a sealed chain that holds *evidence* after its opening."""
    chain = open_chain(attempt_id, request or a_request(), steps, key)
    for one in evidence:
        chain = extend(chain, one, key)
    return chain


def an_attempt(
    state: State = State.AWAITING_PASSWORD,
    *,
    steps: Steps = TWO_STEP,
    evidence: tuple[Evidence, ...] | None = None,
    **changes: Any,
) -> LoginAttempt:
    """Return alice's login in *state*, its chain as far as that state says (or *evidence*)."""
    request = changes.get("request") or a_request()
    attempt_id = changes.get("attempt_id", ATTEMPT)
    user_id = changes.get("user_id", ALICE) or ALICE
    if evidence is None:
        done = steps if state in _WITH_ALL else steps[:-1] if state in _WITH_USER else ()
        evidence = evidence_for(done, user_id)
    known = state in _WITH_USER
    plain = LoginAttempt(
        attempt_id=attempt_id,
        browser=BROWSER,
        request=request,
        steps=steps,
        state=state,
        chain=a_chain(*evidence, attempt_id=attempt_id, request=request, steps=steps),
        user_id=ALICE if known else None,
        entered_name="alice" if known else None,
        ended_because="denied" if state is State.REFUSED else None,
        created_at=NOW,
        expires_at=NOW + LOGIN_LIFETIME,
    )
    return replace(plain, **changes)


def a_session(*evidence: Evidence, key: SealKey = SEAL_KEY, **changes: Any) -> Session:
    """Return alice's live session, made at ``NOW`` by *evidence* (both steps if none is given)."""
    session_id = changes.get("session_id", SESSION)
    steps = evidence or evidence_for(TWO_STEP)
    plain = Session(
        session_id=session_id,
        secret=Digest(digest_of("the session cookie")),
        user_id=ALICE,
        links=tuple(seal_for_session(session_id, one, key) for one in steps),
        created_at=NOW,
        last_used_at=NOW,
        ends_at=NOW + SESSION_WHOLE,
    )
    return replace(plain, **changes)


def proven(attempt: LoginAttempt | None = None, **changes: Any) -> CompletedChain:
    """Return what ``prove`` makes of *attempt*; the other parties fit unless *changes* says so."""
    found = attempt if attempt is not None else an_attempt(State.CHAIN_COMPLETE)
    now = changes.pop("now", NOW + seconds(30))
    key = changes.pop("key", SEAL_KEY)
    parties: dict[str, Any] = {
        "provider": a_provider(),
        "policy": a_policy(),
        "person": a_person(),
        "assertion_id": AssertionId("_assertion-1"),
        "session_index": "_index-1",
        "session": None,
        "session_whole": SESSION_WHOLE,
    }
    return prove(found, key, now, **(parties | changes))


def a_completed_chain(
    *, policy: Policy | None = None, request: AuthnRequest | None = None, **changes: Any
) -> CompletedChain:
    """Return the proof of a login under *policy* for *request*; other *changes* are ``prove``'s."""
    steps = TWO_STEP if policy is None or policy.two_step else (Step.APPROVAL,)
    attempt = an_attempt(State.CHAIN_COMPLETE, steps=steps, request=request or a_request())
    return proven(attempt, policy=policy or a_policy(), **changes)
