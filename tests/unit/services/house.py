"""The verbs of a login in one house, on a store of the test's choice: clock, chance and files are
fakes; crypto, the reader of requests and the writer of assertions are the real ones.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from saml_idp.adapters.directory_db import DatabaseDirectory
from saml_idp.crypto.device_keys import stored_public_key
from saml_idp.crypto.keys import SigningKey, load_signing_key, new_signing_key
from saml_idp.crypto.passwords import PasswordHasher
from saml_idp.crypto.symbol_box import open_symbols
from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.messages import Messages, OpenApproval, Verdict
from saml_idp.domain.approval import Approval
from saml_idp.domain.asking import ApprovalPage
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.browser import Browser
from saml_idp.domain.canonical import canonical_json
from saml_idp.domain.device import Device
from saml_idp.domain.errors import DeviceMessageRejected, Fault, LoginRefused, NotFound
from saml_idp.domain.ids import ApprovalId, Digest, EntityId, digest_of
from saml_idp.domain.limits import Limits
from saml_idp.domain.person import Person
from saml_idp.domain.policy import Policy
from saml_idp.domain.service_provider import AssertionConsumer, Binding, ServiceProvider
from saml_idp.ports.store import Store
from saml_idp.saml.bindings import InboundMessage, decode_post
from saml_idp.saml.instants import written_instant
from saml_idp.saml.issuer import Issuer
from saml_idp.services.administer_people import AdministerPeople
from saml_idp.services.answer_approval import AnswerApproval, Result
from saml_idp.services.ask_approval import AskApproval
from saml_idp.services.assign_identity import AssignIdentity
from saml_idp.services.begin_login import BeginLogin
from saml_idp.services.change_login import CancelLogin, GiveName, RestartLogin
from saml_idp.services.check_password import CheckPassword
from saml_idp.services.enrol_device import EnrolDevice, Enrolled
from saml_idp.services.find_login import FindLogin
from saml_idp.services.finish_login import Finished, FinishLogin
from saml_idp.services.housekeeping import KeepHouse
from saml_idp.services.list_approvals import ListApprovals
from saml_idp.services.recognise_device import RecogniseDevice
from saml_idp.services.resume_session import ResumeSession
from saml_idp.services.retire_device import RetireDevice
from saml_idp.services.watch_login import WatchLogin
from tests.build import IDP, NOW, ORIGIN, PROVIDER, SEAL_KEY, a_device, a_person, a_provider
from tests.fakes import FakeClock, FakeEntropy
from tests.unit.saml.messages import SSO, post_body, request_xml

LIMITS: Final = Limits(
    login_lifetime=timedelta(minutes=10),
    session_idle=timedelta(hours=1),
    session_whole=timedelta(hours=12),
    open_attempts=1000,
)


def password_of(name: str) -> str:
    """Return the password of the user *name*."""
    return f"the password of {name}"


class QuickHasher(PasswordHasher):
    """A hasher without work, so that a test can try ten thousand passwords."""

    def hash(self, password: str) -> str:
        return hashlib.sha256(password.encode()).hexdigest()

    def verify(self, stored: str | None, password: str) -> bool:
        return stored == self.hash(password)

    def needs_rehash(self, stored: str) -> bool:
        return False


class KnownProviders:
    """The provider registry; a test takes one away by ``del``."""

    def __init__(self, *providers: ServiceProvider) -> None:
        self.by_id = {p.entity_id: p for p in providers}

    def find(self, entity_id: EntityId) -> ServiceProvider | None:
        return self.by_id.get(entity_id)

    def __iter__(self) -> Iterator[ServiceProvider]:
        return iter(self.by_id.values())

    def faults(self) -> Sequence[Fault]:
        return ()


class KnownPolicies:
    """The policy book; None: the file is broken and no good version is known."""

    def __init__(self) -> None:
        self.by_id: dict[EntityId, Policy | None] = {}

    def policy_for(self, entity_id: EntityId) -> Policy:
        found = self.by_id.get(entity_id, Policy())
        if found is None:
            raise LoginRefused("the policy file is wrong", reason="policy_fault")
        return found

    def faults(self) -> Sequence[Fault]:
        return ()


@dataclass
class HeardNotifier:
    """Remembers whom it was to wake and what it was to tell."""

    woken: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    def wake(self, identity: str) -> None:
        self.woken.append(identity)

    def tell(self, person: Person, message: str, **values: str) -> None:
        self.told.append((person.username, message))


@dataclass
class Jar:
    """One browser with its cookies. ``session``: hash of the session cookie."""

    browser: Browser
    session: Digest | None = None


@dataclass(frozen=True)
class Phone:
    """A device with its private key."""

    device: Device
    key: DeviceKey

    def answer(self, approval: Approval, verdict: Verdict, symbols: str, *, now: datetime) -> str:
        messages = Messages(self.key, IDP)
        at = int(now.timestamp())
        shown = shown_on_device(approval)
        return messages.answer(self.device.device_id, shown, verdict, symbols=symbols, now=at)


def shown_on_device(approval: Approval) -> OpenApproval:
    """Return *approval* as the device channel shows it."""
    return OpenApproval(
        approval=approval.approval_id,
        attempt=approval.attempt_id or "",
        identity=approval.identity,
        provider=approval.provider,
        provider_name=approval.provider_name,
        nonce=approval.nonce,
        symbols_count=approval.symbols_count,
        place=approval.place,
        browser=approval.browser,
        requested_at=approval.created_at,
        expires_at=approval.expires_at,
        expires_in=0,
        trial=approval.attempt_id is None,
        other_browser_waiting=approval.other_browser_waiting,
    )


@cache
def idp_key() -> SigningKey:
    """Return the key that assertions of the tests are signed with, made once a process."""
    with tempfile.TemporaryDirectory() as folder:
        pair = new_signing_key("p-256", common_name="idp", days=30, now=NOW)
        key, certificate = Path(folder, "idp.key"), Path(folder, "idp.crt")
        key.write_bytes(pair.key)
        key.chmod(0o600)
        certificate.write_bytes(pair.certificate)
        return load_signing_key(key, certificate)


class House:
    """Every verb of a login, and short ways to call them as the web floor would."""

    def __init__(
        self, store: Store, *, providers: Sequence[ServiceProvider] = (), limits: Limits = LIMITS
    ) -> None:
        self.store = store
        self.clock = FakeClock(NOW)
        self.entropy = FakeEntropy()
        self.providers = KnownProviders(*(providers or (a_provider(),)))
        self.policies = KnownPolicies()
        self.notifier = HeardNotifier()
        self.limits = limits
        self.hasher = QuickHasher()
        self.directory = DatabaseDirectory(store, self.hasher)
        self._numbers = count(1)
        self.rebuild()

    def rebuild(self) -> None:
        """Put the verbs together from the parts as they are now."""
        store, policies, providers = self.store, self.policies, self.providers
        clock, entropy, key = self.clock, self.entropy, SEAL_KEY
        directory, notifier = self.directory, self.notifier
        self.begin_login = BeginLogin(
            store, providers, policies, clock, entropy, key, self.limits, IDP
        )
        self.resume_session = ResumeSession(store, policies, clock, key, self.limits.session_idle)
        self.find_login = FindLogin(store, clock)
        self.check_password = CheckPassword(store, directory, policies, clock, entropy, key)
        self.give_name = GiveName(store, directory, clock)
        self.restart_login = RestartLogin(store, clock)
        self.cancel_login = CancelLogin(store, clock)
        self.ask_approval = AskApproval(
            store, policies, clock, entropy, notifier, key, self._display_name
        )
        self.watch_login = WatchLogin(store, clock)
        self.recognise_device = RecogniseDevice(store, clock, IDP)
        self.list_approvals = ListApprovals(store, clock)
        self.answer_approval = AnswerApproval(store, policies, clock, notifier, key, IDP)
        self.finish_login = FinishLogin(
            store,
            providers,
            policies,
            Issuer(IDP, idp_key()),
            clock,
            entropy,
            key,
            self.limits,
        )
        self.people = AdministerPeople(store, clock, entropy, self.hasher, notifier)
        self.assign_identity = AssignIdentity(
            store, clock, entropy, notifier, "https://idp.example.org"
        )
        self.enrol_device = EnrolDevice(store, directory, clock, entropy, notifier, key, IDP)
        self.retire_device = RetireDevice(store, clock, notifier)
        self.keep_house = KeepHouse(store, clock)

    def _display_name(self, entity_id: EntityId) -> str:
        found = self.providers.find(entity_id)
        return found.display_name("en") if found is not None else entity_id

    # ---- who is there

    def add_person(self, name: str = "alice", **changes: object) -> Person:
        """Store the user *name* with the password ``password_of(name)``."""
        person = a_person(name, **changes)
        with self.store.unit() as unit:
            unit.people.add(person, self.hasher.hash(password_of(name)))
        return person

    def add_phone(self, name: str = "alice", *, number: int = 1, **changes: object) -> Phone:
        """Store a live device of the user *name*, enrolled before now."""
        key = DeviceKey.generate()
        public = stored_public_key(canonical_json(key.public_jwk()).decode()).jwk
        device = a_device(name, number, public_key=public, **changes)
        with self.store.unit() as unit:
            unit.devices.add(device)
        return Phone(device, key)

    def a_jar(self) -> Jar:
        """Return a browser that nobody has used."""
        return Jar(Browser(f"{next(self._numbers):027d}"))

    # ---- the road of a login

    def message(
        self,
        provider: str = PROVIDER,
        *,
        request_id: str | None = None,
        attributes: str = "",
        rest: str = "",
    ) -> InboundMessage:
        """Return an AuthnRequest of *provider* by HTTP-POST, unsigned, of this moment."""
        known = self.providers.find(EntityId(provider))
        xml = request_xml(
            ID=request_id or f"_request-{next(self._numbers)}",
            IssueInstant=written_instant(self.clock.now()),
            AssertionConsumerServiceURL=known.consumers[0].location if known else "",
            issuer=f"<saml:Issuer>{provider}</saml:Issuer>",
            attributes=attributes,
            rest=rest,
        )
        return decode_post(post_body(xml, relay_state="state"))

    def begin(
        self,
        jar: Jar,
        provider: str = PROVIDER,
        *,
        message: InboundMessage | None = None,
        cookies_were_sent: bool = True,
        **request: str,
    ) -> LoginAttempt:
        return self.begin_login(
            lambda: message or self.message(provider, **request),
            endpoint=SSO,
            browser=jar.browser,
            session_secret=jar.session,
            cookies_were_sent=cookies_were_sent,
            origin=ORIGIN,
        )

    def resume(self, attempt: LoginAttempt, jar: Jar) -> LoginAttempt:
        return self.resume_session(
            attempt.attempt_id, browser=jar.browser, session_secret=jar.session, origin=ORIGIN
        )

    def password(
        self, attempt: LoginAttempt, jar: Jar, name: str = "alice", password: str | None = None
    ) -> LoginAttempt:
        given = password_of(name) if password is None else password
        return self.check_password(
            attempt.attempt_id, username=name, password=given, browser=jar.browser, origin=ORIGIN
        )

    def ask(self, attempt: LoginAttempt, jar: Jar, *, again: bool = False) -> ApprovalPage:
        return self.ask_approval(
            attempt.attempt_id, again=again, browser=jar.browser, origin=ORIGIN
        )

    def answer(
        self,
        phone: Phone,
        approval_id: str,
        symbols: str | None = None,
        verdict: Verdict = Verdict.APPROVE,
    ) -> Result:
        """Let *phone* answer; *symbols* None: those of the login page."""
        approval = self.approval(approval_id)
        given = self.symbols_of(approval) if symbols is None else symbols
        message = phone.answer(approval, verdict, given, now=self.clock.now())
        return self.answer_approval(phone.device, approval.approval_id, message, origin=ORIGIN)

    def answer_refused(self, phone: Phone, approval_id: str, symbols: str | None = None) -> str:
        """Return why the yes of *phone* is refused."""
        with pytest.raises(DeviceMessageRejected) as refused:
            self.answer(phone, approval_id, symbols)
        return refused.value.reason

    def enrol(self, code: str, key: DeviceKey, *, password: str | None = None) -> Enrolled:
        """Take up an invitation of alice with *key*."""
        now = int(self.clock.now().timestamp())
        message = Messages(key, IDP).enrolment(code, "new phone", now=now)
        given = password_of("alice") if password is None else password
        return self.enrol_device(message, password=given, origin=ORIGIN)

    def finish(self, attempt: LoginAttempt, jar: Jar, *, is_stored: bool | None = None) -> Finished:
        """Finish as the web floor does; the jar keeps the cookies that the answer sets."""
        secret = digest_of(f"cookie {next(self._numbers)}")
        stored = self.is_stored(attempt) if is_stored is None else is_stored
        finished = self.finish_login(
            attempt,
            is_stored=stored,
            session_secret=jar.session,
            new_session_secret=secret,
            origin=ORIGIN,
        )
        if finished.session_started:
            jar.session = secret
        jar.browser = jar.browser.after_login(finished.person.user_id)
        return finished

    def log_in(
        self, jar: Jar, phone: Phone, provider: str = PROVIDER, *, name: str = "alice"
    ) -> Finished:
        """Go the whole road of a login in *jar*, as far as it is still to be gone."""
        attempt = self.begin(jar, provider)
        if attempt.state is State.AWAITING_PASSWORD:
            attempt = self.password(attempt, jar, name)
        elif attempt.state is State.AWAITING_NAME:
            attempt = self.give_name(attempt.attempt_id, name)
        if attempt.state is State.AWAITING_APPROVAL:
            self.answer(phone, self.ask(attempt, jar).approval_id)
            attempt = self.stored(attempt)
        return self.finish(attempt, jar)

    # ---- what is stored

    def stored(self, attempt: LoginAttempt) -> LoginAttempt:
        with self.store.view() as unit:
            return unit.attempts.get(attempt.attempt_id)

    def is_stored(self, attempt: LoginAttempt) -> bool:
        try:
            self.stored(attempt)
        except NotFound:
            return False
        return True

    def approval(self, approval_id: str) -> Approval:
        with self.store.view() as unit:
            return unit.approvals.get(ApprovalId(approval_id))

    def symbols_of(self, approval: Approval) -> str:
        return open_symbols(SEAL_KEY, approval.approval_id, approval.symbols)

    def events(self) -> list[tuple[str, str]]:
        """Return every audit event with its reason, oldest first."""
        with self.store.view() as unit:
            found = unit.audit.read(limit=10_000, newest_first=False)
        return [(str(r.record.event), r.record.reason) for r in found]


def another_provider(number: int) -> ServiceProvider:
    """Return one more provider, with an ACS of its own."""
    base = f"https://sp{number}.example.org"
    consumer = AssertionConsumer(f"{base}/acs", Binding.POST, 0, is_default=True)
    return replace(a_provider(f"{base}/metadata"), consumers=(consumer,))
