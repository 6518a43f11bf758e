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


def request_values(request: AuthnRequest) -> dict[str, object]:
    """Return *request* as plain values: all that it says, for the seal of its login."""
    context, policy = request.requested_context, request.name_id_policy
    return {
        "request_id": request.request_id,
        "issuer": request.issuer,
        "reply_to": request.reply_to,
        "relay_state": request.relay_state,
        "force_authn": request.force_authn,
        "is_passive": request.is_passive,
        "requested_context": None
        if context is None
        else {"comparison": context.comparison.value, "classes": list(context.classes)},
        "name_id_policy": None
        if policy is None
        else {
            "format": policy.format,
            "sp_name_qualifier": policy.sp_name_qualifier,
            "allow_create": policy.allow_create,
        },
        "subject_name_id": request.subject_name_id,
        "was_signed": request.was_signed,
        "received_at": request.received_at.isoformat(),
    }


class RefusedAtOnce(LoginRefused):
    """The request was accepted and is answered with a SAML status, without a page of ours."""

    def __init__(self, request: AuthnRequest, reason: str) -> None:
        super().__init__(f"refused: {reason}", reason=reason)
        self.request = request
