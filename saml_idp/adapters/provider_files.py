"""metadata/ → the providers we trust. A broken file never stops the others.

As with policies, a look-up reads one immutable snapshot and a refresh swaps it. What a file
held while it was good stays in force when it breaks; when it is removed, its providers go.
"""

import html
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from saml_idp.adapters.folder import Folder
from saml_idp.adapters.folder_watch import FolderWatch
from saml_idp.adapters.good_files import GoodFiles
from saml_idp.domain.errors import ConfigurationError, Fault
from saml_idp.domain.ids import EntityId
from saml_idp.domain.service_provider import ServiceProvider
from saml_idp.ports.system import Clock
from saml_idp.saml.sp_metadata import MetadataRead, read_metadata, write_minimal_metadata

_log = structlog.get_logger("saml_idp.metadata")

LARGEST: Final = 200 * 1024 * 1024  # octets (M06): the aggregate of a large federation
_ENTITY_ID: Final = re.compile(rb"""entityID\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class MetadataChange:
    """A file whose change took effect. ``sha256``: hex, "" when the file is gone."""

    file: str
    sha256: str
    added: tuple[EntityId, ...]
    changed: tuple[EntityId, ...]
    removed: tuple[EntityId, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """What a file holds, the last good version of a broken entity included."""

    providers: Mapping[EntityId, tuple[ServiceProvider, datetime | None]]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Register:
    """The providers of one moment, each with the instant its metadata ends, None: never."""

    providers: Mapping[EntityId, tuple[ServiceProvider, datetime | None]] = field(
        default_factory=dict
    )
    faults: tuple[Fault, ...] = ()


class ProviderFiles:
    """Implements ``ports.ProviderRegistry`` over a folder.

    Args:
        directory: the folder; ``*.xml`` in it count, subfolders do not.
        allow_http_loopback: http locations on this machine are taken (development).
        clock: against validUntil, at reading and at each look-up (M05).
        on_change: told of each file whose change took effect after the start.
        on_faults: told of the faults whenever they become others.
        quiet: nothing goes to the log; who asks shows the faults.
    """

    def __init__(
        self,
        directory: Path,
        *,
        allow_http_loopback: bool,
        clock: Clock,
        on_change: Callable[[MetadataChange], None] = lambda _change: None,
        on_faults: Callable[[Sequence[Fault]], None] = lambda _faults: None,
        quiet: bool = False,
    ) -> None:
        self.folder = Folder(directory, ".xml", LARGEST)
        self._allow_http_loopback = allow_http_loopback
        self._clock = clock
        self._on_change = on_change
        self._on_faults = on_faults
        self._quiet = quiet
        self._files: GoodFiles[_Read] = GoodFiles(self.folder, self._read)
        self._refreshing = threading.Lock()
        self._register = _Register()
        self._values: Mapping[str, _Read] = {}
        self._watch = FolderWatch(directory, self.refresh)
        self.refresh()

    def find(self, entity_id: EntityId) -> ServiceProvider | None:
        """Return the provider, None when there is none, it was set aside, or its metadata ended."""
        provider, until = self._register.providers.get(entity_id, (None, None))
        if until is not None and until <= self._clock.now():
            return None
        return provider

    def __iter__(self) -> Iterator[ServiceProvider]:
        """Yield the providers whose metadata has not ended, by entity ID."""
        now = self._clock.now()
        register = self._register.providers
        for entity_id in sorted(register):
            provider, until = register[entity_id]
            if until is None or until > now:
                yield provider

    def faults(self) -> Sequence[Fault]:
        """Return what is wrong in the files now, ended metadata included."""
        now = self._clock.now()
        register = self._register
        ended = tuple(
            Fault(p.source.file, p.source.line, 0, "validUntil",
                  f"the metadata of {p.entity_id!r} ended at {until:%Y-%m-%d %H:%M} UTC",
                  "ask the provider for fresh metadata")
            for p, until in register.providers.values() if until is not None and until <= now
        )  # fmt: skip
        return (*register.faults, *ended)

    def watch(self) -> None:
        """Follow the folder in a thread of this process until ``stop``."""
        self._watch.start()

    def stop(self) -> None:
        """Stop following; harmless when not started."""
        self._watch.stop()

    def refresh(self, *, wait: Callable[[], None] | None = None) -> None:
        """Take over what changed in the folder. ``wait``: see ``GoodFiles.refresh``."""
        with self._refreshing:
            is_start = not self._files.is_readable
            if not self._files.refresh(wait=wait):
                return
            good = self._files.good()
            values = {name: version.value for name, version in good.items()}
            before, after = self._register, _registered(values, self._files.faults(), self.folder)
            previous, self._values = self._values, values
            self._register = after  # the swap: one reference
            if after.faults != before.faults:
                for fault in () if self._quiet else after.faults:
                    _log.error("metadata_fault", fault=str(fault))
                self._on_faults(after.faults)
            if is_start:
                return
            for name in sorted({*previous, *values}):
                if previous.get(name) is not values.get(name):
                    sha256 = good[name].sha256 if name in good else ""
                    change = _change(self.folder.label(name), sha256,
                                     previous.get(name), values.get(name))  # fmt: skip
                    _log.info("metadata_changed", file=change.file, sha256=sha256,
                              added=len(change.added), removed=len(change.removed))  # fmt: skip
                    self._on_change(change)

    def minimal(self, entity_id: str, acs_url: str) -> bytes:
        """Return metadata of a provider known by *entity_id* and *acs_url* alone, unchecked."""
        return write_minimal_metadata(entity_id, acs_url)

    def add(self, octets: bytes) -> tuple[ServiceProvider, ...]:
        """Put *octets* into the folder under a name of ours; return the providers they add.

        Raises:
            ConfigurationError: see ``check_octets``; nothing was written.
        """
        first = self.check_octets(octets, file="the new file")[0]
        name = self.folder.free_name(first.entity_id)
        self.folder.write(name, octets, expected_before=None)
        self.refresh()
        return tuple(p for p in self if p.source.file == self.folder.label(name))

    def read_octets(self, octets: bytes, *, file: str) -> MetadataRead:
        """Return what metadata holds and what is wrong in it; it counts for nothing."""
        return read_metadata(
            octets,
            file=file,
            allow_http_loopback=self._allow_http_loopback,
            now=self._clock.now(),
        )

    def check_octets(self, octets: bytes, *, file: str) -> tuple[ServiceProvider, ...]:
        """Return the providers that *octets* would add.

        Raises:
            ConfigurationError: any fault, or a provider that is in force already.
        """
        self.refresh()
        read = _held(self.read_octets(octets, file=file))
        taken = [
            Fault(file, provider.source.line, 0, "entityID",
                  f"{entity_id!r} stands in {place} already", "edit that file, or remove it first")
            for entity_id, (provider, _) in read.providers.items()
            for place in self._places_of(entity_id)
        ]  # fmt: skip
        faults = [*read.faults, *taken]
        if faults:
            raise ConfigurationError(faults)
        return tuple(provider for provider, _ in read.providers.values())

    def _places_of(self, entity_id: EntityId) -> Iterator[str]:
        """Yield where the provider stands now, in good files and in bad ones."""
        for name, seen in self._files.seen.items():
            held = seen.good.value.providers.get(entity_id) if seen.good is not None else None
            if held is not None:
                yield str(held[0].source)
            elif entity_id in _named_in(seen.octets):
                yield self.folder.label(name)

    def _read(self, name: str, octets: bytes, before: _Read | None) -> _Read:
        read = _held(self.read_octets(octets, file=self.folder.label(name)))
        if not read.faults:
            return read
        # "I have ended" and "I stand twice" are no broken versions: they count.
        named = Counter(_named_in(octets))
        has_ended = any(fault.key == "validUntil" for fault in read.faults)
        if not read.providers and not has_ended and max(named.values(), default=0) < 2:
            raise ConfigurationError(read.faults)
        kept = {}
        if before is not None and not has_ended:
            kept = {e: p for e, p in before.providers.items() if named[e] == 1}
        return _Read({**kept, **read.providers}, read.faults)


def _held(read: MetadataRead) -> _Read:
    until = dict(read.valid_until)
    providers = {p.entity_id: (p, until.get(p.entity_id)) for p in read.providers}
    return _Read(providers, read.faults)


def _named_in(octets: bytes) -> list[EntityId]:
    """Return the entity IDs that a version names. Only ever to keep what was good before."""
    found = (m[1] if m[1] is not None else m[2] for m in _ENTITY_ID.finditer(octets))
    return [EntityId(html.unescape(e.decode(errors="replace"))) for e in found]


def _registered(
    values: Mapping[str, _Read], file_faults: tuple[Fault, ...], folder: Folder
) -> _Register:
    """Return the register of *values*. A provider of two files is in none (M03)."""
    owners: dict[EntityId, list[str]] = {}
    for name, read in values.items():
        for entity_id in read.providers:
            owners.setdefault(entity_id, []).append(name)
    providers = {}
    faults = [*file_faults, *(fault for name in sorted(values) for fault in values[name].faults)]
    for entity_id, names in owners.items():
        if len(names) == 1:
            providers[entity_id] = values[names[0]].providers[entity_id]
            continue
        for name in sorted(names):
            provider, _ = values[name].providers[entity_id]
            others = ", ".join(folder.label(n) for n in sorted(names) if n != name)
            faults.append(Fault(
                provider.source.file, provider.source.line, 0, "entityID",
                f"{entity_id!r} stands in another file as well: {others}",
                "leave one of them; until then nobody signs in there",
            ))  # fmt: skip
    return _Register(providers, tuple(faults))


def _change(file: str, sha256: str, before: _Read | None, after: _Read | None) -> MetadataChange:
    old = before.providers if before is not None else {}
    new = after.providers if after is not None else {}
    return MetadataChange(
        file,
        sha256,
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(e for e in new.keys() & old.keys() if new[e] != old[e])),
        removed=tuple(sorted(old.keys() - new.keys())),
    )
