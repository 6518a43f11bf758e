"""What one provider receives: what its policy names, under the name that belongs to it."""

from typing import Any, Final

import pytest

from saml_idp.domain.decision import RefusalReason
from saml_idp.domain.errors import LoginRefused
from saml_idp.domain.ids import EntityId, UserId
from saml_idp.domain.policy import NameIdFormat, Policy
from saml_idp.domain.release import FORMAT_URIS, Release, chosen_format, released
from saml_idp.domain.request import NameIdPolicy
from tests.build import IDP, PROVIDER, a_completed_chain, a_person, a_policy, a_request

SHORT: Final = list(NameIdFormat)


def wanted(format_uri: str | None = None, qualifier: str | None = None) -> NameIdPolicy:
    return NameIdPolicy(format_uri, qualifier, allow_create=True)


def what_is_released(policy: Policy, name_id_policy: Any = None, **changes: Any) -> Release:
    request = a_request(name_id_policy=name_id_policy)
    proof = a_completed_chain(policy=policy, request=request, **changes)
    asked: list[tuple[UserId, EntityId]] = []

    def persistent_id(user: UserId, provider: EntityId) -> str:
        asked.append((user, provider))
        return "pairwise"

    found = released(
        proof, idp_entity_id=IDP, persistent_id=persistent_id, transient_id=lambda: "_fresh"
    )
    assert asked in ([], [("u-alice", PROVIDER)])
    return found


@pytest.mark.parametrize("by_policy", SHORT)
@pytest.mark.parametrize("asked", [None, wanted(), wanted(FORMAT_URIS[NameIdFormat.UNSPECIFIED])])
def test_policy_chooses_the_format_where_the_request_does_not(by_policy: Any, asked: Any) -> None:
    assert chosen_format(a_policy(name_id_format=by_policy), asked, PROVIDER) is by_policy


@pytest.mark.parametrize("asked", [f for f in SHORT if f is not NameIdFormat.UNSPECIFIED])
@pytest.mark.parametrize("by_policy", SHORT)
def test_a_format_of_the_request_is_honoured(by_policy: Any, asked: Any) -> None:
    policy = a_policy(name_id_format=by_policy)
    assert chosen_format(policy, wanted(FORMAT_URIS[asked]), PROVIDER) is asked


@pytest.mark.parametrize(
    "uri",
    [
        "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted",
        "urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos",
        "urn:oasis:names:tc:SAML:2.0:nameid-format:PERSISTENT",
        "persistent",
        "",
    ],
)
def test_a_format_that_is_not_served_is_refused(uri: str) -> None:
    assert chosen_format(a_policy(), wanted(uri), PROVIDER) is None


@pytest.mark.parametrize("by_policy", SHORT)
@pytest.mark.parametrize("uri", [None, *FORMAT_URIS.values()])
@pytest.mark.parametrize("victim", ["https://victim.example/metadata", PROVIDER + "/", " "])
def test_cve_2017_12873_a_qualifier_of_another_provider_is_refused(
    by_policy: Any, uri: str | None, victim: str
) -> None:
    asked = wanted(uri, victim)
    assert chosen_format(a_policy(name_id_format=by_policy), asked, PROVIDER) is None
    with pytest.raises(LoginRefused) as refused:
        what_is_released(a_policy(name_id_format=by_policy), asked)
    assert refused.value.reason == RefusalReason.INVALID_NAME_ID_POLICY


@pytest.mark.parametrize("own", [None, "", PROVIDER])
def test_its_own_qualifier_changes_nothing(own: str | None) -> None:
    asked = wanted(FORMAT_URIS[NameIdFormat.PERSISTENT], own)
    name_id = what_is_released(a_policy(), asked).name_id
    assert (name_id.value, name_id.name_qualifier, name_id.sp_name_qualifier) == (
        "pairwise",
        IDP,
        PROVIDER,
    )


@pytest.mark.parametrize(
    ("policy", "asked", "value"),
    [
        (a_policy(), None, "alice"),
        (a_policy(name_id_attribute="email"), None, "alice@example.org"),
        (
            a_policy(name_id_format=NameIdFormat.EMAIL, name_id_attribute="email"),
            None,
            "alice@example.org",
        ),
        (a_policy(name_id_format=NameIdFormat.EMAIL, name_id_attribute="name"), None, "Alice E"),
        # the request asks for an address, and policy's attribute is a user name
        (a_policy(), NameIdFormat.EMAIL, "alice@example.org"),
        (a_policy(), NameIdFormat.TRANSIENT, "_fresh"),
        (a_policy(name_id_format=NameIdFormat.TRANSIENT), None, "_fresh"),
    ],
)
def test_the_name_is_the_attribute_that_policy_names(
    policy: Policy, asked: NameIdFormat | None, value: str
) -> None:
    person = a_person(attributes={"email": ("alice@example.org", "b@x"), "name": ("Alice E",)})
    name_id = what_is_released(
        policy, wanted(FORMAT_URIS[asked]) if asked else None, person=person
    ).name_id
    assert name_id.value == value
    assert name_id.format == FORMAT_URIS[asked or policy.name_id_format]
    assert (name_id.name_qualifier, name_id.sp_name_qualifier) == (None, None)


def test_a_user_without_the_value_for_the_name_is_refused() -> None:
    with pytest.raises(LoginRefused) as refused:
        what_is_released(a_policy(name_id_attribute="email"), person=a_person(attributes={}))
    assert refused.value.reason == RefusalReason.INVALID_NAME_ID_POLICY


def test_no_attribute_is_released_by_default() -> None:
    assert what_is_released(a_policy()).attributes == ()


def test_the_policys_attributes_are_released_in_its_order_and_no_empty_one() -> None:
    policy = a_policy(
        attributes={"memberOf": "groups", "uid": "username", "tel": "phone", "mail": "email"}
    )
    assert what_is_released(policy).attributes == (
        ("memberOf", ("jira-users", "staff")),
        ("uid", ("alice",)),
        ("mail", ("alice@example.org",)),
    )
