"""Finds a text by its key and language. The only module that reads the tables.

A table is ``{key: {"en": …, "de": …}}``; a text may hold ``{name}`` for a value. Texts are
plain: the template escapes them and their values.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from saml_idp.web.symbols import SYMBOLS
from saml_idp.web.texts.device import DEVICE
from saml_idp.web.texts.login import LOGIN
from saml_idp.web.texts.pages import PAGES

Table = Mapping[str, Mapping[str, str]]

LANGUAGES: Final = ("en", "de")


def merged(*tables: Table) -> Table:
    """Return one table made of *tables*.

    Raises:
        ValueError: two tables hold the same key; one of the two texts would be lost.
    """
    together: dict[str, Mapping[str, str]] = {}
    for table in tables:
        twice = together.keys() & table.keys()
        if twice:
            raise ValueError(f"text defined twice: {sorted(twice)!r}")
        together.update(table)
    return MappingProxyType(together)


_SYMBOLS: Final[Table] = {f"symbol.{symbol.character}": symbol.names for symbol in SYMBOLS.values()}

TEXTS: Final[Table] = merged(PAGES, LOGIN, DEVICE, _SYMBOLS)


def translator(language: str, own: Table | None = None) -> Callable[..., str]:
    """Return the function that templates call ``t``.

    ``t(key, **values)`` is the text of *key* in *language* (English where the language is
    unknown) with *values* put in. Without values the text is returned as it stands, its
    ``{name}`` marks included: the phone web app fills them in itself.

    Args:
        language: one of ``LANGUAGES``.
        own: the organisation's own texts, which go before ours; may lack keys and languages.

    Raises (``t``):
        KeyError: there is no such text, or a value it needs is missing.
    """
    ours = own or {}
    chosen = language if language in LANGUAGES else "en"

    def translate(key: str, **values: object) -> str:
        text = ours.get(key, {}).get(chosen) or TEXTS[key][chosen]
        return text.format_map(values) if values else text

    return translate
