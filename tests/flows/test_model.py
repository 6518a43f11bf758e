"""The model of a login: any order of events keeps the invariants, and every planted fault is found.

``MODEL_EXAMPLES`` makes it longer (``make model``).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from saml_idp.adapters.db import schema
from saml_idp.adapters.db.store import open_store, parsed_url
from tests.fakes import FakeStore
from tests.flows.model.faults import FAULTS, Fault
from tests.flows.model.ledger import Broken
from tests.flows.model.machine import LoginMachine
from tests.flows.model.world import World

STEPS: Final = 40
EXAMPLES: Final = int(os.environ.get("MODEL_EXAMPLES", "600"))
# The long run makes what it finds small, which takes minutes.
PHASES: Final = tuple(Phase) if "MODEL_EXAMPLES" in os.environ else (Phase.generate,)
# Each fault is found in far fewer; the same ones every time.
EXAMPLES_FOR_A_FAULT: Final = 1000

BY_NAME: Final = [pytest.param(fault, id=fault.name) for fault in FAULTS]
BY_LOCK: Final = [
    pytest.param(fault, kept, id=f"{fault.name}: {kept}")
    for fault in FAULTS
    if len(fault.locks) > 1
    for kept in fault.locks
]


def _settings(examples: int, *, seeded: bool, phases: tuple[Phase, ...] = PHASES) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=seeded,
        phases=phases,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.slow
def test_any_order_of_events_keeps_the_invariants() -> None:
    run_state_machine_as_test(LoginMachine, settings=_settings(EXAMPLES, seeded=False))


class OnSqlite(LoginMachine):
    """The same on a database: true constraints, true transactions."""

    empty: Path

    def new_world(self) -> World:
        self._folder = TemporaryDirectory()
        path = Path(self._folder.name, "idp.db")
        shutil.copy(self.empty, path)
        self._store = open_store(f"sqlite:///{path}", node="model", pool_size=1)
        return World(self._store)

    def teardown(self) -> None:
        self._store.close()
        self._folder.cleanup()


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "empty.db"
    schema.upgrade(parsed_url(f"sqlite:///{path}"))
    return path


@pytest.mark.slow
def test_any_order_of_events_keeps_the_invariants_on_a_database(empty_database: Path) -> None:
    OnSqlite.empty = empty_database
    run_state_machine_as_test(OnSqlite, settings=_settings(EXAMPLES // 6, seeded=False))


@contextmanager
def planted(fault: Fault, *, but: str = "") -> Iterator[None]:
    """Take the locks of *fault* away for a while, all *but* one."""
    with ExitStack() as stack:
        for lock, remove in fault.locks.items():
            if lock != but:
                stack.enter_context(remove())
        yield


def test_there_are_eighteen_faults_to_find() -> None:
    assert len({fault.name for fault in FAULTS}) == 18


@pytest.mark.parametrize("fault", BY_NAME)
def test_without_the_fault_its_story_is_harmless(fault: Fault) -> None:
    fault.story(World(FakeStore()))


@pytest.mark.parametrize("fault", BY_NAME)
def test_the_story_of_a_fault_breaks_its_invariant(fault: Fault) -> None:
    world = World(FakeStore(), watched=frozenset({fault.invariant}))
    with planted(fault), pytest.raises(Broken) as broken:
        fault.story(world)
    assert broken.value.name == fault.invariant


@pytest.mark.parametrize(("fault", "kept"), BY_LOCK)
def test_each_lock_holds_alone(fault: Fault, kept: str) -> None:
    with planted(fault, but=kept):
        fault.story(World(FakeStore(), watched=frozenset({fault.invariant})))


@pytest.mark.slow
@pytest.mark.parametrize("fault", BY_NAME)
def test_the_machine_finds_the_fault(fault: Fault) -> None:
    """T01. Chance alone, and the rules; the story is not told to it."""
    found = _settings(EXAMPLES_FOR_A_FAULT, seeded=True, phases=(Phase.generate,))
    with planted(fault), pytest.raises(Broken):
        run_state_machine_as_test(LoginMachine, settings=found)
