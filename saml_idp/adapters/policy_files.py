"""policies/ → the policies in force. Strict, and never weaker by accident.

A look-up reads one immutable ``Book``; a refresh makes a new one and swaps the reference, so
that a request sees the old or the new policies, never a mixture (M01).
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from saml_idp.adapters.folder import Folder
from saml_idp.adapters.folder_watch import FolderWatch
from saml_idp.adapters.good_files import GoodFiles
from saml_idp.adapters.policy_book import NOTHING, Book, Drafts, bind
from saml_idp.adapters.policy_text import DEFAULT_FILE, PolicyDraft, find_entity_id, read_policy
from saml_idp.domain.errors import Fault
from saml_idp.domain.ids import EntityId
from saml_idp.domain.loosening import PolicyChange, compare
from saml_idp.domain.policy import Policy
from saml_idp.toml.places import LARGEST

_log = structlog.get_logger("saml_idp.policies")

_HELD: Final = "there is no enabled administrator with an ID and a live device"


@dataclass(frozen=True, slots=True)
class PolicyFileChange:
    """A file whose change took effect. ``sha256``: hex, "" when the file is gone. ``effects``:
    provider (None: those without a file of their own) → keys loosened and tightened.
    """

    file: str
    sha256: str
    effects: Mapping[EntityId | None, PolicyChange] = field(default_factory=dict)

    @property
    def loosened(self) -> tuple[str, ...]:
        """Return every key that was loosened for anyone."""
        return tuple(sorted({k for effect in self.effects.values() for k in effect.loosened}))


class PolicyFiles:
    """Implements ``ports.PolicyBook`` over a folder.

    Args:
        directory: the folder; ``*.toml`` in it count, subfolders do not.
        lock_out_guard: True when an enabled administrator has an ID with a live device. Asked
            before a change switches two-step authentication on (PRODUCT.md rule 4).
        on_change: told of each file whose change took effect after the start.
        on_faults: told of the faults whenever they become others.
    """

    def __init__(
        self,
        directory: Path,
        *,
        lock_out_guard: Callable[[], bool],
        on_change: Callable[[PolicyFileChange], None] = lambda _change: None,
        on_faults: Callable[[Sequence[Fault]], None] = lambda _faults: None,
    ) -> None:
        self.folder = Folder(directory, ".toml", LARGEST)
        self.lock_out_guard = lock_out_guard
        self._on_change = on_change
        self._on_faults = on_faults
        self._files: GoodFiles[PolicyDraft] = GoodFiles(self.folder, self._read)
        self._refreshing = threading.Lock()
        self._book = NOTHING
        self._drafts: Drafts = {}  # in force
        self._faults: tuple[Fault, ...] = ()
        self._held: frozenset[str] = frozenset()
        self._watch = FolderWatch(directory, self.refresh)
        self.refresh()

    def policy_for(self, entity_id: EntityId) -> Policy:
        """Return the policy of the provider; the default where it has no file.

        Raises:
            LoginRefused: reason ``policy_fault``.
        """
        return self._book.policy_for(entity_id)

    def find(self, entity_id: EntityId | None) -> Policy | None:
        """Return the policy of the provider, of the default for None; None when refused."""
        return self._book.default if entity_id is None else self._book.find(entity_id)

    def entities(self) -> Sequence[EntityId]:
        """Return the providers that have a file of their own, refused ones too."""
        return sorted({*self._book.policies, *self._book.refused})

    def file_of(self, entity_id: EntityId | None) -> str | None:
        """Return the name of the file about the provider (None: the default), None without one."""
        names = [n for n, d in self._drafts.items() if d.entity_id == entity_id]
        return min(names, default=None)

    def draft_of(self, name: str) -> PolicyDraft | None:
        """Return what the file *name* says, as far as it is in force."""
        return self._drafts.get(name)

    def drafts(self) -> Drafts:
        """Return what is in force, by file name."""
        return self._drafts

    def faults(self) -> Sequence[Fault]:
        """Return what is wrong in the files now, the last good version being in force."""
        return self._faults

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
            # A change that is held is judged anew each time: an administrator may be ready now.
            if not self._files.refresh(wait=wait) and not self._held:
                return
            proposed = {name: good.value for name, good in self._files.good().items()}
            held = frozenset() if is_start else self._held_back(proposed)
            drafts = _without(proposed, held, self._drafts)
            changed = _changed(self._drafts, drafts)
            before, after = self._book, self._bound(drafts)
            self._drafts, self._held = drafts, held
            self._book = after  # the swap: one reference
            self._tell_faults()
            if not is_start:
                for name in sorted(changed):
                    self._tell_change(name, changed[name], before, after)

    def bound(self, drafts: Drafts) -> Book:
        """Return the book that *drafts* would make, beside the files that are bad now."""
        return self._bound(drafts)

    def _read(self, name: str, octets: bytes, _before: PolicyDraft | None) -> PolicyDraft:
        return read_policy(octets, file=self.folder.label(name), is_default=name == DEFAULT_FILE)

    def _bound(self, drafts: Drafts) -> Book:
        bad = {n: s for n, s in self._files.seen.items() if s.since_start and s.good is None}
        named = {find_entity_id(seen.octets) for n, seen in bad.items() if n != DEFAULT_FILE}
        unknown = DEFAULT_FILE in bad or None in named or not self._files.is_readable
        return bind(
            drafts,
            self._book,
            label=self.folder.label(),
            refused=frozenset(entity_id for entity_id in named if entity_id is not None),
            default_known=not unknown,
        )

    def _held_back(self, proposed: Drafts) -> frozenset[str]:
        """Return the files whose change would switch two-step on while no one could undo it."""
        now = self._bound(self._drafts)
        held: set[str] = set()
        for only_default in (True, False):  # what the default does first, then each file alone
            drafts = _without(proposed, held, self._drafts)
            changed = _changed(self._drafts, drafts)
            candidate = self._bound(drafts)
            names = changed.keys() & {DEFAULT_FILE} if only_default else changed.keys()
            for name in names:
                if switches_on(now, candidate, changed[name]):
                    held.add(name)
        if held and self.lock_out_guard():
            return frozenset()
        return frozenset(held)

    def _tell_faults(self) -> None:
        held = tuple(
            Fault(self.folder.label(name), 0, 0, "login.two_step",
                  f"the change is not in force: it switches two-step on, and {_HELD}",
                  "enrol an administrator's device first, or undo the change")
            for name in sorted(self._held)
        )  # fmt: skip
        faults = (*self._files.faults(), *self._book.faults, *held)
        if faults != self._faults:
            self._faults = faults
            for fault in faults:
                _log.error("policy_fault", fault=str(fault))
            self._on_faults(faults)

    def _tell_change(
        self, name: str, entities: frozenset[EntityId | None], before: Book, after: Book
    ) -> None:
        good = self._files.good().get(name)
        effects = {}
        for entity_id in entities:
            old, new = _in(before, entity_id), _in(after, entity_id)
            if old is not None and new is not None and (effect := compare(old, new)) != _SAME:
                effects[entity_id] = effect
        change = PolicyFileChange(
            self.folder.label(name), good.sha256 if good is not None else "", effects
        )
        log = _log.warning if change.loosened else _log.info
        log("policy_changed", file=change.file, sha256=change.sha256, loosened=change.loosened)
        self._on_change(change)


_SAME: Final = PolicyChange()


def switches_on(before: Book, after: Book, entities: frozenset[EntityId | None]) -> bool:
    """True when two-step authentication is off before and on after, for one of *entities*."""
    affected = {*entities, *before.policies, *after.policies} if None in entities else entities
    pairs = ((_in(before, entity_id), _in(after, entity_id)) for entity_id in affected)
    return any(
        old is not None and new is not None and new.two_step and not old.two_step
        for old, new in pairs
    )


def _in(book: Book, entity_id: EntityId | None) -> Policy | None:
    return book.default if entity_id is None else book.find(entity_id)


def _changed(before: Drafts, after: Drafts) -> dict[str, frozenset[EntityId | None]]:
    """Return the files that differ, with whom they are or were about (None: the default)."""
    return {
        name: frozenset(d.entity_id for d in (before.get(name), after.get(name)) if d is not None)
        for name in {*before, *after}
        if before.get(name) is not after.get(name)
    }


def _without(
    proposed: Drafts, held: frozenset[str] | set[str], before: Drafts
) -> dict[str, PolicyDraft]:
    """Return *proposed*, the files in *held* as they were."""
    drafts = {name: draft for name, draft in proposed.items() if name not in held}
    return drafts | {name: before[name] for name in held if name in before}
