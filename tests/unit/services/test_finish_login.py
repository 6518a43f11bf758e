"""Prove, spend, record, issue: what one finish leaves behind, and what stops it."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.attempt import APPROVAL_ALONE, LoginAttempt, State
from saml_idp.domain.authn_context import MOBILE_ONE_FACTOR, REFEDS_MFA
from saml_idp.domain.chain import Link
from saml_idp.domain.errors import (
    ChainIncomplete,
    EvidenceForged,
    IdpError,
    LoginRefused,
    NotFound,
    StoreUnavailable,
    TransitionNotAllowed,
)
from saml_idp.domain.evidence import Step
from saml_idp.domain.ids import Digest, UserId
from saml_idp.domain.policy import NameIdFormat
from saml_idp.domain.receipt import Receipt
from saml_idp.domain.session import Session
from saml_idp.services.finish_login import Finished
from tests.build import ACS, ALICE, ORIGIN, PROVIDER, a_policy
from tests.fakes import FakeStore
from tests.unit.services.house import House, Jar, Phone, another_provider

FORCED = 'ForceAuthn="true"'


def complete(house: House, jar: Jar, phone: Phone, **request: Any) -> LoginAttempt:
    """Return a login of alice whose two steps are done."""
    attempt = house.begin(jar, **request)
    if attempt.state is State.AWAITING_PASSWORD:
        attempt = house.password(attempt, jar)
    elif attempt.state is State.AWAITING_NAME:
        attempt = house.give_name(attempt.attempt_id, "alice")
    house.clock.advance(seconds=5)
    if attempt.state is State.AWAITING_APPROVAL:
        house.answer(phone, house.ask(attempt, jar).approval_id)
        attempt = house.stored(attempt)
    assert attempt.state is State.CHAIN_COMPLETE
    return attempt


def receipt_of(house: House, finished: Finished) -> Receipt:
    with house.store.view() as unit:
        return unit.receipts.get(finished.response.assertion_id)


def session_of(house: House, jar: Jar) -> Session:
    assert jar.session is not None
    with house.store.view() as unit:
        found = unit.sessions.find(jar.session)
    assert found is not None
    return found


def receipts(house: House) -> int:
    with house.store.view() as unit:
        return unit.receipts.count()


def refused(house: House, jar: Jar, attempt: LoginAttempt, expected: type[IdpError]) -> str:
    before = receipts(house)
    with pytest.raises(expected) as error:
        house.finish(attempt, jar)
    assert receipts(house) == before
    return error.value.reason


def test_an_assertion_leaves_a_receipt_a_spent_approval_a_session_and_a_record(
    house: House, jar: Jar, phone: Phone
) -> None:
    attempt = complete(house, jar, phone)
    finished = house.finish(attempt, jar)
    assert (finished.response.destination, finished.response.relay_state) == (ACS, "state")
    assert finished.session_started
    assert house.stored(attempt).state is State.DONE
    receipt = receipt_of(house, finished)
    assert (receipt.attempt_id, receipt.user_id, receipt.provider) == (
        attempt.attempt_id,
        ALICE,
        PROVIDER,
    )
    assert receipt.request_id == attempt.request.request_id
    assert receipt.chain == attempt.chain
    assert receipt.context_class == REFEDS_MFA
    assert receipt.name_id == "alice"
    assert (
        "two-step authentication is on: password, then ID approval (built-in default)"
        in receipt.explanation
    )
    assert house.approval(receipt.approval).state is ApprovalState.SPENT
    with house.store.view() as unit:
        assert receipt.password is not None
        assert unit.receipts.get_password(receipt.password).attempt_id == attempt.attempt_id
        (record,) = unit.audit.read(limit=1)
    assert record.record.event == "assertion_issued"
    assert record.record.details["assertion"] == receipt.assertion_id
    assert record.record.details["steps"] == ["password:now", "approval:now"]
    session = session_of(house, jar)
    assert session.session_id == receipt.session_id
    assert session.ends_at - session.created_at == house.limits.session_whole
    assert jar.browser.knows(ALICE)


def test_an_approval_alone_leaves_a_receipt_without_a_password(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    receipt = receipt_of(house, house.finish(complete(house, jar, phone), jar))
    assert (receipt.password, receipt.context_class) == (None, MOBILE_ONE_FACTOR)


def test_a_second_finish_of_the_same_login_issues_nothing(
    house: House, jar: Jar, phone: Phone
) -> None:
    """I4: also with the login as it was before the first."""
    attempt = complete(house, jar, phone)
    house.finish(attempt, jar)
    assert refused(house, jar, attempt, TransitionNotAllowed)
    assert refused(house, jar, house.stored(attempt), ChainIncomplete) == "not_complete"
    assert house.stored(attempt).state is State.DONE
    assert [e for e, _ in house.events()].count("assertion_issued") == 1


def test_of_sixteen_finishes_at_once_one_issues(house: House, jar: Jar, phone: Phone) -> None:
    attempt = complete(house, jar, phone)
    barrier, issued = threading.Barrier(16), []

    def finish() -> None:
        barrier.wait()
        try:
            issued.append(house.finish(attempt, Jar(jar.browser)))
        except TransitionNotAllowed:
            return

    threads = [threading.Thread(target=finish) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(issued), receipts(house)) == (1, 1)


def test_a_session_that_serves_every_step_is_kept_and_its_receipt_names_its_evidence(
    house: House, jar: Jar, phone: Phone
) -> None:
    first = receipt_of(house, house.finish(complete(house, jar, phone), jar))
    secret = jar.session
    house.clock.advance(minutes=30)
    attempt = house.begin(jar)
    finished = house.finish(attempt, jar)
    second = receipt_of(house, finished)
    assert not finished.session_started
    assert jar.session == secret
    assert (second.approval, second.password) == (first.approval, first.password)
    assert second.session_index != first.session_index
    assert session_of(house, jar).last_used_at == house.clock.now()
    with house.store.view() as unit:
        (record,) = unit.audit.read(limit=1)
    assert record.record.details["steps"] == ["password:session", "approval:session"]
    assert house.stored(attempt).state is State.DONE  # stored together with its receipt


def test_an_own_step_starts_a_new_session_and_the_old_one_ends(
    house: House, jar: Jar, phone: Phone
) -> None:
    """P08, E03: replaced, never merged; and it ends no later than the one it replaces."""
    house.finish(complete(house, jar, phone), jar)
    old = session_of(house, jar)
    house.clock.advance(minutes=10)
    house.policies.by_id[PROVIDER] = a_policy(access_symbols=5)
    finished = house.finish(complete(house, jar, phone), jar)
    new = session_of(house, jar)
    assert finished.session_started
    assert new.session_id != old.session_id
    assert new.ends_at == old.ends_at
    with house.store.view() as unit:
        ended = unit.sessions.find(old.secret)
    assert ended is not None
    assert ended.ended_at == house.clock.now()


def test_a_login_with_all_steps_of_its_own_starts_a_whole_new_session(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.finish(complete(house, jar, phone), jar)
    house.clock.advance(minutes=10)
    house.finish(complete(house, jar, phone, attributes=FORCED), jar)
    assert session_of(house, jar).ends_at == house.clock.now() + house.limits.session_whole


def test_another_users_login_in_the_same_browser_takes_over_nothing(
    house: House, jar: Jar, phone: Phone
) -> None:
    """CVE-2023-6787."""
    house.finish(complete(house, jar, phone), jar)
    house.add_person("bob")
    bobs = house.add_phone("bob")
    attempt = house.begin(jar, attributes=FORCED)
    attempt = house.password(attempt, jar, "bob")
    house.answer(bobs, house.ask(attempt, jar).approval_id)
    receipt = receipt_of(house, house.finish(house.stored(attempt), jar))
    assert (receipt.user_id, receipt.name_id) == ("u-bob", "bob")
    session = session_of(house, jar)
    assert session.user_id == "u-bob"


def test_a_session_that_ended_meanwhile_serves_nothing(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.finish(complete(house, jar, phone), jar)
    attempt = house.begin(jar)
    with house.store.unit() as unit:
        unit.sessions.end_of_user(ALICE, house.clock.now())
    assert refused(house, jar, attempt, ChainIncomplete) == "session_over"


def test_a_login_that_a_session_carried_is_not_finished_in_another_browser(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.finish(complete(house, jar, phone), jar)
    attempt = house.begin(jar)
    assert refused(house, house.a_jar(), attempt, ChainIncomplete) == "session_over"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"enabled": False}, "user_disabled"),
        ({"identity": None}, "no_identity"),
        ({"groups": ()}, "not_in_groups"),
    ],
)
def test_a_user_who_lost_the_right_after_the_last_step_is_refused(
    house: House, jar: Jar, phone: Phone, change: dict[str, Any], reason: str
) -> None:
    """P12: read in the same transaction."""
    house.policies.by_id[PROVIDER] = a_policy(groups=("staff",))
    attempt = complete(house, jar, phone)
    with house.store.unit() as unit:
        person = unit.people.get(ALICE)
        unit.people.replace(person, replace(person, **change))
    assert refused(house, jar, attempt, ChainIncomplete) == reason
    ended = house.stored(attempt)
    assert (ended.state, ended.ended_because) == (State.REFUSED, reason)
    assert house.events()[-1] == ("finish_refused", reason)


def test_a_device_removed_after_its_answer_does_not_count(
    house: House, jar: Jar, phone: Phone
) -> None:
    """D17."""
    attempt = complete(house, jar, phone)
    house.retire_device(phone.device.device_id, origin=ORIGIN)
    assert refused(house, jar, attempt, ChainIncomplete) == "device_retired"


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (a_policy(access_symbols=5), "approval_not_enough"),
        (a_policy(methods=frozenset()), "approval_not_enough"),
        (a_policy(groups=("nobody",)), "not_in_groups"),
    ],
)
def test_the_policy_in_force_at_the_finish_counts(
    house: House, jar: Jar, phone: Phone, policy: Any, reason: str
) -> None:
    attempt = complete(house, jar, phone)
    house.policies.by_id[PROVIDER] = policy
    assert refused(house, jar, attempt, ChainIncomplete) == reason


def test_two_step_switched_on_meanwhile_stops_an_approval_alone(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    attempt = complete(house, jar, phone)
    assert attempt.steps == APPROVAL_ALONE
    house.policies.by_id[PROVIDER] = a_policy()
    assert refused(house, jar, attempt, ChainIncomplete) == "password_missing"


def test_a_policy_that_broke_meanwhile_ends_the_login(house: House, jar: Jar, phone: Phone) -> None:
    attempt = complete(house, jar, phone)
    house.policies.by_id[PROVIDER] = None
    assert refused(house, jar, attempt, LoginRefused) == "policy_fault"
    assert house.stored(attempt).state is State.REFUSED


def test_a_provider_taken_away_meanwhile_gets_nothing(house: House, jar: Jar, phone: Phone) -> None:
    """A21."""
    attempt = complete(house, jar, phone)
    house.providers.by_id.clear()
    assert refused(house, jar, attempt, ChainIncomplete) == "provider_gone"


def test_stored_evidence_that_is_not_ours_is_an_alarm(house: House, jar: Jar, phone: Phone) -> None:
    attempt = complete(house, jar, phone)
    stronger = Link(attempt.chain[-1].body.replace('"symbols":4', '"symbols":6'), "0" * 64)
    forged = replace(attempt, chain=(*attempt.chain[:-1], stronger))
    assert refused(house, jar, forged, EvidenceForged) == "seal_differs"
    with house.store.view() as unit:
        (record,) = unit.audit.read(limit=1)
    assert (record.record.event, record.record.outcome) == ("finish_refused", "fault")


@pytest.mark.parametrize("state", ["awaiting_password", "awaiting_approval"])
def test_a_login_whose_steps_are_not_done_is_not_finished(
    house: House, jar: Jar, phone: Phone, state: str
) -> None:
    """L02: the endpoint may be called at any time."""
    attempt = house.begin(jar)
    if state == "awaiting_approval":
        attempt = house.password(attempt, jar)
    reason = refused(house, jar, attempt, ChainIncomplete)
    assert reason == ("not_complete" if state == "awaiting_approval" else "no_user")


def test_a_login_past_its_time_is_not_finished(house: House, jar: Jar, phone: Phone) -> None:
    attempt = complete(house, jar, phone)
    house.clock.advance(minutes=10)
    assert refused(house, jar, attempt, ChainIncomplete) == "not_complete"


def test_a_user_who_is_gone_gets_nothing(house: House, jar: Jar, phone: Phone) -> None:
    attempt = replace(complete(house, jar, phone), user_id=UserId("u-gone"))
    assert refused(house, jar, attempt, NotFound)


def test_a_request_that_names_another_subject_is_refused(
    house: House, jar: Jar, phone: Phone
) -> None:
    """Core 3.3.2.2."""
    subject = "<saml:Subject><saml:NameID>{}</saml:NameID></saml:Subject>"
    attempt = complete(house, jar, phone, rest=subject.format("bob"))
    assert refused(house, jar, attempt, LoginRefused) == "unknown_principal"
    house.finish(complete(house, house.a_jar(), phone, rest=subject.format("alice")), jar)


def test_no_name_for_the_user_no_assertion(house: House, jar: Jar, phone: Phone) -> None:
    house.policies.by_id[PROVIDER] = a_policy(name_id_attribute="phone")
    attempt = complete(house, jar, phone)
    assert refused(house, jar, attempt, LoginRefused) == "invalid_name_id_policy"


def test_a_persistent_name_is_one_for_each_provider_and_stays(house: House, phone: Phone) -> None:
    other = another_provider(2)
    house.providers.by_id[other.entity_id] = other
    policy = a_policy(name_id_format=NameIdFormat.PERSISTENT)
    house.policies.by_id = {PROVIDER: policy, other.entity_id: policy}
    names = []
    for provider in (PROVIDER, other.entity_id, PROVIDER, other.entity_id):
        names.append(receipt_of(house, house.log_in(house.a_jar(), phone, provider)).name_id)
        house.clock.advance(minutes=4)
    assert names[:2] == names[2:]
    assert names[0] != names[1]


def test_a_completed_login_clears_the_accounts_failures(
    house: House, jar: Jar, phone: Phone
) -> None:
    attempt = house.begin(jar)
    for _ in range(3):
        house.password(house.stored(attempt), jar, "alice", "wrong")
    attempt = house.password(house.stored(attempt), jar)
    house.answer(phone, house.ask(attempt, jar).approval_id)
    house.finish(house.stored(attempt), jar)
    with house.store.view() as unit:
        assert unit.tallies.find("alice") is None


def test_no_assertion_is_made_when_the_commit_fails(house: House, jar: Jar, phone: Phone) -> None:
    """L12, U08: nothing is signed before the receipt is stored."""
    attempt = complete(house, jar, phone)
    assert isinstance(house.store, FakeStore)
    before = house.store.rows
    house.store.break_down()
    with pytest.raises(StoreUnavailable):
        house.finish(attempt, jar)
    assert house.store.rows is before
    house.store.on_commit = lambda: None
    house.finish(attempt, jar)  # nothing was lost
    assert receipts(house) == 1


def test_the_session_cookie_is_a_new_secret_each_time(house: House, jar: Jar, phone: Phone) -> None:
    """E03: what a fixated browser was given is worth nothing."""
    jar.session = Digest("f" * 64)
    house.finish(complete(house, jar, phone), jar)
    assert jar.session != "f" * 64
    with house.store.view() as unit:
        assert unit.sessions.find(Digest("f" * 64)) is None


def test_the_age_of_the_oldest_step_is_what_the_assertion_says(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.policies.by_id[PROVIDER] = a_policy(step_max_age=timedelta(hours=2))
    first = house.clock.now()
    house.finish(complete(house, jar, phone), jar)
    house.clock.advance(minutes=40)
    finished = house.finish(house.begin(jar), jar)
    assert f'AuthnInstant="{first:%Y-%m-%dT%H:%M:%S}' in finished.response.xml.decode()


def test_evidence_of_each_step_is_in_the_receipts_chain(
    house: House, jar: Jar, phone: Phone
) -> None:
    receipt = receipt_of(house, house.finish(complete(house, jar, phone), jar))
    bodies = [link.body for link in receipt.chain[1:]]
    assert [Step.PASSWORD in bodies[0], Step.APPROVAL in bodies[1]] == [True, True]
