"""Show, for an assertion we signed, that every step behind it took place.

Reads what is stored and believes none of it: seals are walked, the device's signature is
verified again, and each record is held against the others. A change of one row shows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from saml_idp.crypto.device_signatures import verify_stored_answer
from saml_idp.crypto.symbol_box import open_symbols
from saml_idp.domain.approval import Approval, ApprovalState, Verdict
from saml_idp.domain.attempt import LoginAttempt, State
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.chain import SealKey, walk
from saml_idp.domain.device import Device
from saml_idp.domain.errors import DeviceMessageRejected, EvidenceForged, NotFound
from saml_idp.domain.evidence import Evidence, Method, Step
from saml_idp.domain.ids import AssertionId, EntityId
from saml_idp.domain.receipt import Receipt, VerifiedPassword
from saml_idp.ports.store import Store, Unit

T = TypeVar("T")
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """One thing that must hold. ``told``: what was found, or how it differs."""

    name: str
    ok: bool
    told: str


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """The receipt, its user's name, and how each check went."""

    receipt: Receipt
    username: str
    checks: tuple[ReceiptCheck, ...]

    @property
    def ok(self) -> bool:
        """True when every check holds."""
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True)
class VerifyReceipt:
    store: Store
    seal_key: SealKey
    entity_id: EntityId

    def __call__(self, assertion_id: AssertionId) -> ReceiptReport:
        """Return how each check of the assertion's receipt went.

        Raises:
            NotFound: there is no receipt: we never signed such an assertion.
        """
        with self.store.view() as unit:
            receipt = unit.receipts.get(assertion_id)
            stored = _Stored.load(unit, receipt)
            is_recorded = _is_recorded(unit, receipt)
            person = _found(lambda: unit.people.get(receipt.user_id))
        checks = (
            self._chain(stored),
            _check("login", "finished once, for this service and user", _login(stored)),
            self._password(stored),
            self._approval(stored),
            _check("signature", "made by the device over this very question", self._signed(stored)),
            _check("device", "was the user's, and live, when it answered", _device(stored)),
            _check(
                "audit",
                "the trail records the issue",
                "" if is_recorded else "the audit trail does not record this assertion",
            ),
        )
        username = person.username if person is not None else receipt.user_id
        return ReceiptReport(receipt, username, checks)

    def _chain(self, stored: "_Stored") -> ReceiptCheck:
        links = len(stored.receipt.chain)
        try:
            self._evidence(stored)
        except EvidenceForged as forged:
            return ReceiptCheck("chain", ok=False, told=str(forged))
        differs = stored.attempt is None or stored.attempt.chain != stored.receipt.chain
        wrong = "the login's own chain is another" if differs else ""
        return _check("chain", f"{links} links, every seal holds", wrong)

    def _evidence(self, stored: "_Stored") -> tuple[Evidence, ...]:
        """Return the sealed evidence.

        Raises:
            EvidenceForged: a seal is wrong, or the chain is that of another login.
        """
        attempt = stored.attempt
        if attempt is None:
            raise EvidenceForged("the login is gone", reason="login_gone")
        return walk(
            stored.receipt.chain,
            self.seal_key,
            expected_attempt=stored.receipt.attempt_id,
            expected_request=attempt.request,
            expected_steps=attempt.steps,
        )

    def _sealed(self, stored: "_Stored", step: Step, reference: str) -> Evidence | None:
        try:
            evidence = self._evidence(stored)
        except EvidenceForged:
            return None
        return next((e for e in evidence if (e.step, e.reference) == (step, reference)), None)

    def _password(self, stored: "_Stored") -> ReceiptCheck:
        receipt, record = stored.receipt, stored.password
        if receipt.password is None:
            return ReceiptCheck("password", ok=True, told="not asked for: approval alone")
        sealed = self._sealed(stored, Step.PASSWORD, receipt.password)
        approved = self._sealed(stored, Step.APPROVAL, receipt.approval)
        if record is None or sealed is None or approved is None:
            return ReceiptCheck("password", ok=False, told="no sealed evidence of it")
        wrong = _difference(
            ("user", record.user_id, receipt.user_id),
            ("user of the seal", sealed.user_id, receipt.user_id),
            ("time", record.verified_at, sealed.at),
            ("login", sealed.session or record.attempt_id, sealed.session or receipt.attempt_id),
        )
        if not wrong and sealed.at > approved.at:
            wrong = "it was verified after the approval"
        told = f"verified at {record.verified_at:%Y-%m-%d %H:%M:%S} UTC{_carried(sealed)}"
        return _check("password", told, wrong)

    def _approval(self, stored: "_Stored") -> ReceiptCheck:
        receipt, approval = stored.receipt, stored.approval
        sealed = self._sealed(stored, Step.APPROVAL, receipt.approval)
        if approval is None or sealed is None or approval.decided_at is None:
            return ReceiptCheck("approval", ok=False, told="no sealed evidence of it")
        wrong = _difference(
            ("state", approval.state, ApprovalState.SPENT),
            ("user", approval.user_id, receipt.user_id),
            ("user of the seal", sealed.user_id, receipt.user_id),
            ("time", approval.decided_at, sealed.at),
            ("device", approval.device_id, sealed.device_id),
            ("number of symbols", approval.symbols_count, sealed.symbols),
        )
        if not wrong and sealed.session is None:
            wrong = _difference(
                ("login", approval.attempt_id, receipt.attempt_id),
                ("service", approval.provider, receipt.provider),
            )
        told = f"granted at {approval.decided_at:%Y-%m-%d %H:%M:%S} UTC{_carried(sealed)}"
        return _check("approval", told, wrong)

    def _signed(self, stored: "_Stored") -> str:
        """Return how the device's answer differs from the question, "" when it does not."""
        approval = stored.approval
        if approval is None or approval.answer is None or approval.public_key is None:
            return "there is no answer of a device"
        sealed = self._sealed(stored, Step.APPROVAL, approval.approval_id)
        if sealed is not None and sealed.method is not Method.DEVICE:
            return f"an answer by {sealed.method} cannot be verified here"
        try:
            claims = verify_stored_answer(approval.answer, approval.public_key)
            symbols = open_symbols(self.seal_key, approval.approval_id, approval.symbols)
        except (DeviceMessageRejected, EvidenceForged) as refused:
            return str(refused)
        expected = {
            "aud": self.entity_id,
            "iss": approval.device_id,
            "approval": approval.approval_id,
            "attempt": approval.attempt_id or "",
            "id": approval.identity,
            "provider": approval.provider,
            "provider_name": approval.provider_name,
            "nonce": approval.nonce,
            "verdict": Verdict.APPROVE,
        }
        wrong = _difference(*((name, claims[name], value) for name, value in expected.items()))
        # the row itself is told to nobody, the auditor included
        return wrong or ("" if claims["symbols"] == symbols else "the symbols are others")


@dataclass(frozen=True, slots=True)
class _Stored:
    """The records that a receipt refers to; None: gone."""

    receipt: Receipt
    attempt: LoginAttempt | None
    approval: Approval | None
    password: VerifiedPassword | None
    device: Device | None

    @classmethod
    def load(cls, unit: Unit, receipt: Receipt) -> "_Stored":
        password = receipt.password
        approval = _found(lambda: unit.approvals.get(receipt.approval))
        device_id = approval.device_id if approval is not None else None
        return cls(
            receipt,
            _found(lambda: unit.attempts.get(receipt.attempt_id)),
            approval,
            _found(lambda: unit.receipts.get_password(password)) if password is not None else None,
            _found(lambda: unit.devices.get(device_id)) if device_id is not None else None,
        )


def _found(get: Callable[[], T]) -> T | None:
    try:
        return get()
    except NotFound:
        return None


def _is_recorded(unit: Unit, receipt: Receipt) -> bool:
    after = 0
    while True:
        records = unit.audit.read(
            limit=_PAGE,
            after=after,
            event=AuditEvent.ASSERTION_ISSUED,
            subject=receipt.user_id,
            provider=receipt.provider,
            newest_first=False,
        )
        if any(r.record.details.get("assertion") == receipt.assertion_id for r in records):
            return True
        if len(records) < _PAGE:
            return False
        after = records[-1].sequence


def _login(stored: _Stored) -> str:
    attempt, receipt = stored.attempt, stored.receipt
    if attempt is None:
        return "the login is gone"
    return _difference(
        ("state", attempt.state, State.DONE),
        ("service", attempt.request.issuer, receipt.provider),
        ("request", attempt.request.request_id, receipt.request_id),
        ("user", attempt.user_id, receipt.user_id),
    )


def _device(stored: _Stored) -> str:
    device, approval = stored.device, stored.approval
    if device is None or approval is None or approval.decided_at is None:
        return "there is no such device"
    if device.enrolled_at > approval.created_at:
        return "it was enrolled after the question"
    if device.retired_at is not None and device.retired_at <= approval.decided_at:
        return "it was retired before it answered"
    return _difference(
        ("key", device.public_key, approval.public_key),
        ("user", device.user_id, approval.user_id),
        ("ID", device.identity, approval.identity),
    )


def _carried(evidence: Evidence) -> str:
    return ", in an earlier login of the same session" if evidence.session is not None else ""


def _difference(*pairs: tuple[str, object, object]) -> str:
    """Return which value is not the expected one, "" when all are."""
    for name, found, expected in pairs:
        if found != expected:
            return f"{name}: {found!s} where {expected!s} is expected"
    return ""


def _check(name: str, told: str, wrong: str) -> ReceiptCheck:
    return ReceiptCheck(name, ok=not wrong, told=wrong or told)
