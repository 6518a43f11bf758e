"""HTTP-Redirect and HTTP-POST: octets of HTTP to messages and back.

Decoding is strict, since two readings of one request are how signatures are got round: a name
is spelt literally and stands once, base64 has one form, an inflated message has an end.

Spec: Bindings 3.4 (HTTP-Redirect), 3.5 (HTTP-POST).
"""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass
from typing import Final, Literal, Protocol
from urllib.parse import unquote_to_bytes

from saml_idp.domain.errors import RequestRejected
from saml_idp.domain.service_provider import Binding
from saml_idp.saml import names
from saml_idp.saml.xml import REQUEST_LIMITS

MessageKind = Literal["SAMLRequest", "SAMLResponse"]

LARGEST_WIRE: Final = 64 * 1024  # octets of a query string or form
_MOST_PARAMETERS: Final = 64
_OURS: Final = frozenset(
    {"SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding"}
)
_OURS_FOLDED: Final = frozenset(name.casefold() for name in _OURS)
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# HTML cannot carry these back byte for byte (NUL becomes U+FFFD).
_UNRETURNABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DIAGNOSED: Final = 64  # octets inflated to tell an operator what is wrong


@dataclass(frozen=True, slots=True)
class RedirectSignature:
    """A signature as it stood in a query string (Bindings 3.4.4.1), not verified.

    ``octets``: what it is over, as received. ``algorithm``: URI of any kind.
    """

    octets: bytes
    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message as it came over HTTP, decoded; nothing in it has been checked or believed.

    ``signature``: of HTTP-Redirect; that of a POST stands in the XML.
    ``was_deflated``: a POST that was compressed, which only some providers may do.
    """

    xml: bytes
    binding: Binding
    kind: MessageKind
    relay_state: str | None
    signature: RedirectSignature | None = None
    was_deflated: bool = False


@dataclass(frozen=True, slots=True)
class PostForm:
    """A form that the browser submits by itself. ``fields``: name and value, to be escaped."""

    action: str
    fields: tuple[tuple[str, str], ...]


class OutboundMessage(Protocol):
    """A message of ours that is ready to be sent: an answer or a refusal."""

    @property
    def xml(self) -> bytes:
        """The octets of the message."""

    @property
    def destination(self) -> str:
        """Where it goes: a registered ACS."""

    @property
    def relay_state(self) -> str | None:
        """What the provider sent along, byte for byte."""


def decode_redirect(query_string: str) -> InboundMessage:
    """Return the message in *query_string*.

    Args:
        query_string: raw, as the server received it: percent-encoded ASCII without "?".

    Raises:
        RequestRejected: oversized, a name twice or in another spelling, not base64, not one
            whole DEFLATE stream, a signature without its algorithm or the reverse.

    Spec: Bindings 3.4.4.
    """
    raw = _parameters(query_string)
    kind = _kind(raw)
    encoding = raw.get("SAMLEncoding")
    if encoding is not None and _plain(encoding) != names.DEFLATE:
        raise RequestRejected("unknown SAMLEncoding", reason="encoding_unknown")
    return InboundMessage(
        xml=_inflated(_from_base64(_plain(raw[kind]))),
        binding=Binding.REDIRECT,
        kind=kind,
        relay_state=_relay_state(raw),
        signature=_signature(raw, kind),
    )


def decode_post(body: bytes, *, accept_deflated: bool = False) -> InboundMessage:
    """Return the message in the form *body*.

    Args:
        body: application/x-www-form-urlencoded, as received.
        accept_deflated: some provider's policy says ``deflated_post``. The reader of the
            message still refuses it to every other provider.

    Raises:
        RequestRejected: as ``decode_redirect``; ``post_deflated`` for a compressed message
            that is not accepted.

    Spec: Bindings 3.5.4.
    """
    try:
        raw = _parameters(body.decode("ascii"))
    except UnicodeDecodeError:
        raise RequestRejected("the form is not ASCII", reason="form_malformed") from None
    kind = _kind(raw)
    if "SigAlg" in raw or "Signature" in raw:
        # HTTP-POST-SimpleSign. A signature that is present is checked or refused (S01).
        raise RequestRejected("SimpleSign is not served", reason="signature_unsupported")
    # The standard's base64 (RFC 2045) may be broken into lines here, not in a query string.
    content = _from_base64(re.sub(r"\r?\n", "", _plain(raw[kind])))
    was_deflated = not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if was_deflated and not accept_deflated:
        raise _not_xml(content)
    return InboundMessage(
        xml=_inflated(content) if was_deflated else content,
        binding=Binding.POST,
        kind=kind,
        relay_state=_relay_state(raw),
        was_deflated=was_deflated,
    )


def encode_post_form(message: OutboundMessage) -> PostForm:
    """Return the form that carries *message*, a Response, to its destination.

    Spec: Bindings 3.5.4.
    """
    fields = [("SAMLResponse", base64.b64encode(message.xml).decode("ascii"))]
    if message.relay_state is not None:
        fields.append(("RelayState", message.relay_state))
    return PostForm(message.destination, tuple(fields))


def _parameters(text: str) -> dict[str, str]:
    """Return our parameters in *text*, values still percent-encoded. Others are left alone."""
    if len(text) > LARGEST_WIRE:
        raise RequestRejected("the message is too large", reason="wire_too_large")
    if not text.isascii() or _BAD_PERCENT.search(text):
        raise RequestRejected("malformed percent-encoding", reason="form_malformed")
    found: dict[str, str] = {}
    pieces = text.split("&")
    if len(pieces) > _MOST_PARAMETERS:
        raise RequestRejected("too many parameters", reason="form_malformed")
    for piece in pieces:
        name, equals, value = piece.partition("=")
        if name not in _OURS:
            # A name that another parser would take for ours is an attack on one of the two.
            if _plain_octets(name).strip().decode("utf-8", "replace").casefold() in _OURS_FOLDED:
                raise RequestRejected("a parameter in disguise", reason="parameter_disguised")
            continue
        if name in found:
            raise RequestRejected(f"{name} stands twice", reason="parameter_repeated")
        if not equals:
            raise RequestRejected(f"{name} has no value", reason="form_malformed")
        found[name] = value
    return found


def _kind(raw: dict[str, str]) -> MessageKind:
    if "SAMLRequest" in raw and "SAMLResponse" in raw:
        raise RequestRejected("request and response at once", reason="parameter_repeated")
    if "SAMLRequest" in raw:
        return "SAMLRequest"
    if "SAMLResponse" in raw:
        return "SAMLResponse"
    raise RequestRejected("there is no SAML message", reason="message_missing")


def _signature(raw: dict[str, str], kind: MessageKind) -> RedirectSignature | None:
    if ("Signature" in raw) != ("SigAlg" in raw):
        raise RequestRejected("signature without algorithm", reason="signature_incomplete")
    if "Signature" not in raw:
        return None
    # As received and in the standard's order, whatever order they came in (S03).
    signed = "&".join(f"{n}={raw[n]}" for n in (kind, "RelayState", "SigAlg") if n in raw)
    value = _from_base64(_plain(raw["Signature"]))
    return RedirectSignature(signed.encode("ascii"), _plain(raw["SigAlg"]), value)


def _relay_state(raw: dict[str, str]) -> str | None:
    if "RelayState" not in raw:
        return None
    try:
        text = _plain_octets(raw["RelayState"]).decode("utf-8")
    except UnicodeDecodeError:
        raise RequestRejected("RelayState is not UTF-8", reason="relay_state_malformed") from None
    if _UNRETURNABLE.search(text):
        raise RequestRejected("RelayState holds controls", reason="relay_state_malformed")
    return text


def _plain(value: str) -> str:
    """Return *value* percent-decoded; what is not ASCII becomes what no base64 or URI holds."""
    return _plain_octets(value).decode("ascii", "replace")


def _plain_octets(value: str) -> bytes:
    return unquote_to_bytes(value.replace("+", " "))


def _from_base64(text: str) -> bytes:
    """Return the octets of *text*, which has the one canonical form (R07)."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RequestRejected("not base64", reason="base64_malformed") from None
    if not octets or base64.b64encode(octets).decode("ascii") != text:
        raise RequestRejected("not canonical base64", reason="base64_malformed")
    return octets


def _inflated(octets: bytes) -> bytes:
    """Return *octets* inflated: one whole raw DEFLATE stream, bounded as it grows (R06)."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        xml = inflater.decompress(octets, REQUEST_LIMITS.octets + 1)
    except zlib.error:
        raise RequestRejected("not a DEFLATE stream", reason="deflate_malformed") from None
    if len(xml) > REQUEST_LIMITS.octets:
        raise RequestRejected("the message is too large", reason="xml_too_large")
    if not inflater.eof or inflater.unused_data:
        raise RequestRejected("not one whole DEFLATE stream", reason="deflate_malformed")
    return xml


def _not_xml(content: bytes) -> RequestRejected:
    """Return the refusal of a POST that is no XML; says so where it looks compressed.

    At most 64 octets are inflated, to help an operator; they are never read as a message.
    """
    try:
        start = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, _DIAGNOSED)
    except zlib.error:
        start = b""
    if start.lstrip().startswith(b"<"):
        return RequestRejected(
            "the POST is compressed; where the provider cannot do without, its policy may say "
            "[compatibility] deflated_post = true",
            reason="post_deflated",
        )
    return RequestRejected("the POST holds no XML", reason="xml_not_well_formed")
