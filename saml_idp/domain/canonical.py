"""Canonical bytes of plain values, for seals and digests.

Our values are strings, ints, bools, None, lists and string-keyed dicts only; for these,
sorted keys, no white space and UTF-8 give the octets of RFC 8785 (JCS).
"""

import json
from typing import Final

_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)
_PLAIN: Final = frozenset({str, int, bool, type(None)})


def canonical_json(value: object) -> bytes:
    """Return the canonical UTF-8 JSON of *value*.

    Keys are sorted by code point; our keys are ASCII, where that equals the UTF-16 order
    that RFC 8785 3.2.3 asks for.

    Raises:
        TypeError: *value* holds a float, a key that is no text, or another type that has no
            one form here.
    """
    _refuse_ambiguous(value)
    return _ENCODER.encode(value).encode()


def _refuse_ambiguous(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no canonical form here")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a key is a string: 1 and '1' would look the same")
        for item in value.values():
            if type(item) not in _PLAIN:
                _refuse_ambiguous(item)
    elif isinstance(value, list | tuple):
        for item in value:
            if type(item) not in _PLAIN:
                _refuse_ambiguous(item)
