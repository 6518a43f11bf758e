"""The 32 access symbols as people see and hear them.

The character is what counts (RFC 4648 section 6); the picture and its name help to carry it.
The pictures are in ``static/symbols.svg``, one ``<symbol id="s-A">`` for each character.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Symbol:
    """One access symbol.

    ``character``: of the Base32 alphabet. ``key``: stable name of the picture.
    ``names``: spoken name by language code.
    """

    character: str
    key: str
    names: MappingProxyType[str, str]

    def name(self, language: str) -> str:
        """Return the spoken name in *language*, in English where there is none."""
        return self.names.get(language, self.names["en"])


_TABLE: Final = (
    # character, key, English, German
    ("A", "apple", "apple", "Apfel"),
    ("B", "bell", "bell", "Glocke"),
    ("C", "cup", "cup", "Tasse"),
    ("D", "drop", "drop", "Tropfen"),
    ("E", "envelope", "envelope", "Umschlag"),
    ("F", "fish", "fish", "Fisch"),
    ("G", "glasses", "glasses", "Brille"),
    ("H", "house", "house", "Haus"),
    ("I", "ice-cream", "ice cream", "Eis"),
    ("J", "jeans", "jeans", "Jeans"),
    ("K", "key", "key", "Schlüssel"),
    ("L", "ladder", "ladder", "Leiter"),
    ("M", "moon", "moon", "Mond"),
    ("N", "note", "note", "Note"),
    ("O", "owl", "owl", "Eule"),
    ("P", "pencil", "pencil", "Stift"),
    ("Q", "crown", "queen’s crown", "Krone"),
    ("R", "rocket", "rocket", "Rakete"),
    ("S", "sun", "sun", "Sonne"),
    ("T", "tree", "tree", "Baum"),
    ("U", "umbrella", "umbrella", "Schirm"),
    ("V", "vase", "vase", "Vase"),
    ("W", "waves", "waves", "Wellen"),
    ("X", "xylophone", "xylophone", "Xylophon"),
    ("Y", "yacht", "yacht", "Segelboot"),
    ("Z", "zigzag", "zigzag bolt", "Blitz"),
    ("2", "cherries", "cherries", "Kirschen"),
    ("3", "clover", "clover", "Kleeblatt"),
    ("4", "window", "window", "Fenster"),
    ("5", "star", "star", "Stern"),
    ("6", "die", "die", "Würfel"),
    ("7", "ladybird", "ladybird", "Marienkäfer"),
)

SYMBOLS: Final[MappingProxyType[str, Symbol]] = MappingProxyType(
    {
        character: Symbol(character, key, MappingProxyType({"en": english, "de": german}))
        for character, key, english, german in _TABLE
    }
)


def row_of(characters: str) -> list[Symbol]:
    """Return the symbols of *characters*, in their order.

    Raises:
        KeyError: a character is not of the alphabet.
    """
    return [SYMBOLS[character] for character in characters]
