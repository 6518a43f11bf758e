"""The test's own book of what happened, and what must hold of it. It asks nothing of our code:
what was typed, tapped and sent is written down as it is done, and judged by rules of its own.

I1 no assertion without every step of its policy, in order, by one user in one browser
I2 no approval, request or invitation is consumed twice
I3 no assertion without a durable receipt and audit record (``watching.py`` looks at the store)
I4 one login yields one assertion at most
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from saml_idp.domain.policy import Policy

LOGIN_LIFETIME: Final = timedelta(minutes=10)
APPROVAL_LIFETIME: Final = timedelta(seconds=120)
SESSION_IDLE: Final = timedelta(hours=1)
PASSWORD, APPROVAL = "password", "approval"
_FACTORS: Final = ("MobileTwoFactorContract", "profile/mfa")
_PASSWORDS: Final = ("classes:Password", "PasswordProtectedTransport")


class Broken(AssertionError):
    """An invariant does not hold. ``name``: which."""

    def __init__(self, name: str, told: str) -> None:
        super().__init__(f"{name}: {told}")
        self.name = name


@dataclass(frozen=True)
class Done:
    """One step that the test saw pass: who did what, when, in which browser."""

    step: str
    user: str
    at: datetime
    jar: int
    symbols: int = 0
    device: str = ""
    approval: str = ""


@dataclass
class Asked:
    """A question that a login page showed."""

    approval_id: str
    owner: str | None  # None: a decoy
    login: "Login"
    symbols: str
    at: datetime
    known_browser: bool
    over: bool = False

    def is_open(self, now: datetime) -> bool:
        return not self.over and now < self.at + APPROVAL_LIFETIME


@dataclass
class SessionSeen:
    """A session cookie and the steps that earned it."""

    user: str
    steps: list[Done]
    used_at: datetime
    ends_at: datetime
    over: bool = False

    def is_live(self, now: datetime) -> bool:
        return not self.over and now < self.ends_at and now < self.used_at + SESSION_IDLE


@dataclass
class Login:
    """A login as the test began it."""

    attempt_id: str
    request_id: str
    provider: str
    jar: int
    began_at: datetime
    forced: bool
    adds_password: bool  # its requested context asks for a class that needs one
    plan: tuple[str, ...]
    session: str | None  # the cookie that it was begun, or came back, with
    done: list[Done] = field(default_factory=list)
    assertions: int = 0


@dataclass
class Count:
    """Failures in a row of one account, from one known browser or all others."""

    failures: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True)
class Assertion:
    """What the provider reads."""

    subject: str
    class_ref: str
    audience: str
    answers: str

    @classmethod
    def read(cls, xml: bytes) -> "Assertion":
        text = xml.decode()

        def only(pattern: str) -> str:
            (found,) = set(re.findall(pattern, text))
            return str(found)

        return cls(
            only(r"<saml:NameID[^>]*>([^<]+)<"),
            only(r"<saml:AuthnContextClassRef>([^<]+)<"),
            only(r"<saml:Audience>([^<]+)<"),
            only(r'InResponseTo="([^"]+)"'),
        )


@dataclass
class Ledger:
    """The book. ``watched``: the invariants that count; None: all."""

    watched: frozenset[str] | None = None
    logins: list[Login] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)
    sessions: dict[str, SessionSeen] = field(default_factory=dict)
    enabled: dict[str, bool] = field(default_factory=dict)
    live_devices: dict[str, str] = field(default_factory=dict)  # device → owner
    known: set[tuple[int, str]] = field(default_factory=set)  # jar, user
    counts: dict[tuple[str, int | None], Count] = field(default_factory=dict)
    granted: set[str] = field(default_factory=set)
    spent: set[str] = field(default_factory=set)
    answered: set[tuple[str, str]] = field(default_factory=set)
    invitations: set[str] = field(default_factory=set)

    def demand(self, name: str, told: str, *, holds: bool) -> None:
        """Raise ``Broken`` unless the invariant *name* holds, if it is watched."""
        if not holds and (self.watched is None or name in self.watched):
            raise Broken(name, told)

    # ---- what is seen before an assertion

    def ask(self, asked: Asked, now: datetime) -> None:
        """A page shows a new question."""
        login = asked.login
        for other in self.asked.values():
            if other.owner is None or other.owner != asked.owner or not other.is_open(now):
                continue
            self.demand(
                "one_pending",
                f"{asked.owner} is asked by two browsers",
                holds=other.login.jar == login.jar,
            )
            other.over = True
        if asked.owner is not None and PASSWORD in login.plan:
            # A session that ended since still counts for asking, and for nothing more: prove()
            # refuses the login that it carried.
            session = self.sessions.get(login.session) if login.session else None
            had = [*login.done, *(session.steps if session is not None else [])]
            self.demand(
                "asked_in_turn",
                f"{asked.owner} is asked before the password",
                holds=any(d.step == PASSWORD and d.user == asked.owner for d in had),
            )
        self.asked[asked.approval_id] = asked

    def grant(self, asked: Asked) -> None:
        """An answer was taken as a yes."""
        told = f"{asked.approval_id} is granted twice"
        self.demand("I2", told, holds=asked.approval_id not in self.granted)
        self.granted.add(asked.approval_id)
        asked.over = True

    def evaluate(self, user: str, known_jar: int | None, now: datetime, *, good: bool) -> None:
        """A password or a row of symbols was compared."""
        count = self.counts.setdefault((user, known_jar), Count())
        waited = now - count.last_at if count.last_at is not None else timedelta.max
        least = timedelta(minutes=15) if count.failures >= 20 else timedelta(seconds=1)
        self.demand(
            "throttle",
            f"{user}: try {count.failures + 1} after {waited}",
            holds=count.failures < 5 or waited >= least,
        )
        count.failures += not good
        count.last_at = None if good else now  # who waited and passed does not wait again

    def take_up(self, code: str) -> None:
        """A device was bound by an invitation."""
        self.demand("I2", "an invitation bound twice", holds=code not in self.invitations)
        self.invitations.add(code)

    # ---- an assertion

    def issued(
        self,
        login: Login,
        jar: int,
        cookie: str | None,
        assertion: Assertion,
        policy: Policy,
        now: datetime,
    ) -> list[Done]:
        """An assertion left for the provider; return the steps behind it."""
        user = assertion.subject
        self.demand("I4", f"{login.attempt_id} has two", holds=login.assertions == 0)
        login.assertions += 1
        answers = (login.provider, login.request_id)
        self.demand("I2", "a request is answered twice", holds=answers not in self.answered)
        self.answered.add(answers)
        told = "the assertion answers another provider or request"
        addressed = (assertion.audience, assertion.answers) == answers
        self.demand("I1", told, holds=addressed)
        self.demand("browser", "finished in another browser", holds=jar == login.jar)
        self.demand(
            "lifetime", "finished after its time", holds=now < login.began_at + LOGIN_LIFETIME
        )
        self.demand("I1", f"{user} is disabled", holds=self.enabled[user])
        steps = self._steps_behind(login, cookie, user, policy, now)
        self._check_class(assertion.class_ref, steps)
        fresh = {d.approval for d in steps if d in login.done and d.approval}
        self.demand("I2", "an approval is spent twice", holds=not fresh & self.spent)
        self.spent |= fresh
        return steps

    def _steps_behind(
        self, login: Login, cookie: str | None, user: str, policy: Policy, now: datetime
    ) -> list[Done]:
        needed = [PASSWORD] if policy.two_step or login.adds_password else []
        carried = self._carried(login, now) if cookie == login.session else []
        usable = [d for d in login.done if self._counts_now(d, login)]
        usable += [d for d in carried if not login.forced and now - d.at < policy.step_max_age]
        found: list[Done] = []
        for step in [*needed, APPROVAL]:
            fitting = [
                d
                for d in usable
                if (d.step, d.user) == (step, user)
                and (step == PASSWORD or d.symbols >= policy.access_symbols)
                and (not found or d.at >= found[-1].at)
            ]
            self.demand("I1", f"no {step} of {user} for {login.provider}", holds=bool(fitting))
            found += fitting[:1]
        return found

    def _counts_now(self, done: Done, login: Login) -> bool:
        """A step of this login counts while its browser is the login's and its device lives."""
        owner = self.live_devices.get(done.device)
        return done.jar == login.jar and (done.step == PASSWORD or owner == done.user)

    def _carried(self, login: Login, now: datetime) -> list[Done]:
        session = self.sessions.get(login.session) if login.session else None
        return session.steps if session is not None and session.is_live(now) else []

    def _check_class(self, class_ref: str, steps: list[Done]) -> None:
        had_password = any(d.step == PASSWORD for d in steps)
        strong = had_password and any(d.symbols >= 4 for d in steps)
        told = f"{class_ref} is more than was done"
        if class_ref.endswith(_FACTORS):
            self.demand("class", told, holds=strong)
        if class_ref.endswith(_PASSWORDS):
            self.demand("class", told, holds=had_password)
