"""Eighteen faults, planted into the real code for the length of a test. Only here is our own code
ever patched: that is what planting a fault means.

A fault is a set of locks that are taken away, and a short story of rules that walks through when
all of them are gone. Some have one lock; most have several, and each of those holds alone.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

from saml_idp.domain import approval as approval_rules
from saml_idp.domain import attempt as table
from saml_idp.domain import chain as links
from saml_idp.domain import decision, proof, session
from saml_idp.domain.approval import SUCCESSORS, ApprovalState, Judgement, judge
from saml_idp.domain.attempt import APPROVAL_ALONE, TWO_STEP, Event, LoginAttempt, State, Steps
from saml_idp.domain.authn_context import STRENGTH
from saml_idp.domain.errors import ChainIncomplete, NotFound
from saml_idp.domain.evidence import Evidence
from saml_idp.domain.policy import Policy
from saml_idp.domain.proof import prove
from saml_idp.services import answer_approval, change_login, finish_login
from saml_idp.services.answer_approval import AnswerApproval
from saml_idp.services.ask_approval import AskApproval
from saml_idp.services.find_login import FindLogin
from saml_idp.services.finish_login import Finished, FinishLogin, _Finishing
from tests import fakes
from tests.flows.model.ledger import Login
from tests.flows.model.world import World

Remove = Callable[[], AbstractContextManager[Any]]
_TINY: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Fault:
    """``invariant``: which one the story breaks. ``locks``: by what they check."""

    name: str
    invariant: str
    locks: dict[str, Remove]
    story: Callable[[World], None]


# ---- faulty copies


def _with_row(steps: Steps, state: State, event: Event, to: State) -> Remove:
    """The transition table has one row too many."""
    rows = {s: {k: dict(v) for k, v in r.items()} for s, r in table.TRANSITIONS.items()}
    rows[steps][state][event] = to
    return lambda: patch.object(table, "TRANSITIONS", rows)


def _what_there_is(steps: Steps, evidence: tuple[Evidence, ...], *_: object) -> Any:
    """A proof that takes the steps that are there for those that are needed."""
    return tuple(e for step in steps for e in evidence if e.step is step)


def _walk_any_opening(chain: links.Chain, key: links.SealKey, **_: object) -> Any:
    links._walk_seals(chain, key)
    return tuple(links._evidence_from(link.body) for link in chain[1:])


def _restart_without_plan(self: Any, attempt_id: Any, *, origin: Any) -> LoginAttempt:
    with self.store.unit() as unit:
        attempt: LoginAttempt = unit.attempts.get(attempt_id)
        moved = attempt.after(
            Event.RESTARTED,
            chain=links.restarted(attempt.chain),
            user_id=None,
            entered_name=None,
        )
        moved = replace(moved, steps=APPROVAL_ALONE, state=State.AWAITING_NAME)
        change_login._end_open_approval(unit, attempt, self.clock)
        unit.attempts.replace(attempt, moved)
    return moved


def _store_whatever(self: Any, old: LoginAttempt, new: LoginAttempt) -> None:
    self._rows.attempts[old.attempt_id] = new


def _keep_steps_whatever_version(self: Any, old: LoginAttempt, new: LoginAttempt) -> None:
    self._rows.attempts[old.attempt_id] = replace(new, steps=self.get(old.attempt_id).steps)


def _judging(change: Callable[..., Judgement]) -> Remove:
    return lambda: patch.object(answer_approval, "judge", change)


def _judge_as_pending(approval: Any, answer: Any, **rest: Any) -> Judgement:
    return judge(replace(approval, state=ApprovalState.PENDING), answer, **rest)


def _judge_at_any_time(approval: Any, answer: Any, **rest: Any) -> Judgement:
    return judge(replace(approval, expires_at=rest["now"] + _TINY), answer, **rest)


def _judge_any_symbols(approval: Any, answer: Any, **rest: Any) -> Judgement:
    return judge(approval, answer, **(rest | {"expected_symbols": answer.symbols}))


def _judge_no_as_yes(approval: Any, answer: Any, **rest: Any) -> Judgement:
    found = judge(approval, answer, **rest)
    return Judgement.GRANTED if found is Judgement.DENIED else found


def _move_at_any_time() -> AbstractContextManager[Any]:
    original = fakes.FakeApprovals.move

    def move(self: Any, approval_id: Any, *, to: Any, at: datetime, **rest: Any) -> None:
        original(
            self, approval_id, to=to, at=min(at, self.get(approval_id).expires_at - _TINY), **rest
        )

    return patch.object(fakes.FakeApprovals, "move", move)


def _find_unused(self: Any, code_hash: Any) -> Any:
    """As a request reads it that came in before the code was used."""
    found = self._rows.enrolments.get(code_hash)
    return replace(found, used_at=None) if found is not None else None


def _use_once_more(self: Any, code_hash: Any, at: datetime) -> None:
    self._rows.enrolments[code_hash] = replace(self._rows.enrolments[code_hash], used_at=at)


def _add_receipt(self: Any, receipt: Any) -> None:
    self._rows.receipts[receipt.assertion_id] = receipt


def _find_in_any_browser(self: Any, attempt_id: Any, *, browser: Any) -> LoginAttempt:
    with self.store.view() as unit:
        attempt: LoginAttempt = unit.attempts.get(attempt_id)
    late = self.clock.now() >= attempt.expires_at and not attempt.is_over
    return attempt.after(Event.TIMED_OUT) if late else attempt


def _find_at_any_time(self: Any, attempt_id: Any, *, browser: Any) -> LoginAttempt:
    with self.store.view() as unit:
        attempt: LoginAttempt = unit.attempts.get(attempt_id)
    if attempt.browser != browser:
        raise NotFound("no such login in this browser")
    return attempt


def _prove_at_any_time(attempt: LoginAttempt, key: Any, now: datetime, **parties: Any) -> Any:
    return prove(replace(attempt, expires_at=now + _TINY), key, now, **parties)


def _fresh_is_enough(evidence: Evidence, policy: Policy, now: datetime) -> bool:
    return timedelta(0) <= now - evidence.at < policy.step_max_age


def _resume_though_forced() -> AbstractContextManager[Any]:
    original = decision._resumed

    def resumed(*args: Any, force_authn: bool, now: datetime) -> Any:
        return original(*args, force_authn=False, now=now)

    return patch.object(decision, "_resumed", resumed)


def _prove_though_forced() -> AbstractContextManager[Any]:
    original = proof._evidence_for

    def evidence_for(
        steps: Any, evidence: Any, attempt: LoginAttempt, policy: Any, now: Any
    ) -> Any:
        unforced = replace(attempt, request=replace(attempt.request, force_authn=False))
        return original(steps, evidence, unforced, policy, now)

    return patch.object(proof, "_evidence_for", evidence_for)


def _sign_before_commit(
    self: FinishLogin,
    attempt: LoginAttempt,
    *,
    is_stored: bool,
    session_secret: Any,
    new_session_secret: Any,
    origin: Any,
) -> Finished:
    now = self.clock.now()
    provider = self.providers.find(attempt.request.issuer)
    if provider is None:
        raise ChainIncomplete("the service is not known any more", reason="provider_gone")
    policy = self.policies.policy_for(provider.entity_id)
    with self.store.unit() as unit:
        finishing = _Finishing(self, unit, attempt, provider, policy, now)
        chain, release, started = finishing.spend(
            session_secret, new_session_secret, origin, is_stored=is_stored
        )
        new_id = self.entropy.xml_id
        response = self.issuer.issue(chain, release, issued_at=now, new_id=new_id)
    return Finished(response, chain.person, session_started=started)


def _ask_beside_others(
    self: AskApproval, unit: Any, attempt: Any, approval: Any, person: Any, now: Any
) -> Any:
    from saml_idp.domain.asking import ApprovalView

    if self._is_limited(unit, attempt, approval, person, now):
        return ApprovalView.LIMITED
    return ApprovalView.ASKED if unit.approvals.add(approval) else ApprovalView.WAITING_OTHER


def _add_beside_others(self: Any, approval: Any) -> bool:
    self._store(approval)
    return True


# ---- stories


def _asked(world: World, login: Login, user: str = "alice") -> Any:
    """Bring *login* to its question."""
    world.type_password(login, login.jar, user)
    world.give_name(login, login.jar, user)
    asked = world.see_approval(login, login.jar)
    assert asked is not None
    return asked


def _begun(world: World, provider: int = 0, kind: str = "plain", *, jar: int = 0) -> Login:
    login = world.begin(jar, provider, kind)
    assert login is not None
    return login


def _complete(world: World, provider: int = 0) -> Login:
    login = _begun(world, provider)
    world.answer(_asked(world, login), world.phones[0])
    return login


def _approval_first(world: World) -> None:
    login = _begun(world)
    world.give_name(login, 0, "alice")
    asked = world.see_approval(login, 0)
    if asked is not None:
        world.answer(asked, world.phones[0])
    world.finish(login, 0)


def _restarted(world: World) -> None:
    login = _begun(world)
    world.type_password(login, 0, "alice")
    world.restart(login, 0)
    world.give_name(login, 0, "alice")
    asked = world.see_approval(login, 0)
    if asked is not None:
        world.answer(asked, world.phones[0])
    world.finish(login, 0)


def _switched(world: World) -> None:
    login = _begun(world)
    world.type_password(login, 0, "mallory")
    world.give_name(login, 0, "alice")
    asked = world.see_approval(login, 0)
    if asked is not None:
        world.answer(asked, world.phones[0 if asked.owner == "alice" else 2])
    world.finish(login, 0)


def _replayed(world: World) -> None:
    _complete(world)
    world.replay(world.sent[-1])


def _answered_late(world: World) -> None:
    login = _begun(world)
    asked = _asked(world, login)
    world.advance(300)
    world.answer(asked, world.phones[0])
    world.finish(login, 0)


def _answered(how: str, *, phone: int = 0) -> Callable[[World], None]:
    def story(world: World) -> None:
        login = _begun(world)
        world.answer(_asked(world, login), world.phones[phone], how)
        world.finish(login, 0)

    return story


def _enrolled_twice(world: World) -> None:
    world.invite("alice")
    world.enrol(world.codes[-1])
    world.enrol(world.codes[-1])


def _submitted_twice(world: World) -> None:
    login = _complete(world)
    world.finish(login, 0)
    world.finish_once_more(login)


def _finished_elsewhere(world: World) -> None:
    world.finish(_complete(world), 1)


def _finished_late(world: World) -> None:
    login = _complete(world)
    world.advance(601)
    world.finish(login, 0)


def _stepped_up(world: World) -> None:
    world.finish(_complete(world, 4), 0)
    world.finish(_begun(world, 3), 0)


def _forced(world: World) -> None:
    world.finish(_complete(world), 0)
    world.finish(_begun(world, 0, "forced"), 0)


def _alone(world: World) -> None:
    world.finish(_complete(world, 1), 0)


def _plain(world: World) -> None:
    world.finish(_complete(world), 0)


def _guessed(world: World) -> None:
    login = _begun(world)
    for _ in range(7):
        world.type_password(login, 0, "alice", right=False)


def _asked_twice(world: World) -> None:
    for jar in (0, 1):
        login = _begun(world, jar=jar)
        world.type_password(login, jar, "alice")
        world.see_approval(login, jar)


# ---- the eighteen

_MISSING: Final[Remove] = lambda: patch.object(proof, "_evidence_for", _what_there_is)  # noqa: E731

FAULTS: Final = (
    Fault(
        "step order",
        "I1",
        {
            "the table": _with_row(
                TWO_STEP, State.AWAITING_PASSWORD, Event.NAME_GIVEN, State.AWAITING_APPROVAL
            ),
            "the proof asks for each step": _MISSING,
        },
        _approval_first,
    ),
    Fault(
        "restart drops the plan",
        "I1",
        {
            "the verb": lambda: patch.object(
                change_login.RestartLogin, "__call__", _restart_without_plan
            ),
            "the store keeps the plan": lambda: patch.object(
                fakes.FakeAttempts, "replace", _store_whatever
            ),
            "the seal of the opening": lambda: patch.object(proof, "walk", _walk_any_opening),
            "the plan of the policy in force": _MISSING,
        },
        _restarted,
    ),
    Fault(
        "user switch keeps steps",
        "I1",
        {
            "the table": _with_row(
                TWO_STEP, State.AWAITING_APPROVAL, Event.NAME_GIVEN, State.AWAITING_APPROVAL
            ),
            "the proof is of one user": lambda: patch.object(
                proof, "_check_parties", lambda *_: None
            ),
            "the receipt's password is the user's": lambda: patch.object(
                fakes.FakeReceipts, "_refuse_unproven", lambda *_: None
            ),
        },
        _switched,
    ),
    Fault(
        "approval replay",
        "I2",
        {
            "the judgement": _judging(_judge_as_pending),
            "the one update of the store": lambda: patch.dict(
                SUCCESSORS, {ApprovalState.GRANTED: frozenset(ApprovalState)}
            ),
            "the table": _with_row(
                TWO_STEP, State.CHAIN_COMPLETE, Event.APPROVAL_GRANTED, State.CHAIN_COMPLETE
            ),
        },
        _replayed,
    ),
    Fault(
        "no expiry",
        "I1",
        {
            "the judgement": _judging(_judge_at_any_time),
            "the one update of the store": _move_at_any_time,
        },
        _answered_late,
    ),
    Fault(
        "foreign device",
        "I1",
        {
            "the judgement": lambda: patch.object(
                approval_rules, "_refuse_foreign_device", lambda *_: None
            ),
            "the owner read again": lambda: patch.object(
                AnswerApproval,
                "_still_allowed",
                staticmethod(lambda unit, approval, _device: unit.people.get(approval.user_id)),
            ),
        },
        _answered("right", phone=2),
    ),
    Fault(
        "symbols unchecked",
        "I1",
        {"the judgement": _judging(_judge_any_symbols)},
        _answered("wrong"),
    ),
    Fault(
        "deny counts as yes", "I1", {"the judgement": _judging(_judge_no_as_yes)}, _answered("deny")
    ),
    Fault(
        "double consume",
        "I2",
        {
            "the invitation as read": lambda: patch.object(
                fakes.FakeDevices, "find_enrolment", _find_unused
            ),
            "the one update of the store": lambda: patch.object(
                fakes.FakeDevices, "use_enrolment", _use_once_more
            ),
        },
        _enrolled_twice,
    ),
    Fault(
        "double submit",
        "I4",
        {
            "the login's version": lambda: patch.object(
                fakes.FakeAttempts, "replace", _keep_steps_whatever_version
            ),
            "an approval is spent once": lambda: patch.dict(
                SUCCESSORS, {ApprovalState.SPENT: frozenset({ApprovalState.SPENT})}
            ),
            "one receipt for a login": lambda: patch.object(
                fakes.FakeReceipts, "add", _add_receipt
            ),
        },
        _submitted_twice,
    ),
    Fault(
        "attempt not bound to browser",
        "browser",
        {"the look-up": lambda: patch.object(FindLogin, "__call__", _find_in_any_browser)},
        _finished_elsewhere,
    ),
    Fault(
        "attempt never expires",
        "lifetime",
        {
            "the look-up": lambda: patch.object(FindLogin, "__call__", _find_at_any_time),
            "the proof": lambda: patch.object(finish_login, "prove", _prove_at_any_time),
        },
        _finished_late,
    ),
    Fault(
        "session skips step-up",
        "I1",
        {
            "the plan": lambda: patch.object(session, "still_good", _fresh_is_enough),
            "the proof": lambda: patch.object(proof, "still_good", _fresh_is_enough),
        },
        _stepped_up,
    ),
    Fault(
        "ForceAuthn ignored",
        "I1",
        {"the plan": _resume_though_forced, "the proof": _prove_though_forced},
        _forced,
    ),
    Fault(
        "class overstated",
        "class",
        {"what was done": lambda: patch.object(proof, "satisfied_classes", lambda _: STRENGTH)},
        _alone,
    ),
    Fault(
        "audit after send",
        "I3",
        {"commit, then sign": lambda: patch.object(FinishLogin, "__call__", _sign_before_commit)},
        _plain,
    ),
    Fault(
        "no throttle",
        "throttle",
        {"the count": lambda: patch.object(fakes, "retry_after", lambda *_: 0)},
        _guessed,
    ),
    Fault(
        "many pending",
        "one_pending",
        {
            "the verb": lambda: patch.object(AskApproval, "_stored", _ask_beside_others),
            "the store's constraint": lambda: patch.object(
                fakes.FakeApprovals, "add", _add_beside_others
            ),
        },
        _asked_twice,
    ),
)
