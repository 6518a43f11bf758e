"""Puts the house together: which adapter fills which port. Returns ``Idp``, an object of verbs."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from saml_idp.adapters.db.store import DatabaseStore, open_store
from saml_idp.adapters.directory_db import DatabaseDirectory
from saml_idp.adapters.notifier import BackgroundNotifier, LogNotifier
from saml_idp.adapters.policy_files import PolicyFileChange, PolicyFiles
from saml_idp.adapters.provider_files import MetadataChange, ProviderFiles
from saml_idp.adapters.system import SystemClock, SystemEntropy
from saml_idp.crypto.keys import (
    ASSERTION_ACTIVE,
    ASSERTION_NEXT,
    METADATA,
    SigningKey,
    find_named_key,
    load_named_key,
    load_secret,
)
from saml_idp.crypto.passwords import PasswordHasher
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.chain import SealKey
from saml_idp.domain.errors import Fault, IdpError
from saml_idp.domain.ids import EntityId
from saml_idp.ports.people import Directory
from saml_idp.ports.system import Clock, Entropy
from saml_idp.saml.idp_metadata import Described, write_idp_metadata
from saml_idp.saml.issuer import Issuer
from saml_idp.services.add_provider import AddProvider
from saml_idp.services.administer_people import AdministerPeople
from saml_idp.services.answer_approval import AnswerApproval
from saml_idp.services.ask_approval import AskApproval
from saml_idp.services.assign_identity import AssignIdentity
from saml_idp.services.begin_login import BeginLogin
from saml_idp.services.change_login import CancelLogin, GiveName, RestartLogin
from saml_idp.services.change_policy import ChangePolicy
from saml_idp.services.check_password import CheckPassword
from saml_idp.services.enrol_device import EnrolDevice
from saml_idp.services.find_login import FindLogin
from saml_idp.services.find_people import FindPeople
from saml_idp.services.finish_login import FinishLogin
from saml_idp.services.housekeeping import KeepHouse
from saml_idp.services.list_approvals import ListApprovals
from saml_idp.services.read_audit import ReadAudit
from saml_idp.services.recognise_device import RecogniseDevice
from saml_idp.services.record_change import RecordChange
from saml_idp.services.record_fault import RecordFault
from saml_idp.services.resume_session import ResumeSession
from saml_idp.services.retire_device import RetireDevice
from saml_idp.services.verify_receipt import VerifyReceipt
from saml_idp.services.watch_login import WatchLogin
from saml_idp.settings import Settings

METADATA_VALIDITY = timedelta(days=7)
METADATA_CACHE = timedelta(hours=6)
HOUSEKEEPING_SECONDS = 20
HOUSEKEEPING_BUSY = 500  # rows in one round: more is waiting

_log = structlog.get_logger("saml_idp.house")


@dataclass(frozen=True, slots=True)
class Idp:
    """The whole product as one value: settings, stores and the verbs."""

    settings: Settings
    store: DatabaseStore
    providers: ProviderFiles
    policies: PolicyFiles
    directory: Directory
    clock: Clock
    entropy: Entropy
    cookie_key: bytes = field(repr=False)
    metadata: Callable[[], bytes]
    # the road of a login
    begin_login: BeginLogin
    resume_session: ResumeSession
    find_login: FindLogin
    check_password: CheckPassword
    give_name: GiveName
    restart_login: RestartLogin
    cancel_login: CancelLogin
    ask_approval: AskApproval
    watch_login: WatchLogin
    recognise_device: RecogniseDevice
    list_approvals: ListApprovals
    answer_approval: AnswerApproval
    finish_login: FinishLogin
    # people, IDs, devices
    find_people: FindPeople
    people: AdministerPeople
    assign_identity: AssignIdentity
    enrol_device: EnrolDevice
    retire_device: RetireDevice
    # policies and services
    change_policy: ChangePolicy
    add_provider: AddProvider
    # the auditor
    read_audit: ReadAudit
    verify_receipt: VerifyReceipt
    record_fault: RecordFault
    keep_house: KeepHouse

    def watch_files(self) -> None:
        """Follow ``metadata/`` and ``policies/`` from now on."""
        self.providers.watch()
        self.policies.watch()

    def run_housekeeping(self) -> None:
        """Keep house in rounds, for as long as the process lives; for a thread of its own.

        A database that is down is no reason to stop: the next round finds it up again.
        """
        while True:
            time.sleep(HOUSEKEEPING_SECONDS)
            try:
                while self.keep_house() >= HOUSEKEEPING_BUSY:
                    time.sleep(1)
            except IdpError as error:
                _log.warning("housekeeping", code=error.code, message=str(error))

    def is_not_ready(self) -> Sequence[str]:
        """Return why this node cannot sign people in now; empty when it can."""
        try:
            with self.store.view() as unit:
                unit.audit.read(limit=1)
        except IdpError as error:
            return (f"database: {error}",)
        return ()


def build(settings: Settings, *, clock: Clock | None = None, entropy: Entropy | None = None) -> Idp:
    """Return the product, ready to serve; files are read, nothing is followed yet.

    Raises:
        ConfigurationError: a key is missing, readable by others or too weak.
    """
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    keys, notifier = settings.keys_dir, BackgroundNotifier(LogNotifier())
    seal_key = SealKey(load_secret(keys / "seal.key"))
    active = load_named_key(keys, ASSERTION_ACTIVE)
    store = open_store(settings.database_url, node=settings.node, pool_size=settings.threads + 2)
    hasher = PasswordHasher(memory_kib=settings.argon2_memory_kib, time_cost=settings.argon2_time)
    directory = DatabaseDirectory(store, hasher)
    recording = RecordChange(store, clock)
    providers = _providers(settings, clock, recording)
    policies = _policies(settings, store, recording)
    entity_id, limits = settings.entity_id, settings.limits
    return Idp(
        settings=settings,
        store=store,
        providers=providers,
        policies=policies,
        directory=directory,
        clock=clock,
        entropy=entropy,
        cookie_key=load_secret(keys / "cookie.key"),
        metadata=_metadata(settings, clock, active),
        begin_login=BeginLogin(
            store, providers, policies, clock, entropy, seal_key, limits, entity_id
        ),
        resume_session=ResumeSession(store, policies, clock, seal_key, limits.session_idle),
        find_login=FindLogin(store, clock),
        check_password=CheckPassword(store, directory, policies, clock, entropy, seal_key),
        give_name=GiveName(store, directory, clock),
        restart_login=RestartLogin(store, clock),
        cancel_login=CancelLogin(store, clock),
        ask_approval=AskApproval(
            store, policies, clock, entropy, notifier, seal_key, _display_name(providers)
        ),
        watch_login=WatchLogin(store, clock),
        recognise_device=RecogniseDevice(store, clock, entity_id),
        list_approvals=ListApprovals(store, clock),
        answer_approval=AnswerApproval(store, policies, clock, notifier, seal_key, entity_id),
        finish_login=FinishLogin(
            store,
            providers,
            policies,
            Issuer(entity_id, active),
            clock,
            entropy,
            seal_key,
            limits,
        ),
        find_people=FindPeople(store),
        people=AdministerPeople(store, clock, entropy, hasher, notifier),
        assign_identity=AssignIdentity(store, clock, entropy, notifier, settings.base_url),
        enrol_device=EnrolDevice(store, directory, clock, entropy, notifier, seal_key, entity_id),
        retire_device=RetireDevice(store, clock, notifier),
        change_policy=ChangePolicy(store, policies, clock),
        add_provider=AddProvider(store, providers, clock),
        read_audit=ReadAudit(store),
        verify_receipt=VerifyReceipt(store, seal_key, entity_id),
        record_fault=RecordFault(store, clock),
        keep_house=KeepHouse(store, clock),
    )


def _providers(settings: Settings, clock: Clock, recording: RecordChange) -> ProviderFiles:
    def changed(change: MetadataChange) -> None:
        recording(AuditEvent.METADATA_CHANGED, file=change.file, sha256=change.sha256,
                  details={"added": [*change.added], "removed": [*change.removed]})  # fmt: skip

    def at_fault(faults: Sequence[Fault]) -> None:
        recording.faults(AuditEvent.METADATA_FAULT, faults)

    return ProviderFiles(
        settings.metadata_dir,
        allow_http_loopback=settings.development,
        clock=clock,
        on_change=changed,
        on_faults=at_fault,
    )


def _policies(settings: Settings, store: DatabaseStore, recording: RecordChange) -> PolicyFiles:
    def has_ready_administrator() -> bool:
        with store.view() as unit:
            return unit.people.count_ready_administrators() > 0

    def changed(change: PolicyFileChange) -> None:
        recording(AuditEvent.POLICY_CHANGED, file=change.file, sha256=change.sha256,
                  details={"loosened": list(change.loosened)})  # fmt: skip

    def at_fault(faults: Sequence[Fault]) -> None:
        recording.faults(AuditEvent.POLICY_FAULT, faults)

    return PolicyFiles(
        settings.policies_dir,
        lock_out_guard=has_ready_administrator,
        on_change=changed,
        on_faults=at_fault,
    )


def _display_name(providers: ProviderFiles) -> Callable[[EntityId], str]:
    def display_name(entity_id: EntityId) -> str:
        provider = providers.find(entity_id)
        return provider.display_name("en") if provider is not None else entity_id

    return display_name


def _metadata(settings: Settings, clock: Clock, active: SigningKey) -> Callable[[], bytes]:
    """Return the maker of our metadata: signed once an hour, equal octets in between."""
    keys = settings.keys_dir
    metadata_key = load_named_key(keys, METADATA)
    signing = [active, find_named_key(keys, ASSERTION_NEXT)]
    described = Described(
        entity_id=settings.entity_id,
        sso_url=f"{settings.base_url}/saml/sso",
        certificates=[key.certificate for key in signing if key is not None],
        display_names=[("en", settings.organisation_name)],
        error_url=settings.help_url,
        contact=settings.contact_email,
    )
    lock = threading.Lock()
    made: dict[datetime, bytes] = {}

    def metadata() -> bytes:
        hour = clock.now().replace(minute=0, second=0, microsecond=0)
        with lock:
            if hour not in made:
                made.clear()
                made[hour] = write_idp_metadata(
                    described,
                    key=metadata_key,
                    valid_until=hour + METADATA_VALIDITY,
                    cache_duration=METADATA_CACHE,
                )
            return made[hour]

    return metadata
