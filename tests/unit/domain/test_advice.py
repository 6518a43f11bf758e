"""What an operator is told of a good policy that may not do what they want."""

from dataclasses import replace
from typing import Any, Final

import pytest

from saml_idp.domain.advice import advice
from saml_idp.domain.policy import STRICTEST, Encryption, NameIdFormat, UserVerification
from saml_idp.domain.service_provider import (
    AssertionConsumer,
    Binding,
    Certificate,
    ServiceProvider,
)
from tests.build import a_provider

DATA_CENTER: Final = "https://jira.example.com/plugins/servlet/samlconsumer"
CLOUD: Final = "https://auth.atlassian.com/login/callback?connection=saml-1"


def at(location: str) -> ServiceProvider:
    consumer = AssertionConsumer(location, str(Binding.POST), 0)
    return replace(a_provider(), consumers=(consumer,), encryption_certificates=())


def test_the_strictest_policy_gives_no_cause() -> None:
    assert advice(STRICTEST, None) == ()
    assert advice(STRICTEST, at("https://sp.example.com/acs")) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"access_symbols": 3}, "no multi-factor class"),
        ({"name_id_format": NameIdFormat.EMAIL}, "called an e-mail address and is 'username'"),
    ],
)
def test_of_a_policy_alone(changes: dict[str, Any], words: str) -> None:
    (told,) = advice(replace(STRICTEST, **changes), None)
    assert words in told


def test_few_symbols_are_enough_where_the_device_proves_who_holds_it() -> None:
    policy = replace(STRICTEST, access_symbols=1, user_verification=UserVerification.REQUIRED)
    assert advice(policy, None) == ()


def test_encryption_without_a_key_refuses_every_login() -> None:
    policy = replace(STRICTEST, encrypt=Encryption.ALWAYS)
    provider = at("https://sp.example.com/acs")
    (told,) = advice(policy, provider)
    assert "every login is refused" in told
    with_key = replace(provider, encryption_certificates=(Certificate(b"der"),))
    assert advice(policy, with_key) == ()


@pytest.mark.parametrize(
    ("location", "changes", "words"),
    [
        (DATA_CENTER, {"name_id_format": NameIdFormat.PERSISTENT}, "by a pseudonym"),
        (CLOUD, {"name_id_format": NameIdFormat.TRANSIENT}, "by a pseudonym"),
        (DATA_CENTER, {"attributes": {"mail": "email"}}, "takes away every group"),
        (CLOUD, {}, "by their e-mail address"),
    ],
)
def test_what_atlassian_expects(location: str, changes: dict[str, Any], words: str) -> None:
    (told,) = advice(replace(STRICTEST, **changes), at(location))
    assert words in told


def test_what_suits_atlassian_is_not_noted() -> None:
    released = replace(STRICTEST, attributes={"groups": "groups", "mail": "email"})
    assert advice(released, at(DATA_CENTER)) == ()
    assert advice(STRICTEST, at(DATA_CENTER)) == ()
    cloud = replace(STRICTEST, name_id_format=NameIdFormat.EMAIL, name_id_attribute="email")
    assert advice(cloud, at(CLOUD)) == ()
