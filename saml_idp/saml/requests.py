"""Inbound message → ``AuthnRequest``: the only builder of one from the wire.

Verify first, then read, and only from the element that the verification returned. Both
bindings take this one way; what differs is where the signature stands.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from saml_idp.domain.errors import LoginRefused, RequestRejected
from saml_idp.domain.ids import EntityId
from saml_idp.domain.request import AuthnRequest, Comparison, NameIdPolicy, RequestedContext
from saml_idp.domain.service_provider import Binding, ServiceProvider
from saml_idp.saml import names
from saml_idp.saml.bindings import InboundMessage
from saml_idp.saml.consumers import chosen_consumer
from saml_idp.saml.instants import find_instant
from saml_idp.saml.signatures import has_signature, verified, verified_redirect
from saml_idp.saml.xml import Element, children, is_ncname, local_name, parse, text_of

LIFETIME: Final = timedelta(minutes=5)  # how old a request may be, before skew (R11)
CLOCK_SKEW: Final = timedelta(minutes=3)
RELAY_STATE_LIMIT: Final = 1024  # octets

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_ATTRIBUTES: Final = frozenset(
    {
        "ID",
        "Version",
        "IssueInstant",
        "Destination",
        "Consent",
        "ForceAuthn",
        "IsPassive",
        "ProtocolBinding",
        "AssertionConsumerServiceIndex",
        "AssertionConsumerServiceURL",
        "AttributeConsumingServiceIndex",
        "ProviderName",
    }
)
# Core 3.2.1 and 3.4.1: the sequence of the schema; each at most once.
_SEQUENCE: Final = (
    names.assertion("Issuer"),
    names.ds("Signature"),
    names.protocol("Extensions"),
    names.assertion("Subject"),
    names.protocol("NameIDPolicy"),
    names.assertion("Conditions"),
    names.protocol("RequestedAuthnContext"),
    names.protocol("Scoping"),
)


class AnswerableRefusal(LoginRefused):
    """The request was accepted but asks for what we do not serve; the provider is told so.

    ``request``: whom to answer, and where.
    """

    def __init__(self, message: str, *, reason: str, request: AuthnRequest) -> None:
        super().__init__(message, reason=reason)
        self.request = request


def read_authn_request(
    message: InboundMessage,
    *,
    find_provider: Callable[[EntityId], ServiceProvider | None],
    expected_destination: str,
    require_signed: Callable[[EntityId], bool],
    now: datetime,
    clock_skew: timedelta = CLOCK_SKEW,
    relay_state_limit: int = RELAY_STATE_LIMIT,
    deflated_allowed: Callable[[EntityId], bool] = lambda _: False,
    known_as: Collection[str] = (),
) -> AuthnRequest:
    """Return the authentication request in *message*, after every check but replay.

    Args:
        message: as ``saml.bindings`` decoded it.
        find_provider: returns the provider by entity ID, None for an unknown one.
        expected_destination: URL of the endpoint that received the message.
        require_signed: whether policy demands a signature; it adds to what the provider's
            metadata demands and cannot take away.
        now: aware, UTC.
        clock_skew: how far the provider's clock may be off, either way.
        relay_state_limit: octets.
        deflated_allowed: whether the provider's policy allows a compressed POST.
        known_as: entity IDs that an IDPList may name us by; without one, any list excludes us.

    Raises:
        RequestRejected: must not be answered; ``reason`` says which check failed.
        AnswerableRefusal: accepted, but asks for what is not served.

    Spec: Core 3.2.1, 3.4.1; Profiles 4.1.4.1; Bindings 3.4.4.1, 3.5.5.2.
    """
    if message.kind != "SAMLRequest":
        raise RequestRejected("a response came where a request goes", reason="wrong_message")
    relay_state = message.relay_state
    if relay_state is not None and len(relay_state.encode()) > relay_state_limit:
        raise RequestRejected("RelayState is too long", reason="relay_state_too_long")
    root = parse(message.xml)
    if root.tag != names.protocol("AuthnRequest"):
        raise RequestRejected("not an AuthnRequest", reason="wrong_message")
    # The issuer is read once before it can be trusted: it says whose keys to try. After the
    # verification it is the very same element that has been verified.
    provider = _provider(root, find_provider)
    issuer = provider.entity_id
    if message.was_deflated and not deflated_allowed(issuer):
        raise RequestRejected(
            f"{issuer!r} compresses its POST; its policy may say "
            "[compatibility] deflated_post = true",
            reason="post_deflated",
        )
    must = provider.signs_requests or require_signed(issuer)
    root, was_signed = _authenticated(message, root, provider, must_be_signed=must)
    parts = _parts(root)
    _check_header(root, now=now, clock_skew=clock_skew)
    _check_destination(root, expected_destination, is_signed=was_signed)
    consumer = chosen_consumer(
        provider,
        url=root.get("AssertionConsumerServiceURL"),
        index=root.get("AssertionConsumerServiceIndex"),
        binding=root.get("ProtocolBinding"),
    )
    declared, context = _requested_context(parts.get("RequestedAuthnContext"))
    subject_problem, subject = _subject(parts.get("Subject"))
    request = AuthnRequest(
        request_id=root.attrib["ID"],
        issuer=issuer,
        reply_to=consumer.location,
        relay_state=relay_state,
        force_authn=_boolean(root, "ForceAuthn"),
        is_passive=_boolean(root, "IsPassive"),
        requested_context=context,
        name_id_policy=_name_id_policy(parts.get("NameIDPolicy")),
        subject_name_id=subject,
        was_signed=was_signed,
        received_at=now,
    )
    unserved = subject_problem or _unserved(parts, known_as)
    if unserved:
        raise AnswerableRefusal(unserved, reason="request_unsupported", request=request)
    if declared:
        raise AnswerableRefusal(
            "authentication context declarations are not served",
            reason="no_authn_context",
            request=request,
        )
    return request


def _provider(
    root: Element, find_provider: Callable[[EntityId], ServiceProvider | None]
) -> ServiceProvider:
    """R10. Profiles 4.1.4.1: Issuer MUST be present; its Format absent or entity."""
    issuers = [child for child in children(root) if child.tag == names.assertion("Issuer")]
    if len(issuers) != 1 or next(children(root)) is not issuers[0]:
        raise RequestRejected("exactly one Issuer comes first", reason="issuer_malformed")
    (issuer,) = issuers
    others = set(issuer.attrib) - {"Format"}
    if others or issuer.get("Format", names.FORMAT_ENTITY) != names.FORMAT_ENTITY:
        raise RequestRejected("the Issuer is no entity", reason="issuer_malformed")
    provider = find_provider(EntityId(text_of(issuer)))
    if provider is None:
        raise RequestRejected(f"unknown provider {text_of(issuer)!r}", reason="issuer_unknown")
    return provider


def _authenticated(
    message: InboundMessage, root: Element, provider: ServiceProvider, *, must_be_signed: bool
) -> tuple[Element, bool]:
    """Return the root to read from, and whether a signature covered it (S01, S02, S04)."""
    if message.binding is Binding.REDIRECT:
        if has_signature(root):
            raise RequestRejected("an embedded signature", reason="signature_malformed")
        if message.signature is not None:
            verified_redirect(message, provider.signing_certificates)
            return root, True
    elif has_signature(root):
        return verified(root, provider.signing_certificates), True
    if must_be_signed:
        raise RequestRejected("the request is not signed", reason="signature_missing")
    return root, False


def _parts(root: Element) -> dict[str, Element]:
    """Return the children of *root* by local name: known ones, in order, each once (R15)."""
    unknown = {name for name in root.attrib if not name.startswith("{")} - _ATTRIBUTES
    if unknown:
        raise RequestRejected(f"unknown attribute {min(unknown)!r}", reason="unexpected_attribute")
    found = list(children(root))
    places = [_SEQUENCE.index(child.tag) for child in found if child.tag in _SEQUENCE]
    if len(places) != len(found) or any(a >= b for a, b in pairwise(places)):
        raise RequestRejected("elements the schema does not know", reason="unexpected_element")
    return {local_name(child): child for child in found}


def _check_header(root: Element, *, now: datetime, clock_skew: timedelta) -> None:
    """R09, R11."""
    if root.get("Version") != names.VERSION:
        raise RequestRejected("not SAML 2.0", reason="version_unsupported")
    if not is_ncname(root.get("ID", "")):
        raise RequestRejected("the ID is no xs:ID", reason="id_malformed")
    issued_at = find_instant(root.get("IssueInstant", ""))
    if issued_at is None:
        raise RequestRejected("IssueInstant is no UTC time", reason="issue_instant_malformed")
    if issued_at > now + clock_skew:
        raise RequestRejected("the request comes from the future", reason="request_too_new")
    if issued_at < now - LIFETIME - clock_skew:
        raise RequestRejected("the request is too old", reason="request_too_old")


def _check_destination(root: Element, expected_destination: str, *, is_signed: bool) -> None:
    """R12. Bindings 3.4.5.2, 3.5.5.2: a signed message MUST name where it was sent to."""
    destination = root.get("Destination")
    if destination is None and not is_signed:
        return
    if destination != expected_destination:
        raise RequestRejected(f"sent to {destination!r}, not here", reason="destination_differs")


def _requested_context(element: Element | None) -> tuple[bool, RequestedContext | None]:
    """Return whether declarations are asked for, and the classes asked for (Core 3.3.2.2.1)."""
    if element is None:
        return False, None
    try:
        comparison = Comparison(element.get("Comparison", Comparison.EXACT))
    except ValueError:
        raise RequestRejected("unknown Comparison", reason="context_malformed") from None
    found = list(children(element))
    tags = {child.tag for child in found}
    if tags == {names.assertion("AuthnContextDeclRef")}:
        return True, None
    if tags != {names.assertion("AuthnContextClassRef")}:
        raise RequestRejected("a context without classes", reason="context_malformed")
    return False, RequestedContext(comparison, tuple(text_of(c).strip() for c in found))


def _name_id_policy(element: Element | None) -> NameIdPolicy | None:
    """Core 3.4.1.1."""
    if element is None:
        return None
    text_of(element)
    wanted = element.get("Format")
    return NameIdPolicy(
        format=None if wanted == names.FORMAT_UNSPECIFIED else wanted,
        sp_name_qualifier=element.get("SPNameQualifier"),
        allow_create=_boolean(element, "AllowCreate"),
    )


def _subject(element: Element | None) -> tuple[str | None, str | None]:
    """Return what in Subject is not served, and the name identifier it expects."""
    if element is None:
        return None, None
    found: Sequence[Element] = list(children(element))
    if [child.tag for child in found] != [names.assertion("NameID")]:
        return "only a plain NameID is served as Subject", None
    return None, text_of(found[0])


def _unserved(parts: dict[str, Element], known_as: Collection[str]) -> str | None:
    """Return what the request asks for and does not get; None when all is served (R15)."""
    if "Conditions" in parts:
        return "Conditions in a request are not served"
    listed = (
        [entry.get("ProviderID") for entry in parts["Scoping"].iter(names.protocol("IDPEntry"))]
        if "Scoping" in parts
        else []
    )
    if listed and not set(listed) & set(known_as):
        return "the request's IDPList leaves us out"
    return None


def _boolean(element: Element, name: str) -> bool:
    """Return the xs:boolean attribute *name*, False when absent (Core 3.4.1)."""
    text = element.get(name, "false").strip("\t\n\r ")
    if text not in _BOOLEANS:
        raise RequestRejected(f"{name} is no xs:boolean", reason="unexpected_attribute")
    return _BOOLEANS[text]
