"""An authentication request that passed every check of the wire."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saml_idp.domain.errors import LoginRefused
from saml_idp.domain.ids import EntityId


class Comparison(StrEnum):
    """RequestedAuthnContext/@Comparison (Core 3.3.2.2.1)."""

    EXACT = "exact"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    BETTER = "better"


@dataclass(frozen=True, slots=True)
class RequestedContext:
    """The authentication context a provider asks for. ``classes``: URIs, at least one."""

    comparison: Comparison
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NameIdPolicy:
    """NameIDPolicy of a request (Core 3.4.1.1). ``format`` None: absent or unspecified."""

    format: str | None
    sp_name_qualifier: str | None
    allow_create: bool


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """An authentication request that has passed every check of the wire.

    Only ``saml.requests`` builds one. Holding it means: the issuer is a registered
    provider, the signature (where required or present) covered these very values, the
    destination was ours, and ``reply_to`` stands in that provider's metadata.
    """

    request_id: str | None  # None: the login was started at the IdP (unsolicited)
    issuer: EntityId
    reply_to: str  # the ACS URL, HTTP-POST
    relay_state: str | None  # byte for byte as received
    force_authn: bool
    is_passive: bool
    requested_context: RequestedContext | None
    name_id_policy: NameIdPolicy | None
    subject_name_id: str | None  # Subject/NameID the provider expects
    was_signed: bool
    received_at: datetime


class RefusedAtOnce(LoginRefused):
    """The request was accepted and is answered with a SAML status, without a page of ours."""

    def __init__(self, request: AuthnRequest, reason: str) -> None:
        super().__init__(f"refused: {reason}", reason=reason)
        self.request = request
