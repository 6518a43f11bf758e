"""Sealed links: nothing that touches them goes unnoticed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.domain.attempt import APPROVAL_ALONE, TWO_STEP
from saml_idp.domain.chain import (
    Chain,
    Link,
    SealKey,
    evidence_body,
    extend,
    open_from_session,
    restarted,
    seal_for_session,
    walk,
)
from saml_idp.domain.errors import EvidenceForged
from saml_idp.domain.evidence import Evidence, Method, Step
from saml_idp.domain.ids import AttemptId, DeviceId, UserId
from tests.build import (
    ATTEMPT,
    NOW,
    OTHER_SEAL_KEY,
    SEAL_KEY,
    a_chain,
    a_request,
    approval_evidence,
    evidence_for,
    password_evidence,
)

WHOLE = a_chain(*evidence_for(TWO_STEP))

evidences = st.builds(
    Evidence,
    step=st.sampled_from(Step),
    user_id=st.text(max_size=20).map(UserId),
    at=st.datetimes().map(lambda at: at.replace(tzinfo=NOW.tzinfo)),
    reference=st.text(max_size=30),
    method=st.sampled_from(Method),
    symbols=st.integers(0, 6),
    user_verified=st.booleans(),
    device_id=st.none() | st.text(max_size=10).map(DeviceId),
    session=st.none() | st.text(max_size=10),
)


def walked(chain: Chain, **changes: object) -> tuple[Evidence, ...]:
    expected: dict[str, object] = {
        "expected_attempt": ATTEMPT,
        "expected_request": a_request(),
        "expected_steps": TWO_STEP,
    }
    return walk(chain, SEAL_KEY, **(expected | changes))  # type: ignore[arg-type]


def refusal(chain: Chain, **changes: object) -> str:
    with pytest.raises(EvidenceForged) as refused:
        walked(chain, **changes)
    return refused.value.reason


@given(st.lists(evidences, max_size=4))
def test_a_walk_returns_the_evidence_in_the_order_it_was_added(added: list[Evidence]) -> None:
    assert walked(a_chain(*added)) == tuple(added)


@given(
    number=st.integers(0, 2),
    in_seal=st.booleans(),
    place=st.integers(0, 10_000),
    flip=st.integers(1, 127),
)
def test_any_single_changed_character_breaks_the_walk(
    *, number: int, in_seal: bool, place: int, flip: int
) -> None:
    link = WHOLE[number]
    text = link.seal if in_seal else link.body
    at = place % len(text)
    changed = text[:at] + chr(ord(text[at]) ^ flip) + text[at + 1 :]
    forged = Link(link.body, changed) if in_seal else Link(changed, link.seal)
    chain = (*WHOLE[:number], forged, *WHOLE[number + 1 :])
    assert refusal(chain) == "seal_differs"


@pytest.mark.parametrize("seal", ["", "é" * 64, "0" * 64, "not hex", WHOLE[0].seal.upper()])
def test_a_seal_of_any_other_shape_is_a_forgery_not_a_crash(seal: str) -> None:
    assert refusal((Link(WHOLE[0].body, seal), *WHOLE[1:])) == "seal_differs"


@pytest.mark.parametrize(
    "chain",
    [
        (WHOLE[0], WHOLE[2]),  # a row dropped
        (WHOLE[0], WHOLE[2], WHOLE[1]),  # moved
        (*WHOLE, WHOLE[1]),  # doubled
        WHOLE[1:],  # without its opening
        (WHOLE[1], WHOLE[0], WHOLE[2]),
    ],
)
def test_a_row_dropped_moved_or_doubled_breaks_the_walk(chain: Chain) -> None:
    assert refusal(chain) == "seal_differs"


def test_a_row_taken_from_another_login_breaks_the_walk() -> None:
    other = a_chain(*evidence_for(TWO_STEP), attempt_id=AttemptId("attempt-2"))
    assert refusal((*WHOLE[:2], other[2])) == "seal_differs"


def test_a_cut_tail_walks_and_lacks_its_evidence() -> None:
    assert walked(WHOLE[:2]) == (password_evidence(),)


def test_no_chain_at_all_is_a_forgery() -> None:
    assert refusal(()) == "chain_empty"


def test_links_of_another_key_break_the_walk() -> None:
    assert refusal(a_chain(password_evidence(), key=OTHER_SEAL_KEY)) == "seal_differs"


@pytest.mark.parametrize(
    "changes",
    [
        {"expected_attempt": AttemptId("attempt-2")},
        {"expected_steps": APPROVAL_ALONE},
        *(
            {"expected_request": a_request(**change)}
            for change in (
                {"request_id": "_another"},
                {"issuer": "https://other.example/metadata"},
                {"reply_to": "https://evil.example/acs"},
                {"relay_state": None},
                {"force_authn": True},
                {"is_passive": True},
                {"subject_name_id": "bob"},
                {"was_signed": True},
                {"received_at": NOW + timedelta(microseconds=1)},
            )
        ),
    ],
)
def test_a_chain_speaks_of_one_login_request_and_plan(changes: dict[str, object]) -> None:
    assert refusal(WHOLE, **changes) == "opening_differs"


def test_nothing_is_built_on_a_forged_chain() -> None:
    with pytest.raises(EvidenceForged):
        extend((Link(WHOLE[0].body, "0" * 64),), approval_evidence(), SEAL_KEY)


def test_a_restart_keeps_the_opening_and_no_evidence() -> None:
    assert restarted(WHOLE) == WHOLE[:1]
    assert walked(restarted(WHOLE)) == ()


@given(evidences)
def test_session_evidence_comes_back_for_its_own_session(evidence: Evidence) -> None:
    link = seal_for_session("session-1", evidence, SEAL_KEY)
    assert open_from_session("session-1", link, SEAL_KEY) == evidence


@pytest.mark.parametrize(
    "link",
    [
        seal_for_session("session-2", password_evidence(), SEAL_KEY),
        seal_for_session("session-1", password_evidence(), OTHER_SEAL_KEY),
        WHOLE[1],  # a link of a login is no evidence of a session
        replace(
            seal_for_session("session-1", password_evidence(), SEAL_KEY),
            body=evidence_body(password_evidence(user_id=UserId("u-bob"))),
        ),
    ],
)
def test_a_link_of_elsewhere_is_no_session_evidence(link: Link) -> None:
    with pytest.raises(EvidenceForged) as refused:
        open_from_session("session-1", link, SEAL_KEY)
    assert refused.value.reason == "session_seal_differs"


def test_session_evidence_is_no_link_of_a_login() -> None:
    link = seal_for_session("session-1", password_evidence(), SEAL_KEY)
    assert refusal((WHOLE[0], link)) == "seal_differs"


def test_a_short_key_seals_nothing() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SealKey(b"k" * 31)


def test_a_key_never_shows_itself() -> None:
    assert "seal" not in repr(SEAL_KEY).removeprefix("SealKey")
