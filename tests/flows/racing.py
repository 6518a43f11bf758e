"""Two worker processes of one installation that answer the same approval, finish the same login.

The verbs are the product's own, over the product's own database; what they race about is seeded
through the stores, so that a thousand rounds need no thousand password hashes.
"""

import json
import multiprocessing
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final

from saml_idp.bootstrap import Idp, build
from saml_idp.crypto.symbol_box import seal_symbols
from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.messages import Messages, OpenApproval, Verdict
from saml_idp.domain.approval import Approval
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.errors import TransitionNotAllowed
from saml_idp.domain.ids import (
    ApprovalId,
    ApprovalIdentity,
    AttemptId,
    DeviceId,
    EvidenceId,
    digest_of,
)
from saml_idp.domain.receipt import VerifiedPassword
from saml_idp.services.answer_approval import Result
from saml_idp.settings import load_settings
from tests.build import (
    NOW,
    ORIGIN,
    a_chain,
    a_device,
    a_person,
    a_request,
    an_approval,
    an_attempt,
    password_evidence,
    seconds,
)
from tests.fakes import FakeClock

RACERS: Final = 2
SYMBOLS: Final = "K3QA"
_AT: Final = NOW + seconds(15)
_WAIT: Final = 60.0

Job = dict[str, str]
Outcomes = list[tuple[int, str]]


@dataclass(frozen=True)
class House:
    """An installation whose clock stands still; every process opens it for itself."""

    folder: Path

    def open(self) -> Idp:
        """Return the installation's verbs."""
        settings = load_settings(self.folder / "saml_idp.toml", {})
        return build(settings, clock=FakeClock(_AT))


def seed(house: House, rounds: int) -> list[Job]:
    """Store *rounds* logins, each of its own user, that wait for their approval.

    Return for each the answer that each racer brings, signed: both approve, in every sixth one
    of the two denies.
    """
    idp = house.open()
    jobs = [_seed_one(idp, number) for number in range(rounds)]
    idp.store.close()
    return jobs


def _seed_one(idp: Idp, number: int) -> Job:
    name, key = f"user-{number}", DeviceKey.generate()
    person = a_person(name)
    device = a_device(name, public_key=json.dumps(key.public_jwk()), enrolled_at=NOW)
    attempt_id = AttemptId(f"attempt-{number}")
    request = a_request(request_id=f"_request-{number}")
    password = password_evidence(user_id=person.user_id, reference=f"password-{number}")
    seal = idp.finish_login.seal_key
    attempt = an_attempt(
        State.AWAITING_APPROVAL,
        attempt_id=attempt_id,
        request=request,
        user_id=person.user_id,
        entered_name=name,
        chain=a_chain(password, attempt_id=attempt_id, request=request, key=seal),
    )
    approval_id = ApprovalId(f"approval-{number}")
    approval = an_approval(
        approval_id=approval_id,
        attempt_id=attempt_id,
        user_id=person.user_id,
        identity=ApprovalIdentity(name),
        symbols=seal_symbols(seal, approval_id, SYMBOLS),
    )
    verified = VerifiedPassword(
        EvidenceId(password.reference), attempt_id, person.user_id, password.at
    )
    with idp.store.unit() as unit:
        unit.people.add(person, None)
        unit.devices.add(device)
        unit.attempts.add(attempt)
        unit.receipts.add_password(verified)
        unit.approvals.add(approval)
    messages = Messages(key, idp.settings.entity_id)
    now = int(_AT.timestamp())
    answers = {
        f"answer-{racer}": messages.answer(
            device.device_id, _asked(approval), _verdict(number, racer), symbols=SYMBOLS, now=now
        )
        for racer in range(RACERS)
    }
    return {
        "approval": approval_id, "device": device.device_id, "attempt": attempt_id, **answers
    }  # fmt: skip


def _verdict(number: int, racer: int) -> Verdict:
    every_sixth, denier = number % 6 == 5, number // 6 % RACERS
    return Verdict.DENY if every_sixth and racer == denier else Verdict.APPROVE


def _asked(approval: Approval) -> OpenApproval:
    return OpenApproval(
        approval=approval.approval_id,
        attempt=approval.attempt_id or "",
        identity=approval.identity,
        provider=approval.provider,
        provider_name=approval.provider_name,
        nonce=approval.nonce,
        symbols_count=approval.symbols_count,
        place=approval.place,
        browser=approval.browser,
        requested_at=approval.created_at,
        expires_at=approval.expires_at,
        expires_in=100,
        trial=False,
        other_browser_waiting=False,
    )


def run_race(house: House, jobs: list[Job]) -> Outcomes:
    """Let two processes run for every job; return what came of it, by the number of the job.

    "granted" or "denied": an answer that counted. "issued" or "late": a finish.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(RACERS)
    results: SimpleQueue[Outcomes] = context.SimpleQueue()
    processes = [
        context.Process(target=_racer, args=(house, jobs, number, barrier, results))
        for number in range(RACERS)
    ]
    for process in processes:
        process.start()
    found = [one for _ in processes for one in results.get()]
    for process in processes:
        process.join(_WAIT)
    return found


def _racer(
    house: House, jobs: list[Job], racer: int, barrier: Barrier, results: "SimpleQueue[Outcomes]"
) -> None:
    found: Outcomes = []
    try:
        idp = house.open()
        for number, job in enumerate(jobs):
            barrier.wait(_WAIT)
            result = _answer(idp, job, racer)
            if result is not Result.OVER:
                found.append((number, str(result)))
            barrier.wait(_WAIT)
            with idp.store.view() as unit:
                attempt = unit.attempts.get(AttemptId(job["attempt"]))
            barrier.wait(_WAIT)  # both hold the same login now
            if attempt.state is State.CHAIN_COMPLETE:
                found.append((number, _finish(idp, attempt, racer)))
        idp.store.close()
    except BaseException:
        barrier.abort()  # the other must not wait for one who fell
        raise
    finally:
        results.put(found)


def _answer(idp: Idp, job: Job, racer: int) -> Result:
    with idp.store.view() as unit:
        device = unit.devices.get(DeviceId(job["device"]))
    return idp.answer_approval(
        device, ApprovalId(job["approval"]), job[f"answer-{racer}"], origin=ORIGIN
    )


def _finish(idp: Idp, attempt: LoginAttempt, racer: int) -> str:
    """Return "issued" when this racer got the assertion, "late" when the other did."""
    try:
        finished = idp.finish_login(
            attempt,
            is_stored=True,
            session_secret=None,
            new_session_secret=digest_of(f"cookie-{attempt.attempt_id}-{racer}"),
            origin=ORIGIN,
        )
    except TransitionNotAllowed:
        return "late"
    return "issued" if b"Assertion" in finished.response.xml else "empty"
