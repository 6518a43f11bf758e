"""Small values: a person, a device, an invitation, a provider, a policy, an error."""

from datetime import timedelta

import pytest

from saml_idp.domain.errors import ConfigurationError, Fault, IdpError, Throttled
from saml_idp.domain.person import ATTRIBUTES, Credential
from saml_idp.domain.policy import BUILT_IN, STRICTEST
from saml_idp.domain.request import RefusedAtOnce
from saml_idp.domain.service_provider import Source
from tests.build import NOW, a_device, a_person, a_policy, a_provider, a_request, an_enrolment

HOST_ONLY = "https://sp.example.org/"


def test_a_persons_name_and_groups_are_attributes_like_others() -> None:
    person = a_person()
    assert person.values("username") == ("alice",)
    assert person.values("groups") == ("jira-users", "staff")
    assert person.values("email") == ("alice@example.org",)
    assert person.values("phone") == ()
    assert {"username", "groups", "email"} <= set(ATTRIBUTES)


def test_a_password_hash_does_not_show() -> None:
    assert "argon2" not in repr(Credential(a_person(), "$argon2id$"))


def test_a_retired_device_is_not_live() -> None:
    assert a_device().is_live
    assert not a_device(retired_at=NOW).is_live


def test_an_invitation_is_open_once_and_until_its_time() -> None:
    enrolment = an_enrolment()
    tiny = timedelta(microseconds=1)
    assert enrolment.is_open(enrolment.expires_at - tiny)
    assert not enrolment.is_open(enrolment.expires_at)
    assert not an_enrolment(used_at=NOW).is_open(NOW)


@pytest.mark.parametrize(
    ("names", "language", "shown"),
    [
        ((("de", "Dienst"), ("en", "Service")), "de", "Dienst"),
        ((("de", "Dienst"), ("en", "Service")), "fr", "Service"),
        ((("fr", "Le service"), ("", "Plain")), "de", "Plain"),
        ((("fr", "Le service"),), "de", "Le service"),
        ((), "de", "sp.example.org"),
    ],
)
def test_a_provider_is_shown_by_the_name_nearest_to_the_users_language(
    names: tuple[tuple[str, str], ...], language: str, shown: str
) -> None:
    assert a_provider(HOST_ONLY, display_names=names).display_name(language) == shown


def test_a_value_of_a_policy_says_where_it_stands() -> None:
    policy = a_policy(sources={"login.two_step": Source("policies/sp.toml", 3)})
    assert str(policy.source("login.two_step")) == "policies/sp.toml:3"
    assert policy.source("login.groups") is BUILT_IN
    assert str(BUILT_IN) == "built-in default"


def test_the_built_in_policy_is_the_strictest() -> None:
    assert STRICTEST.two_step
    assert STRICTEST.access_symbols == 4
    assert not STRICTEST.attributes
    assert not STRICTEST.unsolicited


def test_an_error_has_a_stable_code_and_a_reason() -> None:
    assert IdpError("sentence").reason == IdpError.code
    assert IdpError("sentence", reason="why").reason == "why"
    assert Throttled("wait", retry_after_seconds=0).retry_after_seconds == 1


def test_every_error_has_a_code_of_its_own() -> None:
    errors: list[type[IdpError]] = [IdpError, *IdpError.__subclasses__()]
    codes = [error.code for error in errors]
    assert len(codes) == len(set(codes)) > 10


def test_a_refusal_at_once_carries_the_request_to_answer() -> None:
    refused = RefusedAtOnce(a_request(), "no_passive")
    assert (refused.request, refused.reason) == (a_request(), "no_passive")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("p.toml", 3, 5, "login.x", "unknown key", "Remove it."), "p.toml:3:5: [login.x] "),
        (Fault("p.toml", 0, 0, "", "unreadable", "Check it."), "p.toml: unreadable. Check it."),
    ],
)
def test_a_fault_names_the_place_the_problem_and_the_mend(fault: Fault, told: str) -> None:
    assert str(fault).startswith(told)
    assert str(ConfigurationError([fault, fault])) == f"{fault}\n{fault}"
