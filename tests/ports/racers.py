"""Two processes with two threads each that want the same thing at the same moment."""

import multiprocessing
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from typing import Final

from saml_idp.adapters.db.store import open_store
from saml_idp.domain.approval import Approval, ApprovalState
from saml_idp.domain.attempt import Event, LoginAttempt
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.domain.ids import ApprovalId, ApprovalIdentity, AttemptId, UserId, digest_of
from saml_idp.ports.store import Store, Unit
from tests.build import NOW, a_request, an_approval, an_attempt, an_enrolment, seconds

PROCESSES: Final = 2
THREADS: Final = 2
GUESSES: Final = 200
_AT: Final = NOW + seconds(5)
_WAIT: Final = 60.0

# What a racer does in a round; False or TransitionNotAllowed: another was first.
Race = Callable[[Unit, int, int], bool]


def prepare(store: Store, rounds: int) -> None:
    """Store what each round is about."""
    with store.unit() as unit:
        for number in range(rounds):
            unit.attempts.add(_attempt(number))
            unit.approvals.add(_approval(number))
            code = f"code-{number}"
            unit.devices.add_enrolment(an_enrolment(code=code, user_id=UserId(f"u-{number}")))


def _attempt(number: int) -> LoginAttempt:
    request = a_request(request_id=f"_{number}")
    return an_attempt(attempt_id=AttemptId(f"attempt-{number}"), request=request)


def _approval(number: int) -> Approval:
    return an_approval(
        approval_id=ApprovalId(f"approval-{number}"),
        attempt_id=None,
        identity=ApprovalIdentity(f"user-{number}"),
    )


def _answer(unit: Unit, number: int, racer: int) -> bool:
    """Approve and deny at the same time."""
    verdict = ApprovalState.GRANTED if racer % 2 else ApprovalState.DENIED
    unit.approvals.move(ApprovalId(f"approval-{number}"), to=verdict, at=_AT)
    return True


def _ask(unit: Unit, number: int, racer: int) -> bool:
    """Ask the same ID."""
    approval = an_approval(
        approval_id=ApprovalId(f"asked-{number}-{racer}"),
        attempt_id=None,
        identity=ApprovalIdentity(f"asked-{number}"),
    )
    return unit.approvals.add(approval)


def _step(unit: Unit, number: int, racer: int) -> bool:
    """Submit the same form."""
    old = _attempt(number)
    unit.attempts.replace(old, old.after(Event.PASSWORD_REJECTED, entered_name=f"racer-{racer}"))
    return True


def _enrol(unit: Unit, number: int, racer: int) -> bool:
    """Take up the same invitation."""
    unit.devices.use_enrolment(digest_of(f"code-{number}"), _AT)
    return True


RACES: Final[Mapping[str, Race]] = {
    "answer": _answer,
    "ask": _ask,
    "step": _step,
    "enrol": _enrol,
}


def run_races(url: str, rounds: int) -> dict[str, list[int]]:
    """Return, for each race, how many racers won each round."""
    won = {name: [0] * rounds for name in RACES}
    for name, number in _in_processes(_race, url, rounds):
        won[name][number] += 1
    return won


def run_guesses(url: str, *, apart: timedelta) -> int:
    """Return how many of 200 guesses at one account are let through to the check."""
    return len(_in_processes(_guess, url, int(apart.total_seconds())))


Results = SimpleQueue[list[tuple[str, int]]]
Job = Callable[[Store, int, int, Barrier], list[tuple[str, int]]]


def _in_processes(job: Job, url: str, number: int) -> list[tuple[str, int]]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES * THREADS)
    results: Results = context.SimpleQueue()
    processes = [
        context.Process(target=_in_threads, args=(job, url, number, first, barrier, results))
        for first in range(0, PROCESSES * THREADS, THREADS)
    ]
    for process in processes:
        process.start()
    found = [one for _ in processes for one in results.get()]
    for process in processes:
        process.join(_WAIT)
    return found


def _in_threads(
    job: Job, url: str, number: int, first: int, barrier: Barrier, results: Results
) -> None:
    store = open_store(url, node=f"node-{first}", pool_size=THREADS)
    found: list[tuple[str, int]] = []

    def work(racer: int) -> None:
        try:
            found.extend(job(store, number, racer, barrier))
        except BaseException:
            barrier.abort()  # the others must not wait for one who fell
            raise

    threads = [threading.Thread(target=work, args=(first + n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    results.put(found)


def _race(store: Store, rounds: int, racer: int, barrier: Barrier) -> list[tuple[str, int]]:
    won = []
    for number in range(rounds):
        for name, race in RACES.items():
            barrier.wait(_WAIT)
            try:
                with store.unit() as unit:
                    first = race(unit, number, racer)
            except TransitionNotAllowed:
                continue
            if first:
                won.append((name, number))
    return won


def _guess(store: Store, apart: int, racer: int, barrier: Barrier) -> list[tuple[str, int]]:
    allowed = []
    barrier.wait(_WAIT)
    share = GUESSES // (PROCESSES * THREADS)
    for number in range(share):
        # All racers live at the same pace: guess n of each happens at the same instant.
        now = NOW + timedelta(seconds=apart) * (number * PROCESSES * THREADS + racer)
        with store.unit() as unit:
            if unit.tallies.count_try("alice", now) == 0:
                allowed.append(("guess", number))
    return allowed
