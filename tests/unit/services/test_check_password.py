"""First step: what a right, a wrong and one too many password lead to."""

import threading
from dataclasses import replace

import pytest

from saml_idp.domain.attempt import State
from saml_idp.domain.chain import walk
from saml_idp.domain.errors import Busy, NotFound, Throttled, TransitionNotAllowed
from saml_idp.domain.evidence import Step
from saml_idp.domain.ids import AttemptId, EvidenceId, UserId
from saml_idp.domain.throttle import subject_for
from tests.build import ORIGIN, PROVIDER, SEAL_KEY, a_policy
from tests.unit.services.house import House, Jar, Phone, password_of

WRONG = "not the password"


def failures(house: House, subject: str = "alice") -> int:
    with house.store.view() as unit:
        tally = unit.tallies.find(subject)
    return tally.failures if tally is not None else 0


def test_the_right_password_leads_to_the_approval_and_leaves_evidence(
    house: House, jar: Jar, phone: Phone
) -> None:
    attempt = house.begin(jar)
    moved = house.password(attempt, jar)
    assert (moved.state, moved.user_id, moved.entered_name) == (
        State.AWAITING_APPROVAL,
        "u-alice",
        "alice",
    )
    (evidence,) = walk(
        moved.chain,
        SEAL_KEY,
        expected_attempt=attempt.attempt_id,
        expected_request=attempt.request,
        expected_steps=attempt.steps,
    )
    assert (evidence.step, evidence.user_id) == (Step.PASSWORD, "u-alice")
    with house.store.view() as unit:
        verified = unit.receipts.get_password(EvidenceId(evidence.reference))
    assert (verified.attempt_id, verified.user_id) == (attempt.attempt_id, "u-alice")
    assert failures(house) == 0
    assert house.events()[-1] == ("password_accepted", "")


@pytest.mark.parametrize("name", ["ALICE", " alice ", "ali\u200bce", "Alice"])
def test_any_spelling_of_the_name_is_the_same_account(
    house: House, jar: Jar, phone: Phone, name: str
) -> None:
    """CVE-2020-12812: a variant that is let in is throttled and asked as the account itself."""
    attempt = house.begin(jar)
    house.password(attempt, jar, name, WRONG)
    assert failures(house) == 1
    moved = house.password(attempt, jar, name, password_of("alice"))
    assert (moved.state, moved.user_id) == (State.AWAITING_APPROVAL, "u-alice")


@pytest.mark.parametrize("name", ["alice", "nobody", ""])
def test_a_wrong_password_and_an_unknown_name_look_the_same(
    house: House, jar: Jar, phone: Phone, name: str
) -> None:
    attempt = house.begin(jar)
    moved = house.password(attempt, jar, name, WRONG)
    assert (moved.state, moved.user_id, moved.entered_name) == (
        State.AWAITING_PASSWORD,
        None,
        name,
    )
    assert moved.chain == attempt.chain
    assert failures(house, name) == 1
    assert house.events()[-1] == ("password_rejected", "")


def test_a_disabled_user_looks_like_a_wrong_password(house: House, jar: Jar) -> None:
    house.add_person("bob", enabled=False)
    moved = house.password(house.begin(jar), jar, "bob")
    assert (moved.state, moved.user_id) == (State.AWAITING_PASSWORD, None)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("noid", "no_identity"),
        ("nophone", "no_device"),
        ("lost", "no_device"),
        ("out", "not_in_groups"),
    ],
)
def test_only_the_right_password_tells_what_else_is_missing(
    house: House, jar: Jar, name: str, reason: str
) -> None:
    """L11, P10: before it, nobody learns whether a user has an ID or a device."""
    house.policies.by_id[PROVIDER] = a_policy(groups=("staff",))
    house.add_person(name, **({"identity": None} if name == "noid" else {}))
    if name == "lost":
        house.add_phone(name, retired_at=house.clock.now())
    if name == "out":
        with house.store.unit() as unit:
            person = unit.people.get(UserId("u-out"))
            unit.people.replace(person, replace(person, groups=("others",)))
        house.add_phone(name)
    attempt = house.begin(jar)
    wrong = house.password(attempt, jar, name, WRONG)
    assert (wrong.state, wrong.ended_because) == (State.AWAITING_PASSWORD, None)
    moved = house.password(wrong, jar, name)
    assert (moved.state, moved.ended_because) == (State.REFUSED, reason)
    assert house.events()[-2:] == [("password_accepted", ""), ("login_refused", reason)]
    assert failures(house, name) == 1  # the wrong one; the right one was taken back


def test_a_password_of_another_user_after_a_failure_makes_the_other_the_user(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.add_person("bob")
    house.add_phone("bob")
    attempt = house.begin(jar)
    house.password(attempt, jar, "alice", WRONG)
    moved = house.password(house.stored(attempt), jar, "bob")
    assert (moved.user_id, moved.entered_name) == ("u-bob", "bob")


@pytest.mark.parametrize("state", [State.OPENED, State.AWAITING_NAME, State.AWAITING_APPROVAL])
def test_a_password_out_of_turn_is_not_even_looked_at(
    house: House, jar: Jar, phone: Phone, state: State
) -> None:
    if state is State.AWAITING_NAME:
        house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    attempt = house.begin(jar, cookies_were_sent=state is not State.OPENED)
    if state is State.AWAITING_APPROVAL:
        house.password(attempt, jar)
    with pytest.raises(TransitionNotAllowed):
        house.password(attempt, jar, "alice", WRONG)
    assert failures(house) == 0


def test_a_login_past_its_time_takes_no_password(house: House, jar: Jar, phone: Phone) -> None:
    attempt = house.begin(jar)
    house.clock.advance(minutes=10)
    with pytest.raises(TransitionNotAllowed):
        house.password(attempt, jar)


def test_there_is_no_login_by_that_number(house: House, jar: Jar) -> None:
    with pytest.raises(NotFound):
        house.check_password(
            AttemptId("none"), username="a", password="b", browser=jar.browser, origin=ORIGIN
        )


def test_the_sixth_try_has_to_wait_even_if_it_is_right(
    house: House, jar: Jar, phone: Phone
) -> None:
    attempt = house.begin(jar)
    for _ in range(5):
        house.password(house.stored(attempt), jar, "alice", WRONG)
    with pytest.raises(Throttled) as throttled:
        house.password(house.stored(attempt), jar)
    assert throttled.value.retry_after_seconds == 1
    assert house.events()[-1] == ("password_throttled", "")
    assert failures(house) == 5  # a try that was not made is not counted
    house.clock.advance(seconds=1)
    assert house.password(house.stored(attempt), jar).state is State.AWAITING_APPROVAL


def test_a_new_login_or_another_browser_does_not_reset_the_count(
    house: House, phone: Phone
) -> None:
    """D09, W07."""
    for _ in range(5):
        jar = house.a_jar()
        house.password(house.begin(jar), jar, "alice", WRONG)
    jar = house.a_jar()
    with pytest.raises(Throttled):
        house.password(house.begin(jar), jar)


def test_the_right_password_alone_does_not_reset_the_count(
    house: House, jar: Jar, phone: Phone
) -> None:
    attempt = house.begin(jar)
    for _ in range(3):
        house.password(house.stored(attempt), jar, "alice", WRONG)
    house.password(house.stored(attempt), jar)
    assert failures(house) == 3


def test_a_stranger_cannot_lock_the_owner_out_of_their_own_browser(
    house: House, jar: Jar, phone: Phone
) -> None:
    """W08: the browser of an earlier login counts on its own."""
    house.log_in(jar, phone)
    jar.session = None
    stranger = house.a_jar()
    attempt = house.begin(stranger)
    for _ in range(5):
        house.password(house.stored(attempt), stranger, "alice", WRONG)
    with pytest.raises(Throttled):
        house.password(house.stored(attempt), stranger)
    mine = house.begin(jar)
    assert house.password(mine, jar).state is State.AWAITING_APPROVAL
    own = subject_for("alice", known_browser=jar.browser.digest)
    assert (failures(house), failures(house, own)) == (5, 0)


def test_a_try_stays_counted_when_the_hasher_has_no_room(
    house: House, jar: Jar, phone: Phone
) -> None:
    class NoRoom:
        def find(self, name: str) -> object:
            return house.directory.find(name)

        def verify_password(self, name: str, password: str) -> object:
            raise Busy("too many hashes are under way")

    busy = replace(house.check_password, directory=NoRoom())  # type: ignore[arg-type]
    attempt = house.begin(jar)
    with pytest.raises(Busy):
        busy(
            attempt.attempt_id,
            username="alice",
            password="x",
            browser=jar.browser,
            origin=ORIGIN,
        )
    assert failures(house) == 1  # counted before the check: never the other way round


def test_two_hundred_guesses_at_once_are_no_more_than_the_bound(house: House, phone: Phone) -> None:
    """W07: parallel guesses cannot all pass under the bound."""
    jars = [house.a_jar() for _ in range(40)]
    attempts = [(house.begin(jar), jar) for jar in jars]
    evaluated: list[int] = []

    def guess(number: int) -> None:
        attempt, jar = attempts[number]
        for _ in range(5):
            try:
                house.password(house.stored(attempt), jar, "alice", WRONG)
            except Throttled:
                continue
            evaluated.append(number)

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(evaluated) == 5  # the clock stands still
    assert failures(house) == 5


def test_of_two_right_passwords_at_once_one_moves_the_login(
    house: House, jar: Jar, phone: Phone
) -> None:
    """L07: a double submit is harmless."""
    attempt = house.begin(jar)
    real = house.directory

    class SubmittedTwice:
        done = False

        def find(self, name: str) -> object:
            return real.find(name)

        def verify_password(self, name: str, password: str) -> object:
            if not SubmittedTwice.done:
                SubmittedTwice.done = True
                house.password(attempt, jar)
            return real.verify_password(name, password)

    twice = replace(house.check_password, directory=SubmittedTwice())  # type: ignore[arg-type]
    with pytest.raises(TransitionNotAllowed):
        twice(
            attempt.attempt_id,
            username="alice",
            password="the password of alice",
            browser=jar.browser,
            origin=ORIGIN,
        )
    assert house.stored(attempt).state is State.AWAITING_APPROVAL
    assert [e for e, _ in house.events()].count("password_accepted") == 1
    assert failures(house) == 0  # what was right is no failure, whichever came first
