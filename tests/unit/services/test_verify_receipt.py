"""A receipt proves its assertion; every row that is changed afterwards shows."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from saml_idp.crypto.symbol_box import seal_symbols
from saml_idp.device_sdk.keys import signed
from saml_idp.device_sdk.messages import Verdict
from saml_idp.domain.approval import Approval, ApprovalState
from saml_idp.domain.attempt import State
from saml_idp.domain.audit import StoredRecord
from saml_idp.domain.chain import extend, walk
from saml_idp.domain.errors import NotFound
from saml_idp.domain.evidence import Evidence, Step
from saml_idp.domain.ids import (
    ApprovalId,
    ApprovalIdentity,
    AssertionId,
    AttemptId,
    DeviceId,
    EntityId,
    UserId,
)
from saml_idp.services.verify_receipt import ReceiptReport, VerifyReceipt
from tests.build import IDP, NOW, OTHER_SEAL_KEY, PROVIDER, SEAL_KEY, a_policy, a_provider
from tests.fakes import FakeStore, Rows
from tests.unit.services.house import House, Jar, Phone, another_provider

ANOTHER = another_provider(2)


class Archive:
    """A house in which Alice has signed in once, and the receipt of it."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.house = House(self.store, providers=(a_provider(), ANOTHER))
        self.house.add_person()
        self.phone: Phone = self.house.add_phone()
        self.jar: Jar = self.house.a_jar()

    def sign_in(self, provider: str = PROVIDER) -> AssertionId:
        before = set(self.store.rows.receipts)
        self.house.log_in(self.jar, self.phone, provider)
        (assertion_id,) = set(self.store.rows.receipts) - before
        self.house.clock.advance(minutes=5)
        return assertion_id

    def answer(self, approval: Approval) -> str:
        """Return the phone's answer with the symbols that the login page showed."""
        (stored,) = self.store.rows.approvals.values()
        symbols = self.house.symbols_of(stored)
        return self.phone.answer(approval, Verdict.APPROVE, symbols, now=approval.created_at)

    def verify(self, assertion_id: AssertionId, **changes: Any) -> ReceiptReport:
        verb = VerifyReceipt(self.store, SEAL_KEY, IDP)
        return replace(verb, **changes)(assertion_id)


@pytest.fixture
def archive() -> Archive:
    return Archive()


def _failed(report: ReceiptReport) -> set[str]:
    return {check.name for check in report.checks if not check.ok}


def test_a_true_receipt_holds_in_every_check(archive: Archive) -> None:
    report = archive.verify(archive.sign_in())

    assert _failed(report) == set()
    assert report.ok
    assert report.username == "alice"
    assert [c.name for c in report.checks] == [
        "chain",
        "login",
        "password",
        "approval",
        "signature",
        "device",
        "audit",
    ]


def test_a_receipt_of_a_session_s_login_holds(archive: Archive) -> None:
    archive.sign_in()

    report = archive.verify(archive.sign_in(ANOTHER.entity_id))

    assert _failed(report) == set()
    assert "earlier login" in next(c.told for c in report.checks if c.name == "approval")


def test_a_receipt_of_approval_alone_holds_without_a_password(archive: Archive) -> None:
    archive.house.policies.by_id[PROVIDER] = a_policy(two_step=False)

    report = archive.verify(archive.sign_in())

    assert report.ok
    assert report.receipt.password is None


def test_a_device_that_was_retired_later_does_not_matter(archive: Archive) -> None:
    assertion_id = archive.sign_in()
    _change(archive.store.rows.devices, retired_at=archive.house.clock.now())

    assert archive.verify(assertion_id).ok


def test_what_we_never_signed_has_no_receipt(archive: Archive) -> None:
    with pytest.raises(NotFound):
        archive.verify(AssertionId("_forged"))


def test_another_seal_key_verifies_nothing(archive: Archive) -> None:
    report = archive.verify(archive.sign_in(), seal_key=OTHER_SEAL_KEY)

    assert {"chain", "password", "approval", "signature"} <= _failed(report)


def test_an_answer_to_another_idp_is_none_to_us(archive: Archive) -> None:
    report = archive.verify(archive.sign_in(), entity_id=EntityId("https://other.example.org"))

    assert _failed(report) == {"signature"}


def test_no_check_tells_the_access_symbols(archive: Archive) -> None:
    assertion_id = archive.sign_in()
    (approval,) = archive.store.rows.approvals.values()
    symbols = archive.house.symbols_of(approval)

    assert symbols not in repr(archive.verify(assertion_id).checks)


def _change(rows: dict[Any, Any], **changes: Any) -> None:
    """Change each row, as somebody with access to the database could."""
    for key, row in rows.items():
        rows[key] = replace(row, **changes)


def _approval(**changes: Any) -> Callable[[Rows], None]:
    return lambda rows: _change(rows.approvals, **changes)


def _receipt(**changes: Any) -> Callable[[Rows], None]:
    return lambda rows: _change(rows.receipts, **changes)


def _attempt(**changes: Any) -> Callable[[Rows], None]:
    return lambda rows: _change(rows.attempts, **changes)


def _password(**changes: Any) -> Callable[[Rows], None]:
    return lambda rows: _change(rows.passwords, **changes)


def _device(**changes: Any) -> Callable[[Rows], None]:
    return lambda rows: _change(rows.devices, **changes)


def _drop_a_link(rows: Rows) -> None:
    (receipt,) = rows.receipts.values()
    chain = (receipt.chain[0], *receipt.chain[2:])
    _change(rows.receipts, chain=chain)
    _change(rows.attempts, chain=chain)


def _other_chain_in_login(rows: Rows) -> None:
    (receipt,) = rows.receipts.values()
    _change(rows.attempts, chain=receipt.chain[:1])


def _other_symbols(rows: Rows) -> None:
    (approval,) = rows.approvals.values()
    _change(rows.approvals, symbols=seal_symbols(SEAL_KEY, approval.approval_id, "AAAA"))


def _password_after_approval(rows: Rows) -> None:
    (approval,) = rows.approvals.values()
    _change(rows.passwords, verified_at=approval.created_at + timedelta(minutes=1))


def _request_of_another(rows: Rows) -> None:
    (attempt,) = rows.attempts.values()
    _change(rows.attempts, request=replace(attempt.request, reply_to="https://evil.example"))


def _clear_audit(rows: Rows) -> None:
    rows.audit.clear()


def _early_retirement(rows: Rows) -> None:
    (approval,) = rows.approvals.values()
    _change(rows.devices, retired_at=approval.created_at)


def _late_enrolment(rows: Rows) -> None:
    (approval,) = rows.approvals.values()
    _change(rows.devices, enrolled_at=approval.created_at + timedelta(seconds=1))


def _flip_signature(rows: Rows) -> None:
    (approval,) = rows.approvals.values()
    head, _, signature = str(approval.answer).rpartition(".")
    swapped = ("B" if signature[0] == "A" else "A") + signature[1:]
    _change(rows.approvals, answer=f"{head}.{swapped}")


@pytest.mark.parametrize(
    ("change", "shows_in"),
    [
        (_drop_a_link, "chain"),
        (_other_chain_in_login, "chain"),
        (_request_of_another, "chain"),
        (lambda rows: rows.attempts.clear(), "login"),
        (_attempt(state=State.REFUSED), "login"),
        (_attempt(user_id=UserId("u-bob")), "login"),
        (_receipt(provider=EntityId("https://evil.example")), "login"),
        (_receipt(request_id="_another"), "login"),
        (_receipt(user_id=UserId("u-bob")), "login"),
        (lambda rows: rows.passwords.clear(), "password"),
        (_password(user_id=UserId("u-bob")), "password"),
        (_password(attempt_id=AttemptId("another")), "password"),
        (_password_after_approval, "password"),
        (_receipt(password="made-up"), "password"),
        (lambda rows: rows.approvals.clear(), "approval"),
        (_approval(state=ApprovalState.GRANTED), "approval"),
        (_approval(user_id=UserId("u-bob")), "approval"),
        (_approval(device_id=DeviceId("another")), "approval"),
        (_approval(attempt_id=AttemptId("another")), "approval"),
        (_approval(provider=EntityId("https://evil.example")), "approval"),
        (_approval(symbols_count=1), "approval"),
        (_approval(decided_at=NOW + timedelta(seconds=1)), "approval"),
        (_receipt(approval="made-up"), "approval"),
        (_flip_signature, "signature"),
        (_other_symbols, "signature"),
        (_approval(device_id=DeviceId("another")), "signature"),
        (_approval(attempt_id=AttemptId("another")), "signature"),
        (_approval(provider=EntityId("https://evil.example")), "signature"),
        (_approval(symbols="garbage"), "signature"),
        (_approval(nonce="n" * 22), "signature"),
        (_approval(provider_name="Payroll"), "signature"),
        (_approval(identity=ApprovalIdentity("bob")), "signature"),
        (_approval(answer=None), "signature"),
        (_approval(answer="not a message"), "signature"),
        (_approval(public_key='{"kty":"oct"}'), "signature"),
        (lambda rows: rows.devices.clear(), "device"),
        (_early_retirement, "device"),
        (_late_enrolment, "device"),
        (_device(public_key="{}"), "device"),
        (_device(user_id=UserId("u-bob")), "device"),
        (_device(identity=ApprovalIdentity("bob")), "device"),
        (_clear_audit, "audit"),
    ],
)
def test_a_row_that_was_changed_shows(
    archive: Archive, change: Callable[[Rows], None], shows_in: str
) -> None:
    assertion_id = archive.sign_in()

    change(archive.store.rows)

    report = archive.verify(assertion_id)
    assert shows_in in _failed(report)
    assert not report.ok


def _read(part: str) -> dict[str, object]:
    read: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return read


@pytest.mark.parametrize("verdict", [Verdict.DENY, Verdict.NOT_ME])
def test_a_denial_passed_off_as_an_approval_shows(archive: Archive, verdict: Verdict) -> None:
    """With the right symbols in it: the verdict alone tells."""
    assertion_id = archive.sign_in()
    (approval,) = archive.store.rows.approvals.values()
    key = archive.phone.key
    header, claims = (_read(part) for part in archive.answer(approval).split(".")[:2])
    denial = signed(header, {**claims, "verdict": str(verdict)}, key)

    _change(archive.store.rows.approvals, answer=denial)

    assert _failed(archive.verify(assertion_id)) == {"signature"}


def test_an_answer_to_another_question_shows(archive: Archive) -> None:
    """Everything is the same but the approval: a replayed answer."""
    assertion_id = archive.sign_in()
    (approval,) = archive.store.rows.approvals.values()
    other = archive.answer(replace(approval, approval_id=ApprovalId("another")))

    _change(archive.store.rows.approvals, answer=other)

    assert _failed(archive.verify(assertion_id)) == {"signature"}


def _resealed(archive: Archive, change: Callable[[Evidence], Evidence], step: Step) -> set[str]:
    """Sign in, seal the chain anew with *change* made to *step*; return which checks fail."""
    assertion_id = archive.sign_in()
    rows = archive.store.rows
    (attempt,) = rows.attempts.values()
    evidence = walk(
        attempt.chain,
        SEAL_KEY,
        expected_attempt=attempt.attempt_id,
        expected_request=attempt.request,
        expected_steps=attempt.steps,
    )
    chain = attempt.chain[:1]
    for one in evidence:
        chain = extend(chain, change(one) if one.step is step else one, SEAL_KEY)
    _change(rows.attempts, chain=chain)
    _change(rows.receipts, chain=chain)
    return _failed(archive.verify(assertion_id))


def test_sealed_evidence_of_another_user_shows(archive: Archive) -> None:
    def of_bob(evidence: Evidence) -> Evidence:
        return replace(evidence, user_id=UserId("u-bob"))

    assert _resealed(archive, of_bob, Step.PASSWORD) == {"password"}
    assert _resealed(Archive(), of_bob, Step.APPROVAL) == {"approval"}


def test_a_password_sealed_after_its_approval_shows(archive: Archive) -> None:
    """Rule 3: steps run in order."""
    late = NOW + timedelta(minutes=1)
    sign_in = archive.sign_in

    def and_move_the_record(provider: str = PROVIDER) -> AssertionId:
        assertion_id = sign_in(provider)
        _change(archive.store.rows.passwords, verified_at=late)
        return assertion_id

    archive.sign_in = and_move_the_record  # type: ignore[method-assign]

    assert _resealed(archive, lambda e: replace(e, at=late), Step.PASSWORD) == {"password"}


def test_the_audit_record_is_found_behind_many_others(archive: Archive) -> None:
    assertion_id = archive.sign_in()
    rows: list[StoredRecord] = archive.store.rows.audit
    issued = next(r for r in rows if r.record.details.get("assertion") == assertion_id)
    other = replace(issued.record, details={"assertion": "_other"})
    rows[:0] = [StoredRecord(n, other) for n in range(1, 1201)]
    for place, one in enumerate(rows, 1):
        rows[place - 1] = replace(one, sequence=place)

    assert archive.verify(assertion_id).ok
