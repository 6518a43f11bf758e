"""Which attributes and which name identifier this provider receives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from saml_idp.domain.decision import RefusalReason
from saml_idp.domain.errors import LoginRefused
from saml_idp.domain.ids import EntityId, UserId
from saml_idp.domain.policy import NameIdFormat, Policy
from saml_idp.domain.proof import CompletedChain
from saml_idp.domain.request import NameIdPolicy

_11: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:"
_20: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
FORMAT_URIS: Final = {
    NameIdFormat.UNSPECIFIED: _11 + "unspecified",
    NameIdFormat.EMAIL: _11 + "emailAddress",
    NameIdFormat.PERSISTENT: _20 + "persistent",
    NameIdFormat.TRANSIENT: _20 + "transient",
}
_BY_URI: Final = {uri: short for short, uri in FORMAT_URIS.items()}


@dataclass(frozen=True, slots=True)
class NameId:
    """The subject's name identifier. ``format``: URI. The qualifiers are set for persistent
    identifiers only (Core 8.3.7): the IdP's and the provider's entity ID.
    """

    value: str
    format: str
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """What one assertion says of the user. ``attributes``: (name, values), none empty."""

    name_id: NameId
    attributes: tuple[tuple[str, tuple[str, ...]], ...]


def chosen_format(
    policy: Policy, wanted: NameIdPolicy | None, provider: EntityId
) -> NameIdFormat | None:
    """Return the name identifier format for *provider*, None when it cannot be served.

    Core 3.4.1.1: a format of the request is honoured or refused; absent or unspecified
    leaves it to the policy. An SPNameQualifier that names another provider is refused: it
    would hand out that provider's identifier (A17).
    """
    if wanted is None:
        return policy.name_id_format
    if wanted.sp_name_qualifier not in (None, "", provider):
        return None
    if wanted.format in (None, FORMAT_URIS[NameIdFormat.UNSPECIFIED]):
        return policy.name_id_format
    return _BY_URI.get(wanted.format or "")


def released(
    proof: CompletedChain,
    *,
    idp_entity_id: EntityId,
    persistent_id: Callable[[UserId, EntityId], str],
    transient_id: Callable[[], str],
) -> Release:
    """Return what *proof*'s provider receives: what its policy names and nothing else (A16).

    Args:
        persistent_id: returns the pairwise identifier of this user at this provider.
        transient_id: returns a fresh identifier of 128 random bits or more.

    Raises:
        LoginRefused: the format is not served, or the user lacks the value for it.
    """
    policy, person, provider = proof.policy, proof.person, proof.provider.entity_id
    chosen = chosen_format(policy, proof.request.name_id_policy, provider)
    if chosen is None:
        raise LoginRefused(
            "the requested name identifier format is not served",
            reason=RefusalReason.INVALID_NAME_ID_POLICY,
        )
    attributes = tuple(
        (name, values)
        for name, attribute in policy.attributes.items()
        if (values := person.values(attribute))
    )
    uri = FORMAT_URIS[chosen]
    if chosen is NameIdFormat.PERSISTENT:
        value = persistent_id(person.user_id, provider)
        return Release(NameId(value, uri, idp_entity_id, provider), attributes)
    if chosen is NameIdFormat.TRANSIENT:
        return Release(NameId(transient_id(), uri), attributes)
    attribute = _attribute_for(chosen, policy)
    found = person.values(attribute)
    if not found:
        raise LoginRefused(
            f"the user has no {attribute!r} for the name identifier",
            reason=RefusalReason.INVALID_NAME_ID_POLICY,
        )
    return Release(NameId(found[0], uri), attributes)


def _attribute_for(chosen: NameIdFormat, policy: Policy) -> str:
    """Return the user's attribute that becomes the name identifier."""
    if chosen is NameIdFormat.EMAIL and policy.name_id_format is not NameIdFormat.EMAIL:
        return "email"  # the request asks for an address; the policy's attribute is another thing
    return policy.name_id_attribute
