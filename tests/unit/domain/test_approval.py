"""What an answer amounts to: the device, the very question, the time, the verdict, the symbols."""

import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from saml_idp.domain import approval as approval_module
from saml_idp.domain.approval import (
    ALPHABET,
    OPEN,
    SUCCESSORS,
    Answer,
    Approval,
    ApprovalState,
    Judgement,
    Verdict,
    judge,
)
from saml_idp.domain.device import Device
from saml_idp.domain.errors import DeviceMessageRejected
from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import (
    ApprovalId,
    ApprovalIdentity,
    AttemptId,
    DeviceId,
    EntityId,
    UserId,
)
from tests.build import NOW

SYMBOLS: Final = "K3QA"
APPROVAL: Final = Approval(
    approval_id=ApprovalId("approval-1"),
    attempt_id=AttemptId("attempt-1"),
    user_id=UserId("u-alice"),
    identity=ApprovalIdentity("alice"),
    provider=EntityId("https://jira.example.org"),
    provider_name="Jira",
    place="192.0.2.1",
    browser="Firefox on Linux",
    nonce="bm9uY2Utb2YtMTI4LWJpdA",
    symbols="sealed",
    symbols_count=4,
    methods=frozenset({Method.DEVICE, Method.PASSKEY}),
    state=ApprovalState.FETCHED,
    known_browser=True,
    created_at=NOW,
    expires_at=NOW + timedelta(seconds=120),
)
DEVICE: Final = Device(
    device_id=DeviceId("device-1"),
    user_id=UserId("u-alice"),
    identity=ApprovalIdentity("alice"),
    name="phone",
    method=Method.DEVICE,
    public_key="{}",
    enrolled_at=NOW - timedelta(days=1),
)
ANSWER: Final = Answer(
    device_id=DeviceId("device-1"),
    approval_id=ApprovalId("approval-1"),
    attempt_id="attempt-1",
    identity="alice",
    provider="https://jira.example.org",
    provider_name="Jira",
    nonce="bm9uY2Utb2YtMTI4LWJpdA",
    verdict="approve",
    symbols=SYMBOLS,
    method=Method.DEVICE,
    user_verified=False,
    expires_at=NOW + timedelta(seconds=60),
    message="a.b.c",
)
SOON: Final = NOW + timedelta(seconds=10)


def judged(
    *,
    approval: Approval = APPROVAL,
    answer: Answer = ANSWER,
    device: Device = DEVICE,
    expected_symbols: str = SYMBOLS,
    require_user_verification: bool = False,
    now: datetime = SOON,
) -> Judgement:
    return judge(
        approval,
        answer,
        expected_symbols=expected_symbols,
        device=device,
        require_user_verification=require_user_verification,
        now=now,
    )


def refusal(**changes: Any) -> str:
    """The reason why judge() refuses."""
    with pytest.raises(DeviceMessageRejected) as rejected:
        judged(**changes)
    return rejected.value.reason


def test_the_right_answer_of_the_right_device_in_time_grants() -> None:
    assert judged() is Judgement.GRANTED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("approval_id", "approval-2"),
        ("attempt_id", "attempt-2"),
        ("attempt_id", ""),
        ("identity", "Alice"),
        ("provider", "https://jira.example.org/"),
        ("provider_name", "Jira "),
        ("provider_name", "Jirа"),  # noqa: RUF001  # the last letter is Cyrillic
        ("nonce", "bm9uY2Utb2YtMTI4LWJpdB"),
        ("nonce", ""),
    ],
)
def test_d04_each_field_flipped_is_refused(field: str, value: Any) -> None:
    assert refusal(answer=replace(ANSWER, **{field: value})) == "mismatch"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("approval_id", "approval-2"),
        ("attempt_id", AttemptId("attempt-2")),
        ("provider", "https://other.example.org"),
        ("provider_name", "Confluence"),
        ("nonce", "another-nonce-of-128-b"),
    ],
)
def test_d04_each_field_of_the_question_flipped_is_refused(field: str, value: Any) -> None:
    assert refusal(approval=replace(APPROVAL, **{field: value})) == "mismatch"


@pytest.mark.parametrize("verdict", ["approve", "deny", "not-me"])
def test_d04_a_flipped_field_is_refused_whatever_the_verdict(verdict: str) -> None:
    """A "no" about another question must not end this one."""
    assert refusal(answer=replace(ANSWER, nonce="x", verdict=verdict)) == "mismatch"


def _of_bob(device: Device) -> Device:
    return replace(device, user_id=UserId("u-bob"), identity=ApprovalIdentity("bob"))


D05: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "another user's device": lambda: {"device": _of_bob(DEVICE)},
    "a device of a former owner of the ID": lambda: {
        "device": replace(DEVICE, user_id=UserId("u-bob"))
    },
    "a device of a former ID of the user": lambda: {
        "device": replace(DEVICE, identity=ApprovalIdentity("alice-old"))
    },
    "a revoked device": lambda: {"device": replace(DEVICE, retired_at=NOW)},
    "a device enrolled after the approval began": lambda: {
        "device": replace(DEVICE, enrolled_at=NOW + timedelta(microseconds=1))
    },
    "an answer that names another device": lambda: {
        "answer": replace(ANSWER, device_id=DeviceId("device-2"))
    },
    "a decoy, which belongs to nobody": lambda: {"approval": replace(APPROVAL, user_id=None)},
    "a decoy's question and a device of nobody": lambda: {
        "approval": replace(APPROVAL, user_id=None),
        "device": replace(DEVICE, user_id=UserId("")),
    },
    "a revoked device's trial": lambda: {
        "approval": replace(APPROVAL, attempt_id=None),
        "answer": replace(ANSWER, attempt_id=""),
        "device": replace(DEVICE, retired_at=NOW),
    },
}


@pytest.mark.parametrize("verdict", ["approve", "deny", "not-me"])
@pytest.mark.parametrize("case", D05)
def test_d05_cve_2018_8340_only_a_device_of_this_user_may_answer(case: str, verdict: str) -> None:
    changes = D05[case]()
    answer = replace(changes.pop("answer", ANSWER), verdict=verdict)
    assert refusal(answer=answer, **changes) == "not_found"


def test_a_device_enrolled_in_the_same_instant_may_answer() -> None:
    assert judged(device=replace(DEVICE, enrolled_at=NOW)) is Judgement.GRANTED


def test_a_trial_approval_is_for_the_device_that_was_just_enrolled() -> None:
    trial = replace(APPROVAL, attempt_id=None, symbols_count=0)
    later = replace(DEVICE, enrolled_at=NOW + timedelta(seconds=1))
    answer = replace(ANSWER, attempt_id="", symbols="")
    assert judged(approval=trial, answer=answer, device=later, expected_symbols="") is (
        Judgement.GRANTED
    )


@pytest.mark.parametrize("state", sorted(frozenset(ApprovalState) - OPEN))
@pytest.mark.parametrize("verdict", ["approve", "deny", "not-me"])
def test_an_approval_that_is_over_takes_no_answer(state: ApprovalState, verdict: str) -> None:
    answer = replace(ANSWER, verdict=verdict)
    assert refusal(approval=replace(APPROVAL, state=state), answer=answer) == "over"


@pytest.mark.parametrize("state", sorted(OPEN))
def test_an_open_approval_takes_an_answer(state: ApprovalState) -> None:
    assert judged(approval=replace(APPROVAL, state=state)) is Judgement.GRANTED


def test_the_approval_ends_at_its_very_instant() -> None:
    long = replace(ANSWER, expires_at=NOW + timedelta(hours=1))
    just = APPROVAL.expires_at - timedelta(microseconds=1)
    assert judged(answer=long, now=just) is Judgement.GRANTED
    assert refusal(answer=long, now=APPROVAL.expires_at) == "over"


def test_the_answer_ends_at_its_very_instant() -> None:
    just = ANSWER.expires_at - timedelta(microseconds=1)
    assert judged(now=just) is Judgement.GRANTED
    assert refusal(now=ANSWER.expires_at) == "over"


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("approve", Judgement.GRANTED),
        ("deny", Judgement.DENIED),
        ("not-me", Judgement.NOT_ME),
        *(
            (word, Judgement.DENIED)
            for word in (
                *("", " ", "Approve", "APPROVE", "approve ", " approve", "approve\n"),
                *("approve\0", "approved", "approv", "аpprove", "yes", "ok"),  # noqa: RUF001
                *("true", "1", "granted", "Not-me", "not_me", "NOT-ME", "verdict"),
            )
        ),
    ],
)
def test_d07_cve_2024_10327_anything_but_the_exact_word_means_no(
    verdict: str, expected: Judgement
) -> None:
    assert judged(answer=replace(ANSWER, verdict=verdict)) is expected


@pytest.mark.parametrize("symbols", ["", "K3QB", "3KQA", "K3Q", "K3QAA", "k3qa", "K3QA ", "Ω" * 4])
def test_wrong_symbols_are_told_from_a_no(symbols: str) -> None:
    assert judged(answer=replace(ANSWER, symbols=symbols)) is Judgement.WRONG_SYMBOLS


@pytest.mark.parametrize("verdict", [Verdict.DENY, Verdict.NOT_ME])
def test_a_no_needs_no_symbols(verdict: Verdict) -> None:
    answer = replace(ANSWER, verdict=verdict, symbols="")
    assert judged(answer=answer) in {Judgement.DENIED, Judgement.NOT_ME}


def test_every_single_wrong_symbol_is_wrong() -> None:
    for place, right in enumerate(SYMBOLS):
        for other in ALPHABET:
            if other != right:
                row = SYMBOLS[:place] + other + SYMBOLS[place + 1 :]
                assert judged(answer=replace(ANSWER, symbols=row)) is Judgement.WRONG_SYMBOLS


def test_a_kind_of_device_that_the_policy_leaves_out_may_not_answer() -> None:
    passkeys = replace(APPROVAL, methods=frozenset({Method.PASSKEY}))
    assert refusal(approval=passkeys) == "method"
    assert judged(approval=passkeys, answer=replace(ANSWER, method=Method.PASSKEY)) is (
        Judgement.GRANTED
    )


def test_user_verification_is_required_for_a_yes_alone() -> None:
    assert refusal(require_user_verification=True) == "user_verification"
    verified = replace(ANSWER, user_verified=True)
    assert judged(answer=verified, require_user_verification=True) is Judgement.GRANTED
    no = replace(ANSWER, verdict="deny")
    assert judged(answer=no, require_user_verification=True) is Judgement.DENIED


def test_s14_symbols_and_nonce_are_compared_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[bytes] = []

    def noted(given: bytes, expected: bytes) -> bool:
        compared.append(given)
        return hmac.compare_digest(given, expected)

    class Noting:
        compare_digest = staticmethod(noted)

    monkeypatch.setattr(approval_module, "hmac", Noting)
    judged()
    assert {SYMBOLS.encode(), ANSWER.nonce.encode()} <= set(compared)


def test_the_arrows_are_those_of_the_diagram() -> None:
    """Written a second time: whoever changes an arrow changes it twice."""
    ends = {"granted", "denied", "failed", "expired", "cancelled", "superseded"}
    diagram = {
        "pending": {"fetched", *ends},
        "fetched": ends,
        "granted": {"spent", "cancelled"},
    }
    assert {str(a): {str(b) for b in to} for a, to in SUCCESSORS.items()} == diagram


def test_an_open_approval_past_its_time_is_expired() -> None:
    assert APPROVAL.state_at(APPROVAL.expires_at) is ApprovalState.EXPIRED
    granted = replace(APPROVAL, state=ApprovalState.GRANTED)
    assert granted.state_at(APPROVAL.expires_at) is ApprovalState.GRANTED
    assert APPROVAL.state_at(SOON) is ApprovalState.FETCHED


def test_the_alphabet_is_base32() -> None:
    assert sorted(ALPHABET) == sorted("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    assert len(set(ALPHABET)) == 32


def test_symbols_do_not_show_in_a_repr() -> None:
    assert SYMBOLS not in repr(ANSWER)
    assert "sealed" not in repr(APPROVAL)
