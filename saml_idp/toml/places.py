"""TOML text → values and the place of every key. Values come from the standard library alone.

The scanner runs over text that ``tomllib`` has accepted, so it need not judge it: it only
walks over statements and strings and notes where each key stands.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from saml_idp.domain.errors import ConfigurationError, Fault

LARGEST: Final = 64 * 1024  # octets; no file of an operator's own hand comes near it
_DEEPEST: Final = 16  # levels of brackets: the standard library's reader recurses for each

Path = tuple[str, ...]

_BLANK: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_KEY_PART: Final = re.compile(r'[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'")
_SPACES: Final = re.compile(r"[ \t]*")
_BARE_VALUE: Final = re.compile(r"[^,\]\}\[\{#\n\"']+")
_AT: Final = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key stands; both 1-based."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class TomlText:
    """A file that is good TOML. ``values``: as the standard library reads them."""

    file: str
    text: str
    values: Mapping[str, object]

    def places(self) -> dict[Path, Place]:
        """Return the place of every key and table header, by its path."""
        return _Scanner(self.text).scan()


def read_toml(octets: bytes, *, file: str) -> TomlText:
    """Return the values in *octets*.

    Args:
        octets: the whole file; UTF-8, ``LARGEST`` octets at most.
        file: name to give in faults.

    Raises:
        ConfigurationError: too large, not UTF-8, or no TOML.
    """
    if len(octets) > LARGEST:
        raise _refused(file, 0, 0, f"the file has over {LARGEST} octets", "make it smaller")
    try:
        text = octets.decode()
    except UnicodeDecodeError as exc:
        line = octets.count(b"\n", 0, exc.start) + 1
        column = exc.start - octets.rfind(b"\n", 0, exc.start)
        raise _refused(file, line, column, "this is not UTF-8", "save the file as UTF-8") from None
    if text.startswith("\ufeff"):
        raise _refused(file, 1, 1, "a byte order mark comes first",
                       "save the file as UTF-8 without BOM")  # fmt: skip
    text = text.replace("\r\n", "\n")
    try:
        _bound_depth(text, file)
        return TomlText(file, text, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValueError) as exc:
        # A plain ValueError: a number that Python will not read, or a date that is none.
        raise _syntax_fault(str(exc), text, file) from None


def read_value(text: str) -> object:
    """Return *text* as one TOML value, or as it is when it is none: a word needs no quotes."""
    try:
        found = read_toml(f"value = {text}\n".encode(), file="").values
    except (ConfigurationError, UnicodeEncodeError):
        return text
    return found["value"] if found.keys() == {"value"} else text


def _bound_depth(text: str, file: str) -> None:
    """Refuse deep nesting before the reader recurses into it; strings are passed over."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return
    depth = 0
    for match in re.finditer(rf"{_STRING.pattern}|#[^\n]*|[\[\]{{}}]", text, re.DOTALL):
        if match.group() in "[{":
            depth += 1
        elif match.group() in "]}":
            depth -= 1
        if depth > _DEEPEST:
            line = text.count("\n", 0, match.start()) + 1
            raise _refused(file, line, 0, "brackets are nested too deep", "remove them")


def _syntax_fault(message: str, text: str, file: str) -> ConfigurationError:
    at = _AT.search(message)
    line = column = 0
    if at is not None:
        end = (text.count("\n") + 1, 1)
        line, column = (int(at[1]), int(at[2])) if at[1] else end
    problem = message[: at.start()] if at is not None else message
    problem = problem[:1].lower() + problem[1:]
    mend = 'correct the TOML here; text stands in "quotes", true and false without'
    if "overwrite" in problem or "twice" in problem:
        problem, mend = "a key or table stands twice", "leave one of them"
    elif "illegal character '\\n'" in problem:
        problem, mend = "the line ends inside a text", "close the quotes"
    return _refused(file, line, column, problem[:200], mend)


def _refused(file: str, line: int, column: int, problem: str, mend: str) -> ConfigurationError:
    return ConfigurationError([Fault(file, line, column, "", problem, mend)])


class _Scanner:
    """One walk over accepted text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: dict[Path, Place] = {}
        self._line = 1
        self._counted = 0  # how far lines are counted
        self._line_start = 0

    def scan(self) -> dict[Path, Place]:
        table: Path = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return self._found
            if self._text[self._at] == "[":
                start = self._at
                self._at += 2 if self._text.startswith("[[", self._at) else 1
                table = self._key(())
                self._found.setdefault(table, self._place(start))
                self._at = self._text.index("]", self._at)
                self._at += 2 if self._text.startswith("]]", self._at) else 1
            else:
                self._pair(table)

    def _pair(self, table: Path) -> None:
        """Walk over ``key = value``."""
        start = self._at
        path = self._key(table)
        for length in range(len(table) + 1, len(path) + 1):
            self._found.setdefault(path[:length], self._place(start))
        self._at = self._text.index("=", self._at) + 1
        self._value(path)

    def _key(self, table: Path) -> Path:
        parts = list(table)
        while True:
            self._skip(_SPACES)
            match = _KEY_PART.match(self._text, self._at)
            if match is None:
                return tuple(parts)
            self._at = match.end()
            parts.append(_unquoted(match.group()))
            self._skip(_SPACES)
            if self._text[self._at : self._at + 1] != ".":
                return tuple(parts)
            self._at += 1

    def _value(self, path: Path) -> None:
        self._skip(_SPACES)
        opening = self._text[self._at]
        if opening == "[":
            self._items(path)
        elif opening == "{":
            self._inline_table(path)
        elif (match := _STRING.match(self._text, self._at)) is not None:
            self._at = match.end()
        else:
            self._skip(_BARE_VALUE)

    def _items(self, path: Path) -> None:
        self._at += 1
        number = 0
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "]":
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at += 1
                continue
            item = (*path, str(number))
            self._found.setdefault(item, self._place(self._at))
            self._value(item)
            number += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "}":
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._pair(path)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()

    def _place(self, offset: int) -> Place:
        """Return the place of *offset*, which never lies before the last one asked for."""
        lines = self._text.count("\n", self._counted, offset)
        if lines:
            self._line += lines
            self._line_start = self._text.rindex("\n", 0, offset) + 1
        self._counted = offset
        return Place(self._line, offset - self._line_start + 1)


def _unquoted(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] == '"':
        return str(tomllib.loads(f"v = {part}")["v"])
    return part
