"""Every module keeps every rule, and every rule can tell when one does not."""

import re
from typing import Final

import pytest

from tests.architecture.rules import EXAMPLES, RULES, Rule
from tests.architecture.source import Module, modules_below, tracked_texts

MODULES: Final = modules_below("saml_idp")

# Where people keep their work trees: such a path tells of one machine.
_MACHINE_PATH: Final = re.compile(r"(?<![\w.:/-])/(work|root|home|Users)/\w")
_OPEN_END: Final = re.compile(r"(#|//|/\*|<!--)\s*(TODO|FIXME|XXX)\b(?!.*#\d)")
_SKIPS: Final = re.compile(r"\b(mark\.(skip|skipif|xfail)|pytest\.(skip|importorskip|xfail))\b")
_FAULTS: Final = "tests/flows/model/faults.py"
_MOCKS: Final = re.compile(r"(?m)^\s*(from unittest\.mock import|from unittest import mock)")


def _name_of(rule: Rule) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", RULES, ids=_name_of)
def test_every_module_keeps_the_rule(rule: Rule) -> None:
    broken = [f"{m.path}:{line}: {what}" for m in MODULES for line, what in rule(m)]
    assert broken == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        pytest.param(*example, id=f"{example[0].__name__}-{number}")
        for number, example in enumerate(EXAMPLES)
    ],
)
def test_the_rule_sees_a_planted_fault(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Module(path, text)))


def test_every_rule_has_a_planted_fault() -> None:
    assert {example[0] for example in EXAMPLES} == set(RULES)


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 20


def test_half_of_all_modules_have_fewer_than_a_hundred_lines() -> None:
    lengths = sorted(module.lines for module in MODULES)
    assert lengths[len(lengths) // 2] < 100


def _places(pattern: re.Pattern[str], text: str) -> list[int]:
    return [text.count("\n", 0, match.start()) + 1 for match in pattern.finditer(text)]


@pytest.mark.parametrize(
    ("pattern", "planted"),
    [
        pytest.param(_MACHINE_PATH, "see /" + "home/me/project", id="path of a machine"),
        pytest.param(_OPEN_END, "# TO" + "DO: later", id="open end without an issue"),
    ],
)
def test_no_text_of_the_project_has_a(pattern: re.Pattern[str], planted: str) -> None:
    assert pattern.search(planted)
    found = [f"{path}:{line}" for path, text in tracked_texts() for line in _places(pattern, text)]
    assert found == []


@pytest.mark.parametrize(
    ("pattern", "planted"),
    [
        pytest.param(_SKIPS, "@pytest.mark." + "skip(reason='slow')", id="test that is skipped"),
        pytest.param(_MOCKS, "from unittest." + "mock import patch", id="mock: use a fake"),
    ],
)
def test_no_test_file_has_a(pattern: re.Pattern[str], planted: str) -> None:
    assert pattern.search(planted)
    found = [
        f"{module.path}:{line}"
        for module in modules_below("tests")
        if str(module.path) != _FAULTS  # planting a fault in our code is what it is for
        for line in _places(pattern, module.text)
    ]
    assert found == []
