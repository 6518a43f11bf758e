"""A request came in: what is opened, answered at once, or turned away."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from saml_idp.domain.attempt import APPROVAL_ALONE, State
from saml_idp.domain.authn_context import PASSWORD_PROTECTED_TRANSPORT
from saml_idp.domain.errors import Busy, LoginRefused, RequestRejected
from saml_idp.domain.policy import Encryption
from saml_idp.domain.request import RefusedAtOnce
from saml_idp.saml import names
from tests.build import ORIGIN, PROVIDER, a_policy
from tests.unit.services.house import LIMITS, House, Jar, Phone, another_provider

PASSIVE = 'IsPassive="true"'
FORCED = 'ForceAuthn="1"'
OTHER_IDP = (
    '<samlp:Scoping><samlp:IDPList><samlp:IDPEntry ProviderID="https://other.example"/>'
    "</samlp:IDPList></samlp:Scoping>"
)


def a_context(comparison: str, wanted: str) -> str:
    return (
        f'<samlp:RequestedAuthnContext Comparison="{comparison}">'
        f"<saml:AuthnContextClassRef>{wanted}</saml:AuthnContextClassRef>"
        "</samlp:RequestedAuthnContext>"
    )


def refusal(house: House, jar: Jar, **request: Any) -> str:
    with pytest.raises(RefusedAtOnce) as refused:
        house.begin(jar, **request)
    assert house.events()[-1] == ("login_refused", refused.value.reason)
    return refused.value.reason


def test_a_login_is_opened_for_this_browser_and_waits_for_the_password(
    house: House, jar: Jar
) -> None:
    attempt = house.begin(jar)
    assert attempt.state is State.AWAITING_PASSWORD
    assert attempt.browser == jar.browser.digest
    assert house.stored(attempt) == attempt
    assert attempt.expires_at - attempt.created_at == LIMITS.login_lifetime
    assert house.events() == [("request_accepted", "")]


def test_with_two_step_authentication_off_it_waits_for_a_name(house: House, jar: Jar) -> None:
    house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    attempt = house.begin(jar)
    assert (attempt.state, attempt.steps) == (State.AWAITING_NAME, APPROVAL_ALONE)


def test_a_cross_site_post_is_only_opened(house: House, jar: Jar, phone: Phone) -> None:
    """The session's cookie did not come along; it is asked for by the GET that follows."""
    house.log_in(jar, phone)
    attempt = house.begin(jar, cookies_were_sent=False)
    assert attempt.state is State.OPENED
    passive = house.begin(jar, cookies_were_sent=False, attributes=PASSIVE)
    assert passive.state is State.OPENED


def test_a_request_is_accepted_once(house: House, jar: Jar) -> None:
    house.begin(jar, request_id="_once")
    with pytest.raises(RequestRejected) as refused:
        house.begin(house.a_jar(), request_id="_once")
    assert refused.value.reason == "replayed"
    other = another_provider(2)
    house.providers.by_id[other.entity_id] = other
    house.begin(jar, other.entity_id, request_id="_once")  # another provider's own numbering


def test_a_request_that_a_session_answers_is_accepted_once(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.log_in(jar, phone)
    first = house.begin(jar, request_id="_once")
    second = house.begin(jar, request_id="_once")
    assert not house.is_stored(first)
    house.finish(first, jar, is_stored=False)
    with pytest.raises(RequestRejected):
        house.finish(second, jar, is_stored=False)
    assert house.events()[-1] == ("finish_refused", "replayed")


def test_a_request_that_cannot_be_read_is_turned_away_and_recorded(house: House, jar: Jar) -> None:
    with pytest.raises(RequestRejected):
        house.begin(jar, "https://unknown.example/metadata")
    assert house.events() == [("request_rejected", "issuer_unknown")]


def test_policy_may_ask_for_a_signature_that_metadata_does_not(house: House, jar: Jar) -> None:
    house.policies.by_id[PROVIDER] = a_policy(require_signed_requests=True)
    with pytest.raises(RequestRejected):
        house.begin(jar)
    assert house.events() == [("request_rejected", "signature_missing")]


def test_a_policy_that_cannot_be_read_refuses_and_never_weakens(house: House, jar: Jar) -> None:
    house.policies.by_id[PROVIDER] = None
    with pytest.raises(LoginRefused) as refused:
        house.begin(jar)
    assert refused.value.reason == "policy_fault"


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (a_context("exact", "urn:unknown"), "no_authn_context"),
        (f'<samlp:NameIDPolicy Format="{names.PROTOCOL}"/>', "invalid_name_id_policy"),
        (
            '<samlp:NameIDPolicy SPNameQualifier="https://victim.example"/>',
            "invalid_name_id_policy",
        ),
        (OTHER_IDP, "request_unsupported"),
    ],
)
def test_what_is_not_served_is_told_to_the_provider(
    house: House, jar: Jar, rest: str, reason: str
) -> None:
    assert refusal(house, jar, rest=rest) == reason


def test_an_assertion_that_must_be_encrypted_and_cannot_be_is_refused_at_once(
    house: House, jar: Jar
) -> None:
    house.policies.by_id[PROVIDER] = a_policy(encrypt=Encryption.ALWAYS)
    assert refusal(house, jar) == "cannot_encrypt"


def test_a_passive_request_without_a_session_is_told_so(house: House, jar: Jar) -> None:
    assert refusal(house, jar, attributes=PASSIVE) == "no_passive"


def test_a_session_answers_a_passive_request_and_not_a_forced_one(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.log_in(jar, phone)
    assert house.begin(jar, attributes=PASSIVE).state is State.CHAIN_COMPLETE
    assert refusal(house, jar, attributes=f"{PASSIVE} {FORCED}") == "no_passive"
    assert house.begin(jar, attributes=FORCED).state is State.AWAITING_PASSWORD


def test_a_session_serves_the_password_and_the_approval_is_asked_anew(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.log_in(jar, phone)
    house.policies.by_id[PROVIDER] = a_policy(access_symbols=6)
    attempt = house.begin(jar)
    assert attempt.state is State.AWAITING_APPROVAL
    assert attempt.user_id == "u-alice"


def test_a_requested_context_adds_the_password(house: House, jar: Jar) -> None:
    house.policies.by_id[PROVIDER] = a_policy(two_step=False)
    attempt = house.begin(jar, rest=a_context("exact", PASSWORD_PROTECTED_TRANSPORT))
    assert attempt.state is State.AWAITING_PASSWORD


@pytest.mark.parametrize("how", ["idle", "over", "ended", "stranger", "disabled"])
def test_a_session_that_is_not_live_serves_nothing(
    house: House, jar: Jar, phone: Phone, how: str
) -> None:
    house.log_in(jar, phone)
    if how == "idle":
        house.clock.advance(hours=1)
    elif how == "over":
        for _ in range(13):
            house.clock.advance(minutes=59)
            house.log_in(jar, phone) if house.begin(jar).state is State.CHAIN_COMPLETE else None
    elif how == "ended":
        with house.store.unit() as unit:
            unit.sessions.end_of_user(phone.device.user_id, house.clock.now())
    elif how == "stranger":
        jar = house.a_jar()
    else:
        house.people.disable(phone.device.user_id, origin=ORIGIN)
    assert house.begin(jar).state is State.AWAITING_PASSWORD


def test_the_sessions_user_is_told_on_a_page_why_they_may_not(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.log_in(jar, phone)
    house.policies.by_id[PROVIDER] = a_policy(groups=("nobody",))
    attempt = house.begin(jar)
    assert (attempt.state, attempt.ended_because) == (State.REFUSED, "not_in_groups")
    assert house.stored(attempt) == attempt
    assert refusal(house, jar, attributes=PASSIVE) == "not_in_groups"


def test_a_full_table_takes_no_more_logins_and_serves_those_under_way(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.limits = replace(LIMITS, open_attempts=1)
    house.rebuild()
    first = house.begin(jar)
    with pytest.raises(Busy):
        house.begin(house.a_jar())
    assert house.password(first, jar).state is State.AWAITING_APPROVAL


def test_the_age_of_a_step_counts_from_the_step_not_from_its_last_use(
    house: House, jar: Jar, phone: Phone
) -> None:
    house.policies.by_id[PROVIDER] = a_policy(step_max_age=timedelta(hours=1, minutes=30))
    house.log_in(jar, phone)
    house.clock.advance(minutes=50)
    assert house.begin(jar).state is State.CHAIN_COMPLETE
    house.log_in(jar, phone)
    house.clock.advance(minutes=40)
    assert house.begin(jar).state is State.AWAITING_PASSWORD


def test_the_session_of_a_user_disabled_by_another_hand_serves_nothing(
    house: House, jar: Jar, phone: Phone
) -> None:
    """The session lives on: only the user's row was changed."""
    house.log_in(jar, phone)
    with house.store.unit() as unit:
        person = unit.people.get(phone.device.user_id)
        unit.people.replace(person, replace(person, enabled=False))
    attempt = house.begin(jar)
    assert (attempt.state, attempt.entered_name) == (State.AWAITING_PASSWORD, None)
