"""What an operator has to know of an installation: each part checked, each fault with its mend.

Works without a running server, and where ``bootstrap.build`` would already refuse.
"""

import os
import shutil
import ssl
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Final

from saml_idp.adapters.db import schema
from saml_idp.adapters.db.store import open_store, parsed_url
from saml_idp.adapters.policy_files import PolicyFiles
from saml_idp.adapters.provider_files import ProviderFiles
from saml_idp.adapters.system import SystemClock
from saml_idp.crypto.keys import (
    ASSERTION_ACTIVE,
    ASSERTION_NEXT,
    METADATA,
    SigningKey,
    find_named_key,
    load_named_key,
    load_secret,
)
from saml_idp.domain.errors import ConfigurationError, IdpError
from saml_idp.saml.signatures import sign, verified
from saml_idp.saml.xml import parse, serialize
from saml_idp.settings import Settings

EXPIRY_WARNING: Final = timedelta(days=30)
CLOCK_TOLERANCE: Final = timedelta(seconds=2)
LITTLE_SPACE: Final = 2 * 1024**3
NO_SPACE: Final = 128 * 1024**2


class Standing(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. ``mend``: what to do, a command to the operator; empty when ok."""

    check: str
    standing: Standing
    told: str
    mend: str = ""


Findings = Iterator[Finding]


def diagnose(settings: Settings) -> tuple[Finding, ...]:
    """Return what every check finds, in the order in which things are to be mended."""
    now = SystemClock().now()
    checks: tuple[tuple[str, Callable[[Settings, datetime], Findings]], ...] = (
        ("settings", _settings),
        ("versions", _versions),
        ("keys", _keys),
        ("signatures", _signatures),
        ("database", _database),
        ("disk", _disk),
        ("clock", _clock),
        ("metadata", _metadata),
        ("policies", _policies),
        ("administrators", _administrators),
    )
    return tuple(finding for name, check in checks for finding in _run(name, check, settings, now))


def obstacles(settings: Settings) -> tuple[Finding, ...]:
    """Return what a server must not start with: keys that are open or missing, a database
    that is not there or behind.
    """
    now = SystemClock().now()
    found = (*_run("keys", _keys, settings, now), *_run("database", _database, settings, now))
    return tuple(f for f in found if f.standing is Standing.FAILED)


def _run(
    name: str,
    check: Callable[[Settings, datetime], Findings],
    settings: Settings,
    now: datetime,
) -> list[Finding]:
    """Return the findings of *check*; an error of it is one of them."""
    found: list[Finding] = []
    try:
        found.extend(check(settings, now))
    except ConfigurationError as error:
        for fault in error.faults:
            place = f"{fault.file}: {fault.problem}"
            found.append(Finding(name, Standing.FAILED, place, fault.mend))
    except (IdpError, OSError) as error:
        found.append(Finding(name, Standing.FAILED, str(error), "see the finding above"))
    return found


def _settings(settings: Settings, now: datetime) -> Findings:  # noqa: ARG001 - a check's signature
    told = str(settings.file) if settings.file is not None else "from the environment alone"
    yield Finding("settings", Standing.OK, f"{told}; {settings.base_url}")
    if settings.development:
        yield Finding(
            "settings",
            Standing.WARNING,
            "development is on: http to this machine is accepted",
            "take development out of the settings before anyone else uses it",
        )
    path = settings.file
    if path is not None and stat.S_IMODE(path.stat().st_mode) & 0o022:
        told = f"others can write {path}"
        yield Finding("settings", Standing.FAILED, told, f"run: chmod go-w {path}")


def _versions(settings: Settings, now: datetime) -> Findings:  # noqa: ARG001
    parts = [f"Python {sys.version.split()[0]}", ssl.OPENSSL_VERSION]
    names = ("cryptography", "lxml", "xmlsec", "SQLAlchemy", "granian")
    parts += [f"{name} {version(name)}" for name in names]
    yield Finding("versions", Standing.OK, ", ".join(parts))


def _keys(settings: Settings, now: datetime) -> Findings:
    directory = settings.keys_dir
    if not directory.is_dir():
        told = f"there is no key directory {directory}"
        yield Finding("keys", Standing.FAILED, told, "run: saml-idp keys new")
        return
    if stat.S_IMODE(directory.stat().st_mode) & 0o077:
        told = f"others can look into {directory}"
        yield Finding("keys", Standing.FAILED, told, f"run: chmod 700 {directory}")
    active, metadata = (load_named_key(directory, name) for name in (ASSERTION_ACTIVE, METADATA))
    load_secret(directory / "seal.key")
    load_secret(directory / "cookie.key")
    if active.key_id == metadata.key_id:  # K03: one key for two ends
        yield Finding(
            "keys",
            Standing.FAILED,
            "assertions and metadata are signed with the same key",
            f"move metadata.key and metadata.crt out of {directory}, run: saml-idp keys new",
        )
    following = find_named_key(directory, ASSERTION_NEXT)
    named = ((ASSERTION_ACTIVE, active), (ASSERTION_NEXT, following), (METADATA, metadata))
    for name, key in named:
        if key is not None:
            yield _key(name, key, now)


def _key(name: str, key: SigningKey, now: datetime) -> Finding:
    ends_at = datetime.fromisoformat(key.certificate.not_after)
    told = f"{name}: {key.algorithm}, certificate until {ends_at:%Y-%m-%d}"
    if ends_at - now < EXPIRY_WARNING:
        # dates never decide here, but there are services that refuse an expired certificate
        return Finding("keys", Standing.WARNING, told, "make the next key and hand it to services")
    if key.is_weak:
        return Finding("keys", Standing.WARNING, told, "make a key of rsa-3072 or p-256")
    return Finding("keys", Standing.OK, told)


def _signatures(settings: Settings, now: datetime) -> Findings:  # noqa: ARG001
    """Sign and verify with the very key and libraries that a login needs."""
    key = load_named_key(settings.keys_dir, ASSERTION_ACTIVE)
    element = parse(b'<check ID="_check"/>')
    sign(element, key, position=0)
    verified(parse(serialize(element)), [key.certificate], position=0)
    yield Finding("signatures", Standing.OK, "a signature was made and verified")


def _database(settings: Settings, now: datetime) -> Findings:  # noqa: ARG001
    faults = schema.faults_of(parsed_url(settings.database_url))
    for fault in faults:
        told, _, mend = fault.partition(": ")
        yield Finding("database", Standing.FAILED, told, mend or "see the database's own log")
    if not faults:
        yield Finding("database", Standing.OK, "answers, whole, with the newest tables")


def _disk(settings: Settings, now: datetime) -> Findings:  # noqa: ARG001
    url = parsed_url(settings.database_url)
    is_file = url.get_backend_name() == "sqlite"
    folder = Path(url.database or "").parent if is_file else settings.state_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    told = f"{free / 1024**3:.1f} GiB free at {folder}"
    if free < NO_SPACE:
        # nothing is signed that cannot be recorded first (rule 1)
        yield Finding("disk", Standing.FAILED, told, "make room: without it nobody signs in")
    elif free < LITTLE_SPACE:
        yield Finding("disk", Standing.WARNING, told, "make room")
    else:
        yield Finding("disk", Standing.OK, told)


def _clock(settings: Settings, now: datetime) -> Findings:
    """Hold the clock against the file system's, which is another machine's on a network mount.

    Whether it agrees with the world cannot be found out from here.
    """
    folder = settings.state_dir if settings.state_dir.is_dir() else None
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        apart = abs(SystemClock().now() - written)
    told = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if apart > CLOCK_TOLERANCE:
        told += f", {apart.total_seconds():.0f} s away from the file system's"
        yield Finding("clock", Standing.WARNING, told, "let NTP set the clock of both machines")
    else:
        told += "; whether that is the world's time is not checked here (timedatectl tells)"
        yield Finding("clock", Standing.OK, told)


def _metadata(settings: Settings, now: datetime) -> Findings:
    providers = ProviderFiles(
        settings.metadata_dir, allow_http_loopback=settings.development, clock=SystemClock()
    )
    for fault in providers.faults():
        told = f"{fault.file}:{fault.line}: {fault.problem}"
        yield Finding("metadata", Standing.FAILED, told, fault.mend)
    known = list(providers)
    for provider in known:
        dates = [c.not_after for c in provider.signing_certificates if c.not_after]
        if dates and datetime.fromisoformat(max(dates)) - now < EXPIRY_WARNING:
            told = f"{provider.entity_id}: its certificate ends {max(dates)[:10]}"
            yield Finding("metadata", Standing.WARNING, told, "ask the service for new metadata")
    if known:
        yield Finding("metadata", Standing.OK, f"{len(known)} services")
    else:
        mend = f"put a service's metadata into {settings.metadata_dir}"
        yield Finding("metadata", Standing.WARNING, "no service is known yet", mend)


def _policies(settings: Settings, now: datetime) -> Findings:  # noqa: ARG001
    policies = PolicyFiles(settings.policies_dir, lock_out_guard=lambda: True)
    faults = policies.faults()
    for fault in faults:
        told = f"{fault.file}:{fault.line}: {fault.problem}"
        yield Finding("policies", Standing.FAILED, told, fault.mend)
    if not faults:
        own = len(policies.entities())
        yield Finding("policies", Standing.OK, f"{own} services have a policy of their own")


def _administrators(settings: Settings, now: datetime) -> Findings:  # noqa: ARG001
    store = open_store(settings.database_url, node=settings.node, pool_size=1)
    try:
        with store.view() as unit:
            ready = unit.people.count_ready_administrators()
    finally:
        store.close()
    if ready:
        told = f"{ready} with an ID and a live device"
        yield Finding("administrators", Standing.OK, told)
        return
    yield Finding(
        "administrators",
        Standing.WARNING,
        "none has an ID and a live device yet",
        "run: saml-idp user add NAME --administrator, then saml-idp id assign NAME",
    )
