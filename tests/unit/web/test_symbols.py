"""The table of access symbols, and its drawings."""

import re
from importlib.resources import files
from xml.etree import ElementTree as ET

import pytest

from saml_idp.web.symbols import SYMBOLS, row_of

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SPRITE = (files("saml_idp.web") / "static" / "symbols.svg").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"


def test_the_symbols_are_the_base32_alphabet_in_order() -> None:
    assert "".join(SYMBOLS) == ALPHABET
    assert all(character == symbol.character for character, symbol in SYMBOLS.items())


def test_no_two_symbols_share_a_name() -> None:
    for language in ("en", "de"):
        assert len({symbol.name(language).casefold() for symbol in SYMBOLS.values()}) == 32
    assert len({symbol.key for symbol in SYMBOLS.values()}) == 32


def test_an_english_name_of_a_letter_begins_with_it() -> None:
    for character, symbol in SYMBOLS.items():
        if character.isalpha():
            assert symbol.name("en")[0].upper() == character


def test_an_unknown_language_hears_english() -> None:
    assert SYMBOLS["K"].name("fr") == "key"


def test_a_row_keeps_the_order_of_its_characters() -> None:
    assert [symbol.name("de") for symbol in row_of("K3A")] == ["Schlüssel", "Kleeblatt", "Apfel"]


def test_a_character_that_is_no_symbol_makes_no_row() -> None:
    with pytest.raises(KeyError):
        row_of("K0")


def test_every_symbol_is_drawn_once() -> None:
    drawn = [symbol.get("id") for symbol in ET.fromstring(SPRITE).iter(f"{SVG}symbol")]
    assert drawn == [f"s-{character}" for character in ALPHABET]


def test_no_two_drawings_are_alike() -> None:
    drawings = re.findall(r"<symbol[^>]*>(.*?)</symbol>", SPRITE)
    assert len(set(drawings)) == 32


def test_drawings_take_the_colour_of_the_text_and_bring_none_of_their_own() -> None:
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', SPRITE))
    assert colours == {"none", "currentColor"}


def test_drawings_hold_nothing_that_runs_or_loads() -> None:
    names = {element.tag.removeprefix(SVG) for element in ET.fromstring(SPRITE).iter()}
    assert names <= {"svg", "defs", "symbol", "g", "path", "rect", "circle", "ellipse"}
    assert "style=" not in SPRITE
    assert "href" not in SPRITE
