"""Several users with phones, browsers and providers around one house. Each act goes through the
real verbs, as the web floor calls them, and is written into the ledger as the test sees it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.messages import Verdict
from saml_idp.domain.asking import ApprovalView
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.errors import DeviceMessageRejected, IdpError, Throttled
from saml_idp.domain.ids import ApprovalId, AttemptId, EntityId
from saml_idp.domain.policy import Policy
from saml_idp.ports.store import Store
from saml_idp.saml.bindings import InboundMessage
from saml_idp.services.answer_approval import Result
from tests.build import ORIGIN, a_policy
from tests.flows.model.ledger import APPROVAL, PASSWORD, Asked, Assertion, Done, Ledger, Login
from tests.flows.model.ledger import SessionSeen as Seen
from tests.flows.model.watching import WatchedIssuer, check_record
from tests.unit.services.house import House, Jar, Phone, another_provider, password_of

USERS: Final = ("alice", "bob", "mallory")
JARS: Final = 3
POLICIES: Final = (
    a_policy(),
    a_policy(two_step=False),
    a_policy(step_max_age=timedelta(0)),
    a_policy(access_symbols=6),
    a_policy(access_symbols=2),
    a_policy(step_max_age=timedelta(seconds=60)),
)
PROVIDERS: Final = tuple(another_provider(number) for number in range(len(POLICIES)))
KINDS: Final = {
    "plain": "",
    "forced": 'ForceAuthn="true"',
    "passive": 'IsPassive="true"',
    "password": "",  # asks for a class that needs a password
}
_CONTEXT: Final = (
    '<samlp:RequestedAuthnContext Comparison="exact"><saml:AuthnContextClassRef>'
    "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    "</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"
)


@dataclass
class Sent:
    """An answer that a phone signed, kept for a replay."""

    phone: Phone
    approval_id: str
    message: str


class World:
    """The house and everybody around it."""

    def __init__(self, store: Store, *, watched: frozenset[str] | None = None) -> None:
        self.ledger = Ledger(watched)
        self.house = House(store, providers=PROVIDERS)
        self.house.policies.by_id = {
            p.entity_id: policy for p, policy in zip(PROVIDERS, POLICIES, strict=True)
        }
        self.restart_process()
        self.jars = [self.house.a_jar() for _ in range(JARS)]
        self.phones: list[Phone] = []
        # A complete login as a slow request still has it, and whether it is stored.
        self.snapshots: dict[str, tuple[LoginAttempt, bool]] = {}
        self.messages: dict[str, InboundMessage] = {}
        self.sent: list[Sent] = []
        self.codes: list[tuple[str, str]] = []
        for user in USERS:
            self.house.add_person(user)
            self.ledger.enabled[user] = True
            self._keep(self.house.add_phone(user), user)

    def restart_process(self) -> None:
        """Put the verbs together anew: what is not in the store is forgotten."""
        self.house.rebuild()
        finish = self.house.finish_login
        issuer = WatchedIssuer(finish.issuer, self.house.store, self.ledger)
        self.house.finish_login = replace(finish, issuer=issuer)  # type: ignore[arg-type]

    # ---- a browser

    def begin(
        self, jar: int, provider: int, kind: str = "plain", *, cross_site: bool = False
    ) -> Login | None:
        known = PROVIDERS[provider]
        message = self.house.message(
            known.entity_id,
            attributes=KINDS[kind],
            rest=_CONTEXT if kind == "password" else "",
        )
        return self._begin(jar, message, known.entity_id, kind, cross_site=cross_site)

    def begin_again(self, login: Login, jar: int) -> Login | None:
        """Send the same request once more, from any browser."""
        message = self.messages[login.request_id]
        kind = "forced" if login.forced else "password" if login.adds_password else "plain"
        return self._begin(jar, message, login.provider, kind, cross_site=False)

    def _begin(
        self, jar: int, message: InboundMessage, provider: str, kind: str, *, cross_site: bool
    ) -> Login | None:
        sender = self.jars[jar]
        try:
            attempt = self.house.begin(sender, message=message, cookies_were_sent=not cross_site)
        except IdpError:
            return None
        policy = self._policy(provider)
        adds = kind == "password"
        login = Login(
            attempt_id=attempt.attempt_id,
            request_id=attempt.request.request_id or "",
            provider=provider,
            jar=jar,
            began_at=self.house.clock.now(),
            forced=kind == "forced",
            adds_password=adds,
            plan=(PASSWORD, APPROVAL) if policy.two_step or adds else (APPROVAL,),
            session=None if cross_site else sender.session,
        )
        self.messages[login.request_id] = message
        self.ledger.logins.append(login)
        if attempt.state is State.CHAIN_COMPLETE:
            self.snapshots[login.attempt_id] = (attempt, False)
        return login

    def come_back(self, login: Login, jar: int) -> None:
        """Follow the redirect after a cross-site POST."""
        attempt = self._mine(login, jar)
        if attempt is None or attempt.state is not State.OPENED:
            return
        try:
            self.house.resume(attempt, self.jars[jar])
        except IdpError:
            return
        login.session = self.jars[jar].session
        policy = self._policy(login.provider)
        two = policy.two_step or login.adds_password
        login.plan = (PASSWORD, APPROVAL) if two else (APPROVAL,)

    def type_password(self, login: Login, jar: int, user: str, *, right: bool = True) -> None:
        attempt = self._mine(login, jar)
        if attempt is None:
            return
        known_jar = jar if (jar, user) in self.ledger.known else None
        now = self.house.clock.now()
        try:
            moved = self.house.password(
                attempt, self.jars[jar], user, password_of(user) if right else "wrong"
            )
        except IdpError:
            return
        accepted = moved.state is not State.AWAITING_PASSWORD
        self.ledger.evaluate(user, known_jar, now, good=accepted)
        if accepted and right:
            login.done.append(Done(PASSWORD, user, now, jar))

    def give_name(self, login: Login, jar: int, user: str) -> None:
        if self._mine(login, jar) is not None:
            self._tried(lambda: self.house.give_name(AttemptId(login.attempt_id), user))

    def see_approval(self, login: Login, jar: int, *, again: bool = False) -> Asked | None:
        """Look at the approval page; the first time, it asks."""
        attempt = self._mine(login, jar)
        if attempt is None:
            return None
        try:
            page = self.house.ask(attempt, self.jars[jar], again=again)
        except IdpError:
            return None
        if page.view is not ApprovalView.ASKED:
            return None
        if page.approval_id in self.ledger.asked:
            return self.ledger.asked[page.approval_id]
        user_id = self.house.approval(page.approval_id).user_id
        owner = user_id.removeprefix("u-") if user_id is not None else None
        asked = Asked(
            page.approval_id,
            owner,
            login,
            page.symbols,
            self.house.clock.now(),
            known_browser=owner is not None and (jar, owner) in self.ledger.known,
        )
        self.ledger.ask(asked, self.house.clock.now())
        return asked

    def restart(self, login: Login, jar: int) -> None:
        if self._mine(login, jar) is None:
            return
        attempt_id = AttemptId(login.attempt_id)
        if self._tried(lambda: self.house.restart_login(attempt_id, origin=ORIGIN)):
            login.done.clear()
            self._end_questions(lambda asked: asked.login is login)

    def cancel(self, login: Login, jar: int) -> None:
        if self._mine(login, jar) is None:
            return
        attempt_id = AttemptId(login.attempt_id)
        if self._tried(lambda: self.house.cancel_login(attempt_id, origin=ORIGIN)):
            self._end_questions(lambda asked: asked.login is login)

    def finish(self, login: Login, jar: int) -> bool:
        """Go on to the provider, if the login is complete in this browser."""
        attempt = self._mine(login, jar)
        if attempt is None and login.attempt_id in self.snapshots:
            return self.finish_once_more(login) if jar == login.jar else False
        if attempt is None or attempt.state is not State.CHAIN_COMPLETE:
            return False
        self.snapshots[login.attempt_id] = (attempt, True)
        return self._finish(login, jar, attempt, is_stored=True)

    def finish_once_more(self, login: Login) -> bool:
        """Submit the same form twice: the second request has read the login before the first."""
        if login.attempt_id not in self.snapshots:
            return False
        attempt, is_stored = self.snapshots[login.attempt_id]
        return self._finish(login, login.jar, attempt, is_stored=is_stored)

    def _finish(self, login: Login, jar: int, attempt: LoginAttempt, *, is_stored: bool) -> bool:
        sender, now = self.jars[jar], self.house.clock.now()
        cookie = sender.session
        try:
            finished = self.house.finish(attempt, sender, is_stored=is_stored)
        except IdpError:
            return False
        check_record(self.house.store, self.ledger, finished.response.assertion_id)
        assertion = Assertion.read(finished.response.xml)
        policy = self._policy(login.provider)
        steps = self.ledger.issued(login, jar, cookie, assertion, policy, now)
        old = self.ledger.sessions.get(cookie) if cookie else None
        if finished.session_started and sender.session is not None:
            was_carried = old is not None and any(d in old.steps for d in steps)
            ends_at = old.ends_at if old is not None and was_carried else now + timedelta(hours=12)
            self.ledger.sessions[sender.session] = Seen(assertion.subject, steps, now, ends_at)
            if old is not None:
                old.over = True
            for key in [k for k in self.ledger.counts if k[0] == assertion.subject]:
                del self.ledger.counts[key]
        elif old is not None:
            old.used_at = now
        self.ledger.known.add((jar, assertion.subject))
        return True

    # ---- a phone

    def answer(self, asked: Asked, phone: Phone, how: str = "right") -> None:
        """Let *phone* answer: right, wrong, deny or not-me."""
        approval = self.house.approval(asked.approval_id)
        wrong = asked.symbols[1:] + asked.symbols[:1]
        verdict = {"deny": Verdict.DENY, "not-me": Verdict.NOT_ME}.get(how, Verdict.APPROVE)
        typed = wrong if how == "wrong" else asked.symbols
        message = phone.answer(approval, verdict, typed, now=self.house.clock.now())
        self.sent.append(Sent(phone, asked.approval_id, message))
        self._send(self.sent[-1], asked, how)

    def replay(self, sent: Sent) -> None:
        """Send an answer once more, octet for octet."""
        self._send(sent, self.ledger.asked[sent.approval_id], "right")

    def _send(self, sent: Sent, asked: Asked, how: str) -> None:
        now, approval_id = self.house.clock.now(), ApprovalId(sent.approval_id)
        try:
            result = self.house.answer_approval(
                sent.phone.device, approval_id, sent.message, origin=ORIGIN
            )
        except DeviceMessageRejected:
            return
        owner = sent.phone.device.user_id.removeprefix("u-")
        known_jar = asked.login.jar if asked.known_browser else None
        if result in (Result.GRANTED, Result.FAILED) and how in ("right", "wrong"):
            good = result is Result.GRANTED
            self.ledger.evaluate(asked.owner or owner, known_jar, now, good=good)
        if result is Result.OVER:
            return
        asked.over = True
        if result is not Result.GRANTED:
            return
        self.ledger.grant(asked)
        if how == "right" and now < asked.at + timedelta(seconds=120):
            device = sent.phone.device.device_id
            asked.login.done.append(
                Done(
                    APPROVAL,
                    owner,
                    now,
                    asked.login.jar,
                    len(asked.symbols),
                    device,
                    asked.approval_id,
                )
            )

    def fetch(self, phone: Phone) -> None:
        self.house.list_approvals(phone.device)

    # ---- an administrator, an operator, and time

    def set_policy(self, provider: int, policy: Policy) -> None:
        self.house.policies.by_id[PROVIDERS[provider].entity_id] = policy

    def disable(self, user: str) -> None:
        owner = f"u-{user}"
        if self._tried(lambda: self.house.people.disable(owner, origin=ORIGIN)):  # type: ignore[arg-type]
            self.ledger.enabled[user] = False
            self._end_all_of(user)

    def enable(self, user: str) -> None:
        owner = f"u-{user}"
        if self._tried(lambda: self.house.people.enable(owner, origin=ORIGIN)):  # type: ignore[arg-type]
            self.ledger.enabled[user] = True

    def retire(self, phone: Phone) -> None:
        device = phone.device
        if self._tried(lambda: self.house.retire_device(device.device_id, origin=ORIGIN)):
            self.ledger.live_devices.pop(device.device_id, None)
            self._end_all_of(device.user_id.removeprefix("u-"))

    def invite(self, user: str) -> None:
        owner = f"u-{user}"
        try:
            invitation = self.house.assign_identity(owner, origin=ORIGIN)  # type: ignore[arg-type]
        except IdpError:
            return
        self.codes.append((user, invitation.code))

    def enrol(self, code: tuple[str, str], *, right: bool = True) -> None:
        user, secret = code
        key, now = DeviceKey.generate(), self.house.clock.now()
        password = password_of(user) if right else "wrong"
        try:
            enrolled = self.house.enrol(secret, key, password=password)
        except DeviceMessageRejected as rejected:
            if rejected.reason == "wrong_password":
                self.ledger.evaluate(user, None, now, good=False)
            return
        except Throttled:
            return
        self.ledger.evaluate(user, None, now, good=True)
        self.ledger.take_up(secret)
        self._keep(Phone(enrolled.device, key), user)

    def sweep(self) -> None:
        self.house.keep_house()

    def drop_cookies(self, jar: int) -> None:
        self.jars[jar] = Jar(self.jars[jar].browser)

    def advance(self, seconds: int) -> None:
        self.house.clock.advance(seconds=seconds)

    # ---- the book

    def _mine(self, login: Login, jar: int) -> LoginAttempt | None:
        """Return the login as this browser may see it, as every page asks first."""
        digest = self.jars[jar].browser.digest
        try:
            return self.house.find_login(AttemptId(login.attempt_id), browser=digest)
        except IdpError:
            return None

    def _policy(self, provider: str) -> Policy:
        return self.house.policies.policy_for(EntityId(provider))

    def _keep(self, phone: Phone, user: str) -> None:
        self.phones.append(phone)
        self.ledger.live_devices[phone.device.device_id] = user

    def _end_questions(self, chosen: Callable[[Asked], bool]) -> None:
        for asked in self.ledger.asked.values():
            asked.over = asked.over or chosen(asked)

    def _end_all_of(self, user: str) -> None:
        self._end_questions(lambda asked: asked.owner == user)
        for session in self.ledger.sessions.values():
            session.over = session.over or session.user == user

    @staticmethod
    def _tried(act: Callable[[], object]) -> bool:
        try:
            act()
        except IdpError:
            return False
        return True
