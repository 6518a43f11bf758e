"""Any order of anything, by Hypothesis. The rules are biased: half of them go on with a login as
its user would, since chance alone seldom gets as far as an assertion.
"""

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from saml_idp.domain.approval import OPEN
from saml_idp.domain.attempt import State
from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import ApprovalId, ApprovalIdentity, AttemptId
from saml_idp.domain.policy import Policy
from tests.fakes import FakeStore
from tests.flows.model.ledger import Asked, Login
from tests.flows.model.world import JARS, KINDS, POLICIES, PROVIDERS, USERS, World
from tests.unit.services.house import Phone

jars: Final = st.integers(0, JARS - 1)
users: Final = st.sampled_from(USERS)
providers: Final = st.integers(0, len(PROVIDERS) - 1)
recent: Final = st.integers(0, 3)  # how far back; 0: the newest
kinds: Final = st.sampled_from(list(KINDS))
MISHAPS: Final = (
    "another name",
    "restart",
    "wait",
    "another browser",
    "replay",
    "ask in two browsers",
    "wrong",
    "deny",
    "foreign phone",
    "slow",
)
has_logins: Final = precondition(lambda self: self.world.ledger.logins)
DURATIONS: Final = (1, 2, 30, 119, 121, 400, 601, 901, 3000, 3601, 30_000)

mishaps: Final[dict[str, Any]] = {
    "jar": jars,
    "provider": st.sampled_from((0, 0, *range(len(PROVIDERS)))),
    "user": users,
    "kind": st.sampled_from(("forced", "forced", "plain")),  # no session shortens a forced login
    "place": st.integers(0, 2),
    "what": st.sampled_from(MISHAPS),
    "other": users,
    "seconds": st.sampled_from((121, 300, 601, 3601)),
}
but_once: Final[Any] = rule(**mishaps)


class LoginMachine(RuleBasedStateMachine):
    """Users, phones, browsers and providers doing as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.world = self.new_world()

    def new_world(self) -> World:
        """Return a fresh world; a faster or a truer store by overriding it."""
        return World(FakeStore())

    # ---- as a user would

    def _log_in(self, jar: int, provider: int, user: str, kind: str = "plain") -> None:
        login = self.world.begin(jar, provider, kind)
        for _ in range(4):
            if login is not None:
                self._step(login, user)

    def _go_on(self, back: int, user: str) -> None:
        self._step(self._login(back), user)

    begin_with_a_login = initialize(jar=jars, provider=providers, user=users)(_log_in)
    log_in = rule(jar=jars, provider=providers, user=users)(_log_in)
    log_in_too = rule(jar=jars, provider=providers, user=users, kind=kinds)(_log_in)
    log_in_more = rule(jar=st.just(0), provider=providers, user=st.just("alice"), kind=kinds)(
        _log_in
    )
    log_in_still = rule(jar=st.just(0), provider=providers, user=st.just("alice"))(_log_in)
    go_on = has_logins(rule(back=recent, user=users)(_go_on))
    go_on_again = has_logins(rule(back=recent, user=users)(_go_on))
    go_on_with_the_newest = has_logins(rule(back=st.just(0), user=users)(_go_on))
    go_on_as_alice = has_logins(rule(back=st.just(0), user=st.just("alice"))(_go_on))

    @rule(jar=jars, provider=providers, kind=kinds, cross=st.booleans())
    def begin(self, jar: int, provider: int, kind: str, *, cross: bool) -> None:
        self.world.begin(jar, provider, kind, cross_site=cross)

    def _step(self, login: Login, user: str) -> None:
        """Do what the login waits for, as *user* and in its own browser."""
        world, jar = self.world, login.jar
        with world.house.store.view() as unit:
            try:
                state = unit.attempts.get(AttemptId(login.attempt_id)).state
            except NotFound:  # a session carried it to its end
                state = State.CHAIN_COMPLETE
        if state is State.OPENED:
            world.come_back(login, jar)
        elif state is State.AWAITING_PASSWORD:
            world.type_password(login, jar, user)
        elif state is State.AWAITING_NAME:
            world.give_name(login, jar, user)
        elif state is State.AWAITING_APPROVAL:
            asked = world.see_approval(login, jar, again=True)
            if asked is not None and asked.owner is not None:
                world.answer(asked, self._phone_of(asked.owner))
        elif state is State.CHAIN_COMPLETE:
            world.finish(login, jar)

    # ---- as a user would, but for one thing

    def _log_in_but(
        self,
        jar: int,
        provider: int,
        user: str,
        kind: str,
        place: int,
        what: str,
        other: str,
        seconds: int,
    ) -> None:
        login = self.world.begin(jar, provider, kind)
        for number in range(5):
            if login is None:
                return
            if number == place:
                self._mishap(login, what, other, seconds)
            self._step(login, user)

    log_in_but_once = but_once(_log_in_but)
    log_in_but_for_one_thing = but_once(_log_in_but)
    log_in_but_for_a_moment = but_once(_log_in_but)
    log_in_but_not_quite = but_once(_log_in_but)
    log_in_but_badly = but_once(_log_in_but)

    def _mishap(self, login: Login, what: str, other: str, seconds: int) -> None:
        """Do one thing that does not belong to the way of *login*."""
        world, jar = self.world, login.jar
        if what == "another name":
            world.give_name(login, jar, other)
        elif what == "restart":
            world.restart(login, jar)
        elif what == "wait":
            world.advance(seconds)
        elif what == "another browser":
            world.finish(login, (jar + 1) % JARS)
        elif what == "replay" and world.sent:
            world.replay(world.sent[-1])
        elif what == "ask in two browsers":
            self._ask_in_two_browsers(login)
        elif what in {"wrong", "deny", "foreign phone", "slow"}:
            self._answer_badly(login, what, other, seconds)

    def _answer_badly(self, login: Login, what: str, other: str, seconds: int) -> None:
        asked = self.world.see_approval(login, login.jar)
        if asked is None or asked.owner is None:
            return
        phone = self._phone_of(other if what == "foreign phone" else asked.owner)
        if what == "slow":
            self.world.advance(seconds)
        self.world.answer(asked, phone, what if what in {"wrong", "deny"} else "right")

    def _ask_in_two_browsers(self, login: Login) -> None:
        asked = self.world.see_approval(login, login.jar)
        jar = (login.jar + 1) % JARS
        second = self.world.begin(jar, 0)
        if asked is not None and asked.owner is not None and second is not None:
            self.world.type_password(second, jar, asked.owner)
            self.world.see_approval(second, jar)

    def _phone_of(self, user: str) -> Phone:
        return [p for p in self.world.phones if p.device.user_id == f"u-{user}"][-1]

    # ---- as a user would not

    @has_logins
    @rule(back=recent, jar=jars)
    def send_a_request_again(self, back: int, jar: int) -> None:
        self.world.begin_again(self._login(back), jar)

    @has_logins
    @rule(back=recent, jar=jars)
    def come_back(self, back: int, jar: int) -> None:
        self.world.come_back(self._login(back), jar)

    @has_logins
    @rule(back=recent, jar=jars, user=users, right=st.booleans())
    def type_a_password(self, back: int, jar: int, user: str, *, right: bool) -> None:
        self.world.type_password(self._login(back), jar, user, right=right)

    @has_logins
    @rule(back=recent, user=users, times=st.integers(2, 8))
    def guess_passwords(self, back: int, user: str, times: int) -> None:
        login = self._login(back)
        for _ in range(times):
            self.world.type_password(login, login.jar, user, right=False)

    @has_logins
    @rule(back=recent, jar=jars, user=users)
    def give_a_name(self, back: int, jar: int, user: str) -> None:
        self.world.give_name(self._login(back), jar, user)

    @has_logins
    @rule(back=recent, jar=jars, again=st.booleans())
    def see_the_approval(self, back: int, jar: int, *, again: bool) -> None:
        self.world.see_approval(self._login(back), jar, again=again)

    @precondition(lambda self: self.world.ledger.asked)
    @rule(
        back=recent,
        phone=st.integers(0, 5),
        how=st.sampled_from(("right", "right", "wrong", "deny", "not-me")),
    )
    def answer(self, back: int, phone: int, how: str) -> None:
        phones = self.world.phones
        self.world.answer(self._asked(back), phones[phone % len(phones)], how)

    @precondition(lambda self: self.world.sent)
    @rule(back=recent)
    def replay_an_answer(self, back: int) -> None:
        self.world.replay(self.world.sent[-1 - back % len(self.world.sent)])

    @rule(phone=st.integers(0, 5))
    def look_at_the_phone(self, phone: int) -> None:
        self.world.fetch(self.world.phones[phone % len(self.world.phones)])

    @has_logins
    @rule(back=recent, jar=jars)
    def finish(self, back: int, jar: int) -> None:
        self.world.finish(self._login(back), jar)

    @precondition(lambda self: self.world.snapshots)
    @rule(back=recent)
    def submit_twice(self, back: int) -> None:
        self.world.finish_once_more(self._login(back))

    @has_logins
    @rule(back=recent, jar=jars)
    def restart(self, back: int, jar: int) -> None:
        self.world.restart(self._login(back), jar)

    @has_logins
    @rule(back=recent, jar=jars)
    def cancel(self, back: int, jar: int) -> None:
        self.world.cancel(self._login(back), jar)

    # ---- around them

    @rule(seconds=st.sampled_from(DURATIONS))
    def time_passes(self, seconds: int) -> None:
        self.world.advance(seconds)

    @rule(provider=providers, policy=st.sampled_from(POLICIES))
    def change_a_policy(self, provider: int, policy: Policy) -> None:
        self.world.set_policy(provider, policy)

    @rule(user=users, number=st.integers(0, 5), what=st.sampled_from(("user", "phone", "invite")))
    def administer(self, user: str, number: int, what: str) -> None:
        world = self.world
        if what == "user":
            (world.disable if world.ledger.enabled[user] else world.enable)(user)
        elif what == "phone":
            world.retire(world.phones[number % len(world.phones)])
        else:
            world.invite(user)

    @precondition(lambda self: self.world.codes)
    @rule(back=st.integers(0, 1), right=st.booleans(), times=st.integers(1, 2))
    def take_up_an_invitation(self, back: int, times: int, *, right: bool) -> None:
        for _ in range(times):
            self.world.enrol(self.world.codes[-1 - back % len(self.world.codes)], right=right)

    @rule(jar=jars, what=st.sampled_from(("keep house", "restart", "drop cookies")))
    def operate(self, jar: int, what: str) -> None:
        if what == "keep house":
            self.world.sweep()
        elif what == "restart":
            self.world.restart_process()
        else:
            self.world.drop_cookies(jar)

    # ---- what holds at every moment

    @invariant()
    def as_many_receipts_as_assertions(self) -> None:
        """Nothing is on record that did not leave, nothing left that is not on record."""
        book = self.world.ledger
        with self.world.house.store.view() as unit:
            stored = unit.receipts.count()
        left = sum(login.assertions for login in book.logins)
        book.demand("I3", f"{stored} receipts, {left} assertions", holds=stored == left)

    @invariant()
    def every_identity_has_one_open_question(self) -> None:
        with self.world.house.store.view() as unit:
            rows = [unit.approvals.get(ApprovalId(a)) for a in self.world.ledger.asked]
        names = [ApprovalIdentity(a.identity) for a in rows if a.state in OPEN]
        holds = len(names) == len(set(names))
        self.world.ledger.demand("one_pending", "two open questions", holds=holds)

    def _login(self, back: int) -> Login:
        logins = self.world.ledger.logins
        return logins[-1 - back % len(logins)]

    def _asked(self, back: int) -> Asked:
        asked = list(self.world.ledger.asked.values())
        return asked[-1 - back % len(asked)]
