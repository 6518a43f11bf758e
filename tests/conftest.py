"""Plumbing for every test: markers by folder, Hypothesis' profile. Fixtures live further down."""

import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests.past_faults import SEEN_BY

pytest_plugins = ("tests.postgres",)

TESTS: Final = Path(__file__).parent
_MARKED_FOLDERS: Final = ("flows", "live")

# No deadline: a slow machine is not a fault. CI repeats the same examples, so that a red run there
# is red here too; a developer's machine looks for new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in ``flows/`` and ``live/`` with the folder's name, and name past faults."""
    seen_by: dict[str, set[str]] = {}
    for fault, tests in SEEN_BY.items():
        for test in tests:
            seen_by.setdefault(test, set()).add(fault)
    for item in items:
        if not item.path.is_relative_to(TESTS):
            continue
        where = f"{item.path.relative_to(TESTS).as_posix()}::{getattr(item, 'originalname', '')}"
        item.extra_keyword_matches |= seen_by.get(where, set())
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in _MARKED_FOLDERS:
            item.add_marker(getattr(pytest.mark, folder))
