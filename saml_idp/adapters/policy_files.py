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
from saml_idp.adapters.policy_book import NOTHING, Book, Drafts, bind, effects, switches_on
from saml_idp.adapters.policy_edit import as_toml, edited
from saml_idp.adapters.policy_text import DEFAULT_FILE, PolicyDraft, find_entity_id, read_policy
from saml_idp.domain.errors import ConfigurationError, Fault, LockOut
from saml_idp.domain.ids import EntityId
from saml_idp.domain.loosening import PlannedChange, PolicyChange
from saml_idp.domain.policy import Policy
from saml_idp.domain.policy_keys import FIELDS, plain_values
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
        quiet: nothing goes to the log; who asks shows the faults.
    """

    def __init__(
        self,
        directory: Path,
        *,
        lock_out_guard: Callable[[], bool],
        on_change: Callable[[PolicyFileChange], None] = lambda _change: None,
        on_faults: Callable[[Sequence[Fault]], None] = lambda _faults: None,
        quiet: bool = False,
    ) -> None:
        self.folder = Folder(directory, ".toml", LARGEST)
        self.lock_out_guard = lock_out_guard
        self._on_change = on_change
        self._on_faults = on_faults
        self._quiet = quiet
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
        return self._book.find(entity_id)

    def entities(self) -> Sequence[EntityId]:
        """Return the providers that have a file of their own, refused ones too."""
        return sorted({*self._book.policies, *self._book.refused})

    def file_of(self, entity_id: EntityId | None) -> str | None:
        """Return the name of the file about the provider (None: the default), None without one."""
        names = [n for n, d in self._drafts.items() if d.entity_id == entity_id]
        return min(names, default=None)

    def drafts(self) -> Drafts:
        """Return what is in force, by file name."""
        return self._drafts

    def faults(self) -> Sequence[Fault]:
        """Return what is wrong in the files now, the last good version being in force."""
        return self._faults

    def faults_of(self, path: Path) -> Sequence[Fault]:
        """Return what is wrong in a draft, wherever it lies; it counts for nothing."""
        try:
            read_policy(path.read_bytes(), file=str(path), is_default=path.name == DEFAULT_FILE)
        except ConfigurationError as refused:
            return refused.faults
        return ()

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
            held = self._held_back(proposed)  # at the start nothing is: the built-in one is on
            drafts = _without(proposed, held, self._drafts)
            changed = _changed(self._drafts, drafts)
            before, after = self._book, self._bound(drafts)
            self._drafts, self._held = drafts, held
            self._book = after  # the swap: one reference
            self._tell_faults()
            if not is_start:
                for name in sorted(changed):
                    self._tell_change(name, changed[name], before, after)

    def plan_change(self, entity_id: EntityId | None, key: str, value: object) -> PlannedChange:
        """Return what setting *key* would change, checked; nothing is written.

        Args:
            entity_id: None: default.toml.
            value: plain, as in ``plain_values``; None: remove the key.

        Raises:
            ConfigurationError: the files have faults, or the value cannot be.
            LockOut: it switches two-step on while no administrator could undo it.
        """
        self.refresh()
        before = self.find(entity_id)
        name = self.file_of(entity_id) or self._free_name(entity_id)
        label = self.folder.label(name)
        seen = self._files.seen.get(name)
        if before is None or (seen is not None and seen.faults):
            raise ConfigurationError(self._faults)
        old = self.folder.read(name) if seen is not None else None
        key, value = self._whole_attributes(name, before, key, value)
        new = edited(old, file=label, entity_id=entity_id, key=key, value=value)
        drafts = {**self._drafts, name: self._read(name, new, None)}
        candidate = self._bound(drafts)
        about = frozenset({entity_id})
        if switches_on(self._book, candidate, about) and not self.lock_out_guard():
            raise LockOut(f"two-step authentication stays off: {_HELD}")
        after = candidate.find(entity_id) or before
        changes = effects(self._book, candidate, about).values()
        top = key if key in FIELDS else "attributes"
        return PlannedChange(
            entity_id=entity_id,
            name=name,
            file=label,
            key=key,
            before=as_toml(plain_values(before)[top]),
            after=as_toml(plain_values(after)[top]),
            loosened=tuple(sorted({k for change in changes for k in change.loosened})),
            tightened=tuple(sorted({k for change in changes for k in change.tightened})),
            old=old,
            new=new,
        )

    def apply(self, planned: PlannedChange, *, confirm_loosening: bool) -> None:
        """Write *planned* and put it in force here at once, elsewhere within a second.

        Raises:
            Conflict: reason ``loosening_unconfirmed``, or ``file_changed`` since it was planned.
        """
        planned.require_confirmation(confirmed=confirm_loosening)
        if planned.new != planned.old:
            self.folder.write(planned.name, planned.new, expected_before=planned.old)
            self.refresh()

    def set_value(
        self, entity_id: EntityId | None, key: str, value: object, *, confirm_loosening: bool
    ) -> PlannedChange:
        """Plan and apply in one: see there for what is raised."""
        planned = self.plan_change(entity_id, key, value)
        self.apply(planned, confirm_loosening=confirm_loosening)
        return planned

    def _whole_attributes(
        self, name: str, before: Policy, key: str, value: object
    ) -> tuple[str, object]:
        """Return *key* and *value*; a file that inherits ``attributes`` gets the whole table, as
        one line in a table of its own would hide the inherited ones.
        """
        draft = self._drafts.get(name)
        top, _, attribute = key.partition(".")
        if top != "attributes" or not attribute or (draft and "attributes" in draft.values):
            return key, value
        others = {n: v for n, v in before.attributes.items() if n != attribute}
        return top, {**others, attribute: value} if value is not None else others

    def _free_name(self, entity_id: EntityId | None) -> str:
        return DEFAULT_FILE if entity_id is None else self.folder.free_name(entity_id)

    def _read(self, name: str, octets: bytes, _before: PolicyDraft | None) -> PolicyDraft:
        return read_policy(octets, file=self.folder.label(name), is_default=name == DEFAULT_FILE)

    def _bound(self, drafts: Drafts) -> Book:
        bad = {n: s for n, s in self._files.seen.items() if s.since_start}
        named = {find_entity_id(seen.octets) for n, seen in bad.items() if n != DEFAULT_FILE}
        return bind(
            drafts,
            self._book,
            label=self.folder.label(),
            refused=frozenset(entity_id for entity_id in named if entity_id is not None),
            default_known=DEFAULT_FILE not in bad and self._files.is_readable,
            all_named=None not in named,
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
            for fault in () if self._quiet else faults:
                _log.error("policy_fault", fault=str(fault))
            self._on_faults(faults)

    def _tell_change(
        self, name: str, entities: frozenset[EntityId | None], before: Book, after: Book
    ) -> None:
        good = self._files.good().get(name)
        change = PolicyFileChange(
            self.folder.label(name),
            good.sha256 if good is not None else "",
            effects(before, after, entities),
        )
        log = _log.warning if change.loosened else _log.info
        log("policy_changed", file=change.file, sha256=change.sha256, loosened=change.loosened)
        self._on_change(change)


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
