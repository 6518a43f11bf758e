"""Error Responses: a status, never an assertion; unsigned, and nothing in it about a user.

They are not signed with the assertion key: whoever can cause a refusal would else choose what
that key signs (A14). A provider can do no more with one than show that the login failed.

Spec: Core 3.2.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from lxml import etree

from saml_idp.domain.errors import RequestRejected
from saml_idp.domain.ids import EntityId
from saml_idp.domain.request import AuthnRequest
from saml_idp.saml import names
from saml_idp.saml.consumers import is_safe_location
from saml_idp.saml.instants import written_instant
from saml_idp.saml.xml import Element, serialize


class Status(StrEnum):
    """Second-level status codes that we give (Core 3.2.2.2)."""

    AUTHN_FAILED = names.STATUS_AUTHN_FAILED
    INVALID_NAME_ID_POLICY = names.STATUS_INVALID_NAME_ID_POLICY
    NO_AUTHN_CONTEXT = names.STATUS_NO_AUTHN_CONTEXT
    NO_PASSIVE = names.STATUS_NO_PASSIVE
    REQUEST_DENIED = names.STATUS_REQUEST_DENIED
    REQUEST_UNSUPPORTED = names.STATUS_REQUEST_UNSUPPORTED
    UNKNOWN_PRINCIPAL = names.STATUS_UNKNOWN_PRINCIPAL


# Whose fault it is (Core 3.2.2.2): what the request asked for, or what happened here.
_REQUESTERS: Final = frozenset({Status.INVALID_NAME_ID_POLICY, Status.REQUEST_UNSUPPORTED})
# Reasons of a refused login; who is not named here learns AuthnFailed and no more.
_BY_REASON: Final = {
    "no_authn_context": Status.NO_AUTHN_CONTEXT,
    "no_passive": Status.NO_PASSIVE,
    "invalid_name_id_policy": Status.INVALID_NAME_ID_POLICY,
    "unknown_principal": Status.UNKNOWN_PRINCIPAL,
    "request_unsupported": Status.REQUEST_UNSUPPORTED,
    "not_in_groups": Status.REQUEST_DENIED,
    "policy_changed": Status.REQUEST_DENIED,
    "policy_fault": Status.REQUEST_DENIED,
    "cannot_encrypt": Status.REQUEST_DENIED,
}


@dataclass(frozen=True, slots=True)
class RefusalResponse:
    """A Response that says no, ready to be sent; it holds no word about a user."""

    xml: bytes
    destination: str
    relay_state: str | None
    response_id: str


def status_for(reason: str) -> Status:
    """Return the status that a provider is told for *reason*, a stable word of a refusal."""
    return _BY_REASON.get(reason, Status.AUTHN_FAILED)


def write_refusal(
    request: AuthnRequest,
    *,
    issuer: EntityId,
    status: Status,
    issued_at: datetime,
    new_id: Callable[[], str],
) -> RefusalResponse:
    """Return the unsigned Response that refuses *request*.

    Args:
        request: accepted by ``saml.requests``, so that its ACS is registered.
        issuer: our entity ID.
        issued_at: aware, UTC.
        new_id: returns a fresh xs:ID of 128 random bits or more.

    Raises:
        RequestRejected: the ACS is no address a browser may be sent to.

    Spec: Core 3.2.2.
    """
    if not is_safe_location(request.reply_to, allow_http_loopback=True):
        raise RequestRejected("the reply address is not safe", reason="acs_unknown")
    response_id = new_id()
    root: Element = etree.Element(
        names.protocol("Response"),
        nsmap={"samlp": names.PROTOCOL, "saml": names.ASSERTION},
        ID=response_id,
        Version=names.VERSION,
        IssueInstant=written_instant(issued_at),
        Destination=request.reply_to,
    )
    if request.request_id is not None:
        root.attrib["InResponseTo"] = request.request_id
    etree.SubElement(root, names.assertion("Issuer")).text = issuer
    told = etree.SubElement(root, names.protocol("Status"))
    blame = names.STATUS_REQUESTER if status in _REQUESTERS else names.STATUS_RESPONDER
    first = etree.SubElement(told, names.protocol("StatusCode"), Value=blame)
    etree.SubElement(first, names.protocol("StatusCode"), Value=str(status))
    return RefusalResponse(serialize(root), request.reply_to, request.relay_state, response_id)
