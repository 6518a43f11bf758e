"""The files of a folder, each with its last good version.

A file that becomes unreadable or wrong keeps its last good version in force while the process
runs; a file that vanishes is gone. One ``GoodFiles`` belongs to one thread at a time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from saml_idp.adapters.folder import Folder, Stamp, sha256_of
from saml_idp.domain.errors import ConfigurationError, Fault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Good(Generic[T]):
    """A version of a file that passed every check. ``sha256``: of its octets, hex."""

    value: T
    sha256: str


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """A file as it stands. ``good``: its last good version. ``faults``: of what stands there
    now. ``since_start``: it was bad when the process started and has never been good since.
    ``octets``: of a bad version, empty when they could not be read.
    """

    stamp: Stamp | None
    good: Good[T] | None
    faults: tuple[Fault, ...] = ()
    since_start: bool = False
    octets: bytes = b""


class GoodFiles(Generic[T]):
    """Reads what changed. ``read(name, octets, before)`` makes the value, or raises
    ConfigurationError; *before* is the last good value, None when there is none.
    """

    def __init__(self, folder: Folder, read: Callable[[str, bytes, T | None], T]) -> None:
        self._folder = folder
        self._read = read
        self._started = False
        self._identity: tuple[int, int] | None = None
        self._bad_at_start: set[str] = set()
        self.seen: dict[str, Seen[T]] = {}
        self.folder_faults: tuple[Fault, ...] = ()

    def refresh(self, *, wait: Callable[[], None] | None = None) -> bool:
        """Read the files that changed; True when anything did.

        Args:
            wait: lets a moment pass. A change counts only when a file has the same stamp
                before and after it: nobody is in the middle of writing it (M14).
        """
        try:
            found = self._look()
            if wait is not None and self._differs(found):
                wait()
                found = self._stable(found, self._look())
        except ConfigurationError as exc:
            changed = exc.faults != self.folder_faults
            self.folder_faults = exc.faults
            return changed or not self._started
        changed = bool(self.folder_faults) or self._differs(found) or not self._started
        self.folder_faults = ()
        for name in [name for name in self.seen if name not in found]:
            del self.seen[name]
        for name, stamp in found.items():
            before = self.seen.get(name)
            if before is None or before.stamp != stamp or stamp is None:
                self.seen[name] = self._take(name, stamp, before)
        self._started = True
        return changed

    def faults(self) -> tuple[Fault, ...]:
        """Return what is wrong in the folder and its files now."""
        in_files = (fault for name in sorted(self.seen) for fault in self.seen[name].faults)
        return (*self.folder_faults, *in_files)

    def good(self) -> Mapping[str, Good[T]]:
        """Return the last good version of each file, by name."""
        return {name: seen.good for name, seen in self.seen.items() if seen.good is not None}

    @property
    def is_readable(self) -> bool:
        """True once the folder could be read."""
        return self._started

    def _look(self) -> dict[str, Stamp | None]:
        found = dict(self._folder.look())
        identity = self._folder.identity()
        if self.seen and not found and identity != self._identity:
            # A mount that fell away leaves an empty folder: that is no operator's decision.
            raise ConfigurationError([Fault(
                self._folder.label(), 0, 0, "", "another, empty folder has taken its place",
                "mount the right one; the last good files stay in force",
            )])  # fmt: skip
        self._identity = identity
        return found

    def _stable(
        self, first: Mapping[str, Stamp | None], second: Mapping[str, Stamp | None]
    ) -> dict[str, Stamp | None]:
        """Return what both looks agree on; what still moves is left as it was until the next."""
        stable: dict[str, Stamp | None] = {}
        for name in {*self.seen, *first, *second}:
            if (name in first) == (name in second) and first.get(name) == second.get(name):
                if name in second:
                    stable[name] = second[name]
            elif name in self.seen:
                stable[name] = self.seen[name].stamp
        return stable

    def _differs(self, found: Mapping[str, Stamp | None]) -> bool:
        return found.keys() != self.seen.keys() or any(
            stamp is None or stamp != self.seen[name].stamp for name, stamp in found.items()
        )

    def _take(self, name: str, stamp: Stamp | None, before: Seen[T] | None) -> Seen[T]:
        good = before.good if before is not None else None
        octets = b""
        try:
            octets = self._folder.read(name)
            sha256 = sha256_of(octets)
            if good is not None and good.sha256 == sha256:
                return Seen(stamp, good)  # touched, or mended by putting it back
            value = self._read(name, octets, good.value if good is not None else None)
        except ConfigurationError as exc:
            if not self._started:
                self._bad_at_start.add(name)
            return Seen(stamp, good, exc.faults, name in self._bad_at_start, octets)
        self._bad_at_start.discard(name)
        return Seen(stamp, Good(value, sha256))
