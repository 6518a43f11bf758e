"""What an operator should know of a policy that is good, but may not do what they want."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from saml_idp.domain.authn_context import MULTI_FACTOR_SYMBOLS
from saml_idp.domain.policy import Encryption, NameIdFormat, Policy, UserVerification
from saml_idp.domain.service_provider import ServiceProvider

_DATA_CENTER: Final = "/plugins/servlet/samlconsumer"  # Jira, Confluence, Bitbucket, Bamboo
_CLOUD: Final = "auth.atlassian.com"


def advice(policy: Policy, provider: ServiceProvider | None) -> tuple[str, ...]:
    """Return warnings about *policy*, for *provider* where it is known; none is a fault."""
    found = list(_of_policy(policy))
    if provider is not None:
        found += _of_both(policy, provider)
    return tuple(found)


def _of_policy(policy: Policy) -> Iterator[str]:
    few = policy.access_symbols < MULTI_FACTOR_SYMBOLS
    if few and policy.user_verification is not UserVerification.REQUIRED:
        yield (
            f"with {policy.access_symbols} access symbols no multi-factor class is claimed; "
            f"set login.access_symbols to {MULTI_FACTOR_SYMBOLS}"
        )
    is_address = policy.name_id_format is NameIdFormat.EMAIL
    if is_address and policy.name_id_attribute != "email":
        yield (
            f"the name identifier is called an e-mail address and is {policy.name_id_attribute!r}; "
            "set assertion.name_id_attribute to email"
        )


def _of_both(policy: Policy, provider: ServiceProvider) -> Iterator[str]:
    has_key = bool(provider.encryption_certificates)
    if policy.encrypt is Encryption.ALWAYS and not has_key:
        yield (
            "every login is refused: assertion.encrypt is always, and the metadata has no "
            "encryption certificate"
        )
    locations = [urlsplit(consumer.location) for consumer in provider.consumers]
    data_center = any(location.path.endswith(_DATA_CENTER) for location in locations)
    cloud = any(location.hostname == _CLOUD for location in locations)
    pseudonym = policy.name_id_format in {NameIdFormat.PERSISTENT, NameIdFormat.TRANSIENT}
    if (data_center or cloud) and pseudonym:
        yield "Atlassian finds nobody by a pseudonym; set assertion.name_id_format"
    if data_center and policy.attributes and "groups" not in policy.attributes.values():
        yield (
            "with just-in-time users, Atlassian takes away every group that is not released; "
            "add groups to [attributes]"
        )
    if cloud and policy.name_id_attribute != "email" and not pseudonym:
        yield (
            "Atlassian Cloud finds users by their e-mail address; "
            "set assertion.name_id_attribute to email"
        )
