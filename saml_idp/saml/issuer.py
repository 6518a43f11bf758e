"""``CompletedChain`` → ``SignedResponse``: the only writer of assertions.

The issuer is told nothing about who signed in, where and how; it reads all of it off the
proof. What it writes is a tree of values, in the order of the schema.

Spec: Core 2.3.3 (Assertion), 3.3.3 (Response); Profiles 4.1.4.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from lxml import etree

from saml_idp.crypto.keys import SigningKey
from saml_idp.domain.errors import LoginRefused
from saml_idp.domain.ids import AssertionId, EntityId
from saml_idp.domain.policy import Encryption, Signing
from saml_idp.domain.proof import CompletedChain
from saml_idp.domain.release import Release
from saml_idp.domain.service_provider import Certificate
from saml_idp.saml import names
from saml_idp.saml.consumers import is_safe_location
from saml_idp.saml.encryption import encrypted_assertion, usable_certificate
from saml_idp.saml.instants import written_instant
from saml_idp.saml.signatures import sign
from saml_idp.saml.xml import Element, is_ncname, is_writable, serialize

# Providers refuse an assertion of "the future" when our clock is 2 s ahead (SAML.md).
BACKDATED: Final = timedelta(seconds=60)
LONGEST_LIFETIME: Final = timedelta(minutes=5)  # A09


@dataclass(frozen=True, slots=True)
class SignedResponse:
    """A Response with one assertion, made from a proof, signed, ready to be sent.

    ``xml``: UTF-8. ``destination``: the ACS. ``sha256``: of ``xml``, lower-case hex.
    ``key_id``: of the key that signed.
    """

    xml: bytes
    destination: str
    relay_state: str | None
    assertion_id: AssertionId
    response_id: str
    sha256: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """Us, with the key that assertions are signed by."""

    entity_id: EntityId
    key: SigningKey

    def issue(
        self,
        proof: CompletedChain,
        release: Release,
        *,
        issued_at: datetime,
        new_id: Callable[[], str],
    ) -> SignedResponse:
        """Return the signed answer to the request that *proof* completed.

        Args:
            proof: minted by ``prove()``; its receipt has been committed.
            release: what ``released()`` allows of this very proof.
            issued_at: aware, UTC.
            new_id: returns a fresh xs:ID of 128 random bits or more.

        Raises:
            LoginRefused: ``value_not_xml``, a value that XML cannot hold;
                ``cannot_encrypt``, policy says always and there is no key to do it.
            TypeError: *proof* is something else than a completed chain.

        Spec: Profiles 4.1.4.2.
        """
        if type(proof) is not CompletedChain:
            raise TypeError("an assertion is made from a completed chain and from nothing else")
        recipient = _recipient(proof)
        destination = proof.request.reply_to
        if not is_safe_location(destination, allow_http_loopback=True):
            raise LoginRefused("the reply address is not safe", reason="provider_gone")
        assertion = self._assertion(proof, release, issued_at)
        if proof.policy.sign is not Signing.RESPONSE:
            sign(assertion, self.key)
        response_id = new_id()
        response = _response(proof, self.entity_id, response_id, issued_at)
        # Signed first, then encrypted (Core 6.2); the octets that are encrypted stand alone.
        response.append(
            assertion if recipient is None else encrypted_assertion(serialize(assertion), recipient)
        )
        if proof.policy.sign is not Signing.ASSERTION:
            sign(response, self.key)
        xml = serialize(response)
        return SignedResponse(
            xml=xml,
            destination=destination,
            relay_state=proof.request.relay_state,
            assertion_id=proof.assertion_id,
            response_id=response_id,
            sha256=sha256(xml).hexdigest(),
            key_id=self.key.key_id,
        )

    def _assertion(self, proof: CompletedChain, release: Release, issued_at: datetime) -> Element:
        """Core 2.3.3: Issuer, Subject, Conditions, then the statements."""
        expires_at = issued_at + min(proof.policy.assertion_lifetime, LONGEST_LIFETIME)
        root: Element = etree.Element(
            names.assertion("Assertion"),
            nsmap={"saml": names.ASSERTION},
            ID=_id(proof.assertion_id),
            Version=names.VERSION,
            IssueInstant=written_instant(issued_at),
        )
        _put(root, "Issuer", text=self.entity_id)
        _put_subject(root, proof, release, expires_at)
        conditions = _put(
            root,
            "Conditions",
            NotBefore=written_instant(issued_at - BACKDATED),
            NotOnOrAfter=written_instant(expires_at),
        )
        audience = _put(conditions, "AudienceRestriction")
        _put(audience, "Audience", text=proof.provider.entity_id)
        statement = _put(
            root,
            "AuthnStatement",
            AuthnInstant=written_instant(proof.authn_instant),
            SessionIndex=proof.session_index,
            SessionNotOnOrAfter=written_instant(proof.session_ends_at),
        )
        context = _put(statement, "AuthnContext")
        _put(context, "AuthnContextClassRef", text=proof.stated_class)
        _put_attributes(root, release)
        return root


def _response(
    proof: CompletedChain, issuer: EntityId, response_id: str, issued_at: datetime
) -> Element:
    """Core 3.2.2: Issuer, Status; the assertion follows."""
    root: Element = etree.Element(
        names.protocol("Response"),
        # The assertion's namespace is declared where it is used and not here: lxml would
        # take it off an assertion that is put below, and that one has to stand alone.
        nsmap={"samlp": names.PROTOCOL},
        ID=_id(response_id),
        Version=names.VERSION,
        IssueInstant=written_instant(issued_at),
        Destination=proof.request.reply_to,
    )
    _put_in_response_to(root, proof)
    issuer_element = etree.SubElement(
        root, names.assertion("Issuer"), nsmap={"saml": names.ASSERTION}
    )
    issuer_element.text = issuer
    status = etree.SubElement(root, names.protocol("Status"))
    etree.SubElement(status, names.protocol("StatusCode"), Value=names.STATUS_SUCCESS)
    return root


def _put_subject(
    root: Element, proof: CompletedChain, release: Release, expires_at: datetime
) -> None:
    """Profiles 4.1.4.2: one bearer confirmation with Recipient, NotOnOrAfter, InResponseTo."""
    subject = _put(root, "Subject")
    name_id = _put(subject, "NameID", text=release.name_id.value, Format=release.name_id.format)
    if release.name_id.name_qualifier is not None:
        name_id.attrib["NameQualifier"] = _writable(release.name_id.name_qualifier)
    if release.name_id.sp_name_qualifier is not None:
        name_id.attrib["SPNameQualifier"] = _writable(release.name_id.sp_name_qualifier)
    confirmation = _put(subject, "SubjectConfirmation", Method=names.BEARER)
    details = _put(
        confirmation,
        "SubjectConfirmationData",
        NotOnOrAfter=written_instant(expires_at),
        Recipient=proof.request.reply_to,
    )
    _put_in_response_to(details, proof)


def _put_attributes(root: Element, release: Release) -> None:
    """Core 2.7.3: one Attribute for each name, with all its values; no empty statement."""
    if not release.attributes:
        return
    statement = _put(root, "AttributeStatement")
    for name, values in release.attributes:
        uri = name.startswith(("urn:", "http://", "https://"))
        attribute = _put(
            statement,
            "Attribute",
            Name=name,
            NameFormat=names.ATTRIBUTE_URI if uri else names.ATTRIBUTE_BASIC,
        )
        for value in values:
            _put(attribute, "AttributeValue", text=value)


def _put_in_response_to(element: Element, proof: CompletedChain) -> None:
    """An unsolicited answer has no InResponseTo (Profiles 4.1.5)."""
    if proof.request.request_id is not None:
        element.attrib["InResponseTo"] = _id(proof.request.request_id)


def _put(parent: Element, name: str, *, text: str | None = None, **attributes: str) -> Element:
    """Put an element of the assertion namespace last into *parent* and return it."""
    element: Element = etree.SubElement(
        parent, names.assertion(name), {key: _writable(v) for key, v in attributes.items()}
    )
    if text is not None:
        element.text = _writable(text)
    return element


def _writable(text: str) -> str:
    if not is_writable(text):
        raise LoginRefused("a value holds what XML cannot", reason="value_not_xml")
    return text


def _id(text: str) -> str:
    if not is_ncname(text):
        raise LoginRefused("an ID is no xs:ID", reason="value_not_xml")
    return text


def _recipient(proof: CompletedChain) -> Certificate | None:
    """Return the key to encrypt to, None for a plain assertion. Never a silent fall-back (A11)."""
    wanted = proof.policy.encrypt
    if wanted is Encryption.NEVER:
        return None
    found = usable_certificate(proof.provider.encryption_certificates)
    if found is None and (wanted is Encryption.ALWAYS or proof.provider.encryption_certificates):
        raise LoginRefused("there is no key to encrypt to", reason="cannot_encrypt")
    return found
