"""docs/security-bar.md names tests that exist, and leaves no requirement of level [1] out."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from tests.architecture.source import ROOT
from tests.past_faults import CANNOT_APPLY_YET, SEEN_BY

PAGE: Final = (ROOT / "docs" / "security-bar.md").read_text(encoding="utf-8")
STATES: Final = frozenset({"holds", "partly", "not built", "not tested here"})
# Letter → the numbers of level [1] in its chapter of the bar.
LEVEL_1: Final = {
    "R": "01 02 03 04 05 06 07 08 09 10 11 12 13 14 16 17 19 20",
    "S": "01 02 03 04 05 06 07 08 09 10 11 12 14",
    "A": "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 19 21",
    "P": "01 02 03 04 05 06 07 08 09 10 12",
    "L": "01 02 03 04 05 06 07 08 09 10 11 12",
    "D": "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 19",
    "W": "01 02 03 05 06 07 08 09 10 11 12",
    "F": "01 02 03 06",
    "E": "01 02 03 04 05 06 08 09",
    "O": "01 02 03 05",
    "K": "01 02 03 04 06",
    "M": "01 02 03 04 05 06 07 08 09 10 11 13 14 15",
    "N": "01 02 03 04 05 06 07",
    "U": "01 02 03 04 08",
    "H": "01 02 03 04 05 06 07 08",
    "X": "01 02 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 21 23 26 27",
    "T": "01 02 04 05 08",
}


class Row(NamedTuple):
    """One line of the page's tables."""

    id: str
    level: str
    what: str
    state: str
    shown_by: str
    remark: str


ROWS: Final = [
    Row(*(cell.strip() for cell in line.strip("|").split("|")))
    for line in PAGE.splitlines()
    if re.match(r"\| [A-Z]\d\d \|", line)
]


@cache
def functions_of(path: str) -> frozenset[str]:
    """Return the names of the functions of a test file, none where there is no such file."""
    file: Path = ROOT / "tests" / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def missing(reference: str) -> bool:
    """Tell whether *reference* is neither a test nor a target of the Makefile."""
    if reference.startswith("make "):
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        return f"\n{reference.removeprefix('make ')}:" not in makefile
    path, _, name = reference.partition("::")
    return not name.startswith("test_") or name not in functions_of(path)


def test_every_requirement_of_level_1_has_one_row() -> None:
    wanted = [letter + number for letter, numbers in LEVEL_1.items() for number in numbers.split()]
    counted = Counter(row.id for row in ROWS if row.level == "[1]")
    assert counted == Counter(wanted)


def test_no_requirement_stands_on_the_page_twice() -> None:
    assert [i for i, count in Counter(row.id for row in ROWS).items() if count > 1] == []


def test_every_state_is_a_known_one() -> None:
    assert [row.id for row in ROWS if row.state not in STATES] == []


def test_every_named_test_exists() -> None:
    assert missing("architecture/test_security_bar.py::test_that_does_not_exist")
    assert missing("make nothing-of-the-kind")
    named = [(row.id, found) for row in ROWS for found in re.findall(r"`([^`]+)`", row.shown_by)]
    assert [(i, reference) for i, reference in named if missing(reference)] == []


def test_what_holds_names_its_test_and_what_does_not_says_what_is_missing() -> None:
    assert [row.id for row in ROWS if row.state == "holds" and "::" not in row.shown_by] == []
    assert [row.id for row in ROWS if row.state == "partly" and not row.remark] == []


def test_every_past_fault_names_tests_that_exist() -> None:
    named = [(fault, reference) for fault, tests in SEEN_BY.items() for reference in tests]
    assert [pair for pair in named if missing(pair[1])] == []
    assert not set(SEEN_BY) & set(CANNOT_APPLY_YET)
