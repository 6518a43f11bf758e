"""What an earlier login still counts for: these steps, that long, in that order."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from saml_idp.domain.attempt import APPROVAL_ALONE, TWO_STEP, Steps
from saml_idp.domain.errors import EvidenceForged
from saml_idp.domain.evidence import Evidence, Method
from saml_idp.domain.ids import SessionId
from saml_idp.domain.policy import Policy, UserVerification
from saml_idp.domain.session import LONGEST_IDLE, Session, resumable, still_good
from tests.build import (
    BOB,
    NOW,
    OTHER_SEAL_KEY,
    SEAL_KEY,
    SESSION,
    a_policy,
    a_session,
    approval_evidence,
    evidence_for,
    password_evidence,
    seconds,
)

HOUR = timedelta(hours=1)
TINY = timedelta(microseconds=1)
P, A = password_evidence(), approval_evidence()


@pytest.mark.parametrize(
    ("session", "now", "idle", "expected"),
    [
        (a_session(), NOW, HOUR, True),
        (a_session(), NOW + HOUR - TINY, HOUR, True),
        (a_session(), NOW + HOUR, HOUR, False),  # idle
        (a_session(), NOW + HOUR, 5 * HOUR, False),  # E04: no setting makes it longer
        (a_session(), NOW + timedelta(minutes=15), timedelta(minutes=15), False),
        (a_session(ends_at=NOW + seconds(9)), NOW + seconds(9) - TINY, HOUR, True),
        (a_session(ends_at=NOW + seconds(9)), NOW + seconds(9), HOUR, False),
        (a_session(ended_at=NOW), NOW, HOUR, False),
        (a_session(last_used_at=NOW + HOUR), NOW + 2 * HOUR - TINY, HOUR, True),
    ],
)
def test_a_session_lives_until_it_is_idle_over_or_ended(
    *, session: Session, now: datetime, idle: timedelta, expected: bool
) -> None:
    assert session.is_live(now, idle=idle) is expected


def test_the_longest_idle_time_is_an_hour() -> None:
    assert LONGEST_IDLE == HOUR


def test_its_evidence_says_which_session_carried_it() -> None:
    expected = tuple(replace(e, session=SESSION) for e in evidence_for(TWO_STEP))
    assert a_session().evidence(SEAL_KEY) == expected


@pytest.mark.parametrize(
    ("session", "reason"),
    [
        (a_session(P, replace(A, user_id=BOB)), "session_user"),
        (a_session(user_id=BOB), "session_user"),
        (a_session(key=OTHER_SEAL_KEY), "session_seal_differs"),
        (replace(a_session(), session_id=SessionId("session-2")), "session_seal_differs"),
    ],
)
def test_links_of_elsewhere_are_a_forgery(session: Session, reason: str) -> None:
    with pytest.raises(EvidenceForged) as refused:
        session.evidence(SEAL_KEY)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("age", "max_age", "expected"),
    [
        (HOUR - TINY, HOUR, True),
        (HOUR, HOUR, False),
        (timedelta(0), HOUR, True),
        (-TINY, HOUR, False),  # of the future: a clock went back
        (timedelta(0), timedelta(0), False),  # 0: at every login
    ],
)
def test_evidence_serves_until_the_policys_age(
    *, age: timedelta, max_age: timedelta, expected: bool
) -> None:
    for evidence in (P, A):
        good = still_good(evidence, a_policy(step_max_age=max_age), evidence.at + age)
        assert good is expected


@pytest.mark.parametrize(
    ("evidence", "policy", "expected"),
    [
        (A, a_policy(access_symbols=5), False),
        (A, a_policy(access_symbols=3), True),
        (A, a_policy(methods=frozenset({Method.PASSKEY})), False),
        (A, a_policy(user_verification=UserVerification.REQUIRED), False),
        (
            replace(A, user_verified=True),
            a_policy(user_verification=UserVerification.REQUIRED),
            True,
        ),
        (P, a_policy(user_verification=UserVerification.REQUIRED, access_symbols=6), True),
    ],
)
def test_evidence_serves_only_if_it_is_as_strong_as_this_provider_asks(
    *, evidence: Evidence, policy: Policy, expected: bool
) -> None:
    assert still_good(evidence, policy, NOW + seconds(60)) is expected


@pytest.mark.parametrize(
    ("evidence", "steps", "serving"),
    [
        ((P, A), TWO_STEP, (P, A)),
        ((P, A), APPROVAL_ALONE, (A,)),
        ((P,), TWO_STEP, (P,)),
        ((A,), TWO_STEP, ()),  # P08: fewer steps never serve a provider that asks for more
        ((A,), APPROVAL_ALONE, (A,)),
        ((P,), APPROVAL_ALONE, ()),
        ((), TWO_STEP, ()),
        ((A, P), TWO_STEP, (P, A)),
        ((P, replace(A, symbols=1)), TWO_STEP, (P,)),
        ((replace(P, at=NOW - 9 * HOUR), A), TWO_STEP, ()),  # and so the approval is repeated too
        ((replace(P, at=A.at + TINY), A), TWO_STEP, (replace(P, at=A.at + TINY),)),
        ((replace(P, at=A.at), A), TWO_STEP, (replace(P, at=A.at), A)),
    ],
)
def test_what_serves_is_the_beginning_of_the_chain(
    evidence: tuple[Evidence, ...], steps: Steps, serving: tuple[Evidence, ...]
) -> None:
    assert resumable(evidence, steps, a_policy(), NOW + seconds(60)) == serving
