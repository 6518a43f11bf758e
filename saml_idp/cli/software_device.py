"""This machine as a device: its enrolled IDs, the questions to them, the answer.

Needs neither settings nor a database: it speaks the device protocol like any phone.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from saml_idp.device_sdk.client import DeviceClient, EnrolledId, OpenApprovals, Result
from saml_idp.device_sdk.discovery import discover
from saml_idp.device_sdk.errors import CallFailed, DeviceError, LinkInvalid, ServerUnreachable
from saml_idp.device_sdk.keys import Algorithm, DeviceKey
from saml_idp.device_sdk.links import parse_approval_link, parse_enrolment_link
from saml_idp.device_sdk.messages import OpenApproval, Verdict
from saml_idp.device_sdk.state import StateFolder

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_MENDS: Final = {
    "code_invalid": "the invitation was used, replaced or has expired: ask for a new one",
    "wrong_password": "the password is wrong; the invitation is still good",
    "throttled": "too many failures: wait",
    "unknown_device": "this device was removed: run `saml-idp device retire`, then enrol it anew",
    "out_of_date": "the clock of this machine is wrong",
    "lock_out": "this is the last device of the last administrator: enrol another one first",
    "over": "the approval is over: ask for a new one on the login page",
    "not_found": "the approval is over, or not for this device",
}


@dataclass(frozen=True, slots=True)
class Question:
    """An open approval, and the enrolled ID that it is put to."""

    own: EnrolledId
    approval: OpenApproval


@contextmanager
def device_errors() -> Iterator[None]:
    """Tell an error of the SDK as the operator's, with what to do about it."""
    try:
        yield
    except CallFailed as failed:
        mend = _MENDS.get(failed.code, str(failed))
        wait = f" ({failed.retry_after} seconds)" if failed.retry_after else ""
        raise click.ClickException(f"refused ({failed.code}): {mend}{wait}") from failed
    except DeviceError as error:
        raise click.ClickException(str(error)) from error


def enrol_here(
    folder: StateFolder,
    link_text: str,
    *,
    device_name: str,
    password: str,
    algorithm: Algorithm,
) -> tuple[EnrolledId, Result | None]:
    """Bind a new key of this machine by an invitation, and try it; None: it could not be tried.

    Once bound it stays bound: a trial that fails is no failure of the enrolment.
    """
    link = parse_enrolment_link(link_text)
    client = DeviceClient(link.base_url, discover(link.base_url).entity_id)
    key = DeviceKey.generate(algorithm)
    key_name = folder.keep_key(key)
    try:
        done = client.enrol(link.code, key=key, device_name=device_name, password=password)
    except CallFailed:
        folder.forget_key(key_name)  # refused: the key is bound to nothing
        raise
    folder.add(done.enrolled, key_name)
    if done.trial is None:
        return done.enrolled, None
    try:
        return done.enrolled, client.answer(done.enrolled, done.trial, Verdict.APPROVE)
    except (CallFailed, ServerUnreachable):
        return done.enrolled, None


def own_ids(folder: StateFolder, identity: str | None) -> Sequence[EnrolledId]:
    """Return the enrolled IDs of this machine, those called *identity* when it is given."""
    found = [own for own in folder.load() if identity in (None, own.identity)]
    if not found:
        which = "no ID" if identity is None else f"not the ID {identity!r}"
        raise click.ClickException(
            f"this machine has enrolled {which}; run: saml-idp device enrol LINK"
        )
    return found


def open_questions(owns: Sequence[EnrolledId], *, wait_seconds: float) -> Sequence[Question]:
    """Return the questions to *owns*, waiting for a first one up to *wait_seconds*.

    One IdP that does not answer hides no question of another.
    """
    until = time.monotonic() + wait_seconds
    while True:
        questions: list[Question] = []
        failures: list[DeviceError] = []
        interval = 60.0
        for own in owns:
            try:
                found = _approvals_of(own)
            except (CallFailed, ServerUnreachable) as failure:
                failures.append(failure)
                continue
            interval = min(interval, max(1.0, found.interval))
            questions += [Question(own, approval) for approval in found.approvals]
        left = until - time.monotonic()
        if questions or left <= 0:
            if not questions and failures:
                raise failures[0]
            return questions
        time.sleep(min(interval, left))


def the_one(questions: Sequence[Question], approval_id: str | None) -> Question:
    """Return the one question to answer; an operator with several has to name it."""
    wanted = [q for q in questions if approval_id in (None, q.approval.approval)]
    logins = [q for q in wanted if not q.approval.trial] or wanted
    if not logins:
        raise click.ClickException("nothing to approve; is the login page still waiting?")
    if len(logins) > 1:
        names = ", ".join(f"{q.approval.approval} ({q.approval.provider_name})" for q in logins)
        raise click.ClickException(f"more than one is open: name it with --approval: {names}")
    return logins[0]


def entered(text: str) -> tuple[str | None, str]:
    """Return approval (None: not named) and row of what was typed: symbols, or a scanned link."""
    try:
        link = parse_approval_link(text)
    except LinkInvalid:
        return None, text.upper().replace(" ", "").replace("-", "")
    return link.approval, link.symbols


def checked_row(row: str, count: int) -> str:
    """Return *row* if it can be right: a typing mistake must not cost the approval (D08)."""
    if len(row) != count or any(character not in ALPHABET for character in row):
        raise click.ClickException(
            f"the login page shows {count} symbols, letters A-Z and digits 2-7; nothing was sent"
        )
    return row


def give_answer(question: Question, verdict: Verdict, *, symbols: str = "") -> Result:
    """Sign and send *verdict*."""
    own = question.own
    client = DeviceClient(own.base_url, own.entity_id)
    return client.answer(own, question.approval, verdict, symbols=symbols)


def retire_here(folder: StateFolder, own: EnrolledId) -> None:
    """Take this machine off the ID; an IdP that removed it before has nothing against it."""
    try:
        DeviceClient(own.base_url, own.entity_id).retire(own)
    except CallFailed as failed:
        if failed.code != "unknown_device":
            raise
    folder.remove(own)


def _approvals_of(own: EnrolledId) -> OpenApprovals:
    return DeviceClient(own.base_url, own.entity_id).approvals(own)


def default_folder() -> Path:
    """Return where this user's enrolled IDs lie."""
    return Path.home() / ".local" / "state" / "saml-idp-device"
