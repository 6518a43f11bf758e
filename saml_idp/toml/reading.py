"""Takes the known keys out of a file; collects every fault; what is left over is unknown.

One ``Reading`` reads one file. ``take`` returns the value, or the default when the key is
absent or wrong; ``finish`` raises when anything was wrong, all faults at once.
"""

import difflib
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from saml_idp.domain.errors import ConfigurationError, Fault
from saml_idp.toml.places import Path, Place, TomlText

T = TypeVar("T")
_ABSENT: Final = object()


class Unsuitable(Exception):
    """A value that a key cannot have. ``items``: path below the key, to the culprit."""

    def __init__(self, problem: str, mend: str, *, items: Path = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.mend = mend
        self.items = items


Accept = Callable[[object], T]  # raises Unsuitable


class Reading:
    """One file being read. ``overrides``: dotted key → (value, its own name for faults)."""

    def __init__(
        self, toml: TomlText, *, overrides: Mapping[str, tuple[object, str]] | None = None
    ) -> None:
        self.file = toml.file
        self.faults: list[Fault] = []
        self.present: set[str] = set()
        self._toml = toml
        self._overrides = overrides or {}
        self._known: dict[str, None] = {}  # in the order they were asked for
        self._places: dict[Path, Place] | None = None

    def take(self, key: str, accept: Accept[T], default: T) -> T:
        """Return the value of the dotted *key*, *default* when it is absent or wrong."""
        self._known[key] = None
        if key in self._overrides:
            value, name = self._overrides[key]
        elif (value := self._find(key)) is _ABSENT:
            return default
        else:
            name = ""
        try:
            accepted = accept(value)
        except Unsuitable as exc:
            if name:
                self.faults.append(Fault(name, 0, 0, key, exc.problem, exc.mend))
            else:
                self.add_fault((*key.split("."), *exc.items), exc.problem, exc.mend)
            return default
        self.present.add(key)
        return accepted

    def add_fault(self, path: Path, problem: str, mend: str) -> None:
        """Note a fault at *path*, or at the nearest place above it."""
        place = self._place(path)
        self.faults.append(
            Fault(self.file, place.line, place.column, ".".join(path), problem, mend)
        )

    def finish(self) -> None:
        """Raise ConfigurationError when anything was wrong, unknown keys included."""
        self._find_unknown((), self._toml.values)
        if self.faults:
            self.faults.sort(key=lambda fault: (fault.line, fault.column))
            raise ConfigurationError(self.faults)

    def _find(self, key: str) -> object:
        value: object = self._toml.values
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                return _ABSENT
            value = value[part]
        return value

    def _find_unknown(self, above: Path, table: Mapping[str, object]) -> None:
        for name, value in table.items():
            path = (*above, name)
            key = ".".join(path)
            if key in self._known:
                continue  # what lies below a free table its acceptor has judged
            if not any(known.startswith(f"{key}.") for known in self._known):
                self.add_fault(path, f"unknown key {name!r}", self._hint(name, above))
            elif isinstance(value, dict):
                self._find_unknown(path, value)
            else:
                self.add_fault(path, f"{name!r} is a table", f"write [{key}] and keys below it")

    def _hint(self, name: str, above: Path) -> str:
        """Return "did you mean …", or the table it belongs to, or what there is."""
        prefix = "".join(f"{part}." for part in above)
        here = [k.removeprefix(prefix).split(".")[0] for k in self._known if k.startswith(prefix)]
        here = list(dict.fromkeys(here))
        elsewhere = [k for k in self._known if k.rpartition(".")[2] == name]
        if elsewhere:
            table, _, last = elsewhere[0].rpartition(".")
            return f"put {last} under [{table}]" if table else f"put {last} at the top of the file"
        close = difflib.get_close_matches(name, here, n=1, cutoff=0.6)
        if close:
            return f"did you mean {close[0]}?"
        return f"remove it; known here: {', '.join(here)}"

    def _place(self, path: Path) -> Place:
        if self._places is None:
            self._places = self._toml.places()
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
        return Place(1, 1)
