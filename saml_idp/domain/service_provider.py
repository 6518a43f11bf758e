"""A provider as we trust it: the metadata we act on."""

from dataclasses import dataclass, field
from enum import StrEnum

from saml_idp.domain.ids import EntityId


class Binding(StrEnum):
    """SAML bindings by their URN (Bindings 3)."""

    REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
    POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    ARTIFACT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
    SOAP = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
    PAOS = "urn:oasis:names:tc:SAML:2.0:bindings:PAOS"


@dataclass(frozen=True, slots=True)
class AssertionConsumer:
    """One AssertionConsumerService (Metadata 2.4.4). ``is_default`` None: not said."""

    location: str
    binding: str
    index: int
    is_default: bool | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A key of a provider. ``der``: X.509 DER. Dates never decide, the key does.

    ``ciphers``: EncryptionMethod URIs that the metadata lists for the key; empty: none listed.
    """

    der: bytes = field(repr=False)
    not_after: str = ""  # ISO 8601, for warnings only
    ciphers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value stands in an operator's file. ``line`` 1-based, 0: not in a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """A service provider, read from metadata that passed every check.

    Holding one means: every location is https (or loopback http where the settings allow
    it), every key is strong enough, and the entity ID stands in one file only.
    """

    entity_id: EntityId
    consumers: tuple[AssertionConsumer, ...]
    signing_certificates: tuple[Certificate, ...]
    encryption_certificates: tuple[Certificate, ...]
    signs_requests: bool  # AuthnRequestsSigned
    wants_assertions_signed: bool
    name_id_formats: tuple[str, ...]
    display_names: tuple[tuple[str, str], ...]  # (language, text), language "" for none
    logo: str | None  # https or bounded data: of an image type
    source: Source

    def display_name(self, language: str) -> str:
        """Return the name to show, in *language* if there is one, else any, else the host."""
        by_language = dict(self.display_names)
        for key in (language, "en", ""):
            if key in by_language:
                return by_language[key]
        if self.display_names:
            return self.display_names[0][1]
        return self.entity_id.split("://", 1)[-1].rstrip("/")
