"""Puts the house together: which adapter fills which port. Returns ``Idp``, an object of verbs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from saml_idp.adapters.db.store import DatabaseStore, open_store
from saml_idp.adapters.directory_db import DatabaseDirectory
from saml_idp.adapters.notifier import LogNotifier
from saml_idp.adapters.policy_files import PolicyFiles
from saml_idp.adapters.provider_files import ProviderFiles
from saml_idp.adapters.system import SystemClock, SystemEntropy
from saml_idp.crypto.keys import find_named_key, load_named_key, load_secret
from saml_idp.crypto.passwords import PasswordHasher
from saml_idp.domain.chain import SealKey
from saml_idp.domain.ids import EntityId
from saml_idp.domain.limits import Limits
from saml_idp.ports import Clock, Directory, Entropy
from saml_idp.saml.idp_metadata import write_idp_metadata
from saml_idp.saml.issuer import Issuer
from saml_idp.services.answer_approval import AnswerApproval
from saml_idp.services.ask_approval import AskApproval
from saml_idp.services.begin_login import BeginLogin
from saml_idp.services.change_login import CancelLogin, GiveName, RestartLogin
from saml_idp.services.check_password import CheckPassword
from saml_idp.services.enrol_device import EnrolDevice
from saml_idp.services.finish_login import FinishLogin
from saml_idp.services.housekeeping import KeepHouse
from saml_idp.services.list_approvals import ListApprovals
from saml_idp.services.recognise_device import RecogniseDevice
from saml_idp.services.resume_session import ResumeSession
from saml_idp.services.watch_login import WatchLogin
from saml_idp.settings import Settings


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
    begin_login: BeginLogin
    resume_session: ResumeSession
    check_password: CheckPassword
    give_name: GiveName
    restart_login: RestartLogin
    cancel_login: CancelLogin
    ask_approval: AskApproval
    watch_login: WatchLogin
    recognise_device: RecogniseDevice
    list_approvals: ListApprovals
    answer_approval: AnswerApproval
    enrol_device: EnrolDevice
    finish_login: FinishLogin
    keep_house: KeepHouse
    metadata: Callable[[], bytes]
