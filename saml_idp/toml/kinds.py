"""What a value may be: each function returns an acceptor, which returns the value or refuses it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from saml_idp.toml.reading import Accept, Unsuitable

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


def boolean(value: object) -> bool:
    """Accept true or false, no text and no number."""
    if not isinstance(value, bool):
        raise Unsuitable(f"{_shown(value)} is not true or false", "write true or false, unquoted")
    return value


def whole(low: int, high: int) -> Accept[int]:
    """Accept a whole number from *low* to *high*."""

    def accept(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unsuitable(f"{_shown(value)} is not a whole number",
                             f"write a number from {low} to {high}, unquoted")  # fmt: skip
        if not low <= value <= high:
            raise Unsuitable(f"{_shown(value)} is out of bounds", f"choose from {low} to {high}")
        return value

    return accept


def text(longest: int, *, empty: bool = False) -> Accept[str]:
    """Accept text of at most *longest* characters, without control characters."""

    def accept(value: object) -> str:
        if not isinstance(value, str):
            raise Unsuitable(f"{_shown(value)} is not text", 'write it in "quotes"')
        if not value and not empty:
            raise Unsuitable("the text is empty", "fill it in, or remove the key")
        if len(value) > longest:
            raise Unsuitable(f"the text has {len(value)} characters", f"at most {longest}")
        if not value.isprintable() or value != value.strip():
            raise Unsuitable("the text has outer blanks or control characters", "remove them")
        return value

    return accept


def one_of(kind: type[E]) -> Accept[E]:
    """Accept one of the words of *kind*."""

    def accept(value: object) -> E:
        try:
            return kind(text(100)(value))
        except ValueError:
            words = ", ".join(f'"{word.value}"' for word in kind)
            raise Unsuitable(f"{_shown(value)} is not known here", f"choose from {words}") from None

    return accept


def many(accept_one: Accept[T], most: int) -> Accept[tuple[T, ...]]:
    """Accept a list of at most *most* different items."""

    def accept(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Unsuitable(f"{_shown(value)} is not a list", 'write a list: ["…", "…"]')
        if len(value) > most:
            raise Unsuitable(f"the list has {len(value)} items", f"at most {most}")
        items: list[T] = []
        for number, item in enumerate(value):
            try:
                accepted = accept_one(item)
            except Unsuitable as exc:
                raise Unsuitable(exc.problem, exc.mend, items=(str(number),)) from None
            if accepted in items:
                raise Unsuitable(f"{_shown(item)} stands twice", "leave one of them",
                                 items=(str(number),))  # fmt: skip
            items.append(accepted)
        return tuple(items)

    return accept


def table(value: object) -> Mapping[str, object]:
    """Accept a table."""
    if not isinstance(value, Mapping):
        raise Unsuitable(f"{_shown(value)} is not a table", "write [table] and keys below it")
    return value


def _shown(value: object) -> str:
    """Return *value* as an operator wrote it, cut short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 200:  # Python will not write it out
        return "the number"
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
