"""A provider's metadata → ``ServiceProvider``; faults are named with file, line and mend.

One bad entity is set aside and never takes the others along. Comments and processing
instructions are an operator's notes here and are passed over; a document type never is.

Spec: Metadata 2.3 (EntitiesDescriptor, EntityDescriptor), 2.4.4 (SPSSODescriptor).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from saml_idp.domain.errors import Fault, RequestRejected
from saml_idp.domain.ids import EntityId
from saml_idp.domain.service_provider import (
    AssertionConsumer,
    Binding,
    Certificate,
    ServiceProvider,
    Source,
)
from saml_idp.saml import names
from saml_idp.saml.consumers import is_safe_location
from saml_idp.saml.instants import find_instant
from saml_idp.saml.provider_details import (
    EntityFaulty,
    flag,
    plain_text,
    read_display_names,
    read_keys,
    read_logo,
    required,
)
from saml_idp.saml.signatures import verified
from saml_idp.saml.xml import (
    METADATA_LIMITS,
    Element,
    XmlRejected,
    children,
    parse,
    serialize,
)

_LONGEST_ENTITY_ID: Final = 1024  # Metadata 2.2.1
_LARGEST_INDEX: Final = 65535  # xs:unsignedShort
_GROUP: Final = names.metadata("EntitiesDescriptor")
_ENTITY: Final = names.metadata("EntityDescriptor")
_ROLE: Final = names.metadata("SPSSODescriptor")


@dataclass(frozen=True, slots=True)
class MetadataRead:
    """What a file holds. ``providers``: the sound ones; ``faults``: the others, one each.

    ``valid_until``: earliest validUntil by entity ID, for those that have one; it is to be
    enforced while running.
    """

    providers: tuple[ServiceProvider, ...]
    faults: tuple[Fault, ...]
    valid_until: tuple[tuple[EntityId, datetime], ...] = ()


def read_metadata(
    octets: bytes,
    *,
    file: str,
    allow_http_loopback: bool,
    now: datetime,
    trusted: Sequence[Certificate] = (),
) -> MetadataRead:
    """Return the service providers in *octets*, and what is wrong with the rest.

    Args:
        octets: one EntityDescriptor, or an EntitiesDescriptor, nested or not.
        file: name to give in faults and sources.
        allow_http_loopback: http locations on this machine are taken (development).
        now: aware, UTC; against validUntil.
        trusted: where any are given, the root has to be signed by one of their keys (M04).

    Entities without a service provider role are passed over in an aggregate.

    Spec: Metadata 2.3, 2.4.
    """
    try:
        root = parse(octets, limits=METADATA_LIMITS)
    except XmlRejected as exc:
        mend = "save the file as plain UTF-8 XML without a document type"
        return _nothing_but(Fault(file, exc.line, exc.column, "", str(exc), mend))
    try:
        if trusted:
            root = verified(root, trusted, position=0)
        if root.tag == _GROUP:  # told once, not for each of ten thousand entities
            _earliest(root, [root.get("validUntil")], now)
    except RequestRejected as exc:
        mend = "fetch the file anew from its publisher, or give the right trust key"
        return _nothing_but(_fault(file, root, str(exc), mend))
    except EntityFaulty as exc:
        return _nothing_but(_fault(file, exc.element, exc.problem, exc.mend, exc.key))
    read: list[tuple[ServiceProvider, datetime | None]] = []
    faults: list[Fault] = []
    for entity, limits in _entities(root, ()):
        try:
            provider, limit = _read_entity(
                entity, limits, file, now=now, allow_http_loopback=allow_http_loopback
            )
        except _NoProvider:
            continue
        except EntityFaulty as exc:
            faults.append(_fault(file, exc.element, exc.problem, exc.mend, exc.key))
        else:
            read.append((provider, limit))
    if not read and not faults:
        faults.append(_fault(file, root, "the file holds no service provider", _MEND_ROLE))
    return _without_duplicates(read, faults, file)


def write_minimal_metadata(entity_id: str, acs_url: str) -> bytes:
    """Return metadata of a provider known by *entity_id* and POST *acs_url* alone.

    The result goes through ``read_metadata`` before it counts for anything.

    Spec: Metadata 2.3.2, 2.4.4.
    """
    root: Element = etree.Element(_ENTITY, nsmap={"md": names.METADATA}, entityID=entity_id)
    role = etree.SubElement(root, _ROLE, protocolSupportEnumeration=names.PROTOCOL)
    etree.SubElement(
        role,
        names.metadata("AssertionConsumerService"),
        Binding=str(Binding.POST),
        Location=acs_url,
        index="0",
        isDefault="true",
    )
    etree.indent(root)  # an operator reads this file
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + serialize(root) + b"\n"


class _NoProvider(Exception):
    """The entity has no service provider role."""


_MEND_ROLE: Final = "use the metadata of a service provider (md:SPSSODescriptor)"


def _nothing_but(fault: Fault) -> MetadataRead:
    return MetadataRead((), (fault,))


def _fault(file: str, element: Element, problem: str, mend: str, key: str = "") -> Fault:
    return Fault(file, element.sourceline or 0, 0, key, problem, mend)


def _entities(
    element: Element, limits: tuple[str | None, ...]
) -> Iterator[tuple[Element, tuple[str | None, ...]]]:
    """Yield each entity with every validUntil that holds for it: its own and its groups'."""
    limits = (*limits, element.get("validUntil"))
    if element.tag == _GROUP:
        for child in children(element):
            if child.tag in {_GROUP, _ENTITY}:
                yield from _entities(child, limits)
    elif element.tag == _ENTITY:
        yield element, limits


def _read_entity(
    entity: Element,
    limits: tuple[str | None, ...],
    file: str,
    *,
    now: datetime,
    allow_http_loopback: bool,
) -> tuple[ServiceProvider, datetime | None]:
    roles = [child for child in children(entity) if child.tag == _ROLE]
    roles = [r for r in roles if names.PROTOCOL in r.get("protocolSupportEnumeration", "").split()]
    if not roles:
        raise _NoProvider
    if len(roles) > 1:
        raise EntityFaulty(roles[1], "two service provider roles", "leave one SPSSODescriptor")
    (role,) = roles
    entity_id = required(entity, "entityID", key="EntityDescriptor.entityID")
    if len(entity_id) > _LONGEST_ENTITY_ID or entity_id != entity_id.strip():
        raise EntityFaulty(
            entity,
            "the entityID is too long or has outer blanks",
            "correct it",
            "EntityDescriptor.entityID",
        )
    limit = _earliest(entity, (*limits, role.get("validUntil")), now)
    return (
        ServiceProvider(
            entity_id=EntityId(entity_id),
            consumers=_consumers(role, allow_http_loopback=allow_http_loopback),
            signing_certificates=read_keys(role, "signing"),
            encryption_certificates=read_keys(role, "encryption"),
            signs_requests=flag(role, "AuthnRequestsSigned") or False,
            wants_assertions_signed=flag(role, "WantAssertionsSigned") or False,
            name_id_formats=tuple(
                plain_text(child).strip()
                for child in children(role)
                if child.tag == names.metadata("NameIDFormat")
            ),
            display_names=read_display_names(entity, role),
            logo=read_logo(role),
            source=Source(file, entity.sourceline or 0),
        ),
        limit,
    )


def _earliest(element: Element, limits: Sequence[str | None], now: datetime) -> datetime | None:
    """Return the earliest of *limits*, validUntil as written; a past one is a fault (M05)."""
    earliest: datetime | None = None
    for text in limits:
        if text is None:
            continue
        limit = find_instant(text)
        if limit is None:
            raise EntityFaulty(element, f"validUntil {text!r} is no UTC time", "correct it",
                               "validUntil")  # fmt: skip
        if limit <= now:
            raise EntityFaulty(element, f"the metadata ended at {text}",
                               "ask the provider for fresh metadata", "validUntil")  # fmt: skip
        earliest = limit if earliest is None else min(earliest, limit)
    return earliest


def _consumers(role: Element, *, allow_http_loopback: bool) -> tuple[AssertionConsumer, ...]:
    """Return the ACSs of *role*: sound locations, indexes apart, one POST at least (A01–A03)."""
    found: list[AssertionConsumer] = []
    seen: set[int] = set()
    key = "AssertionConsumerService"
    for element in children(role):
        if element.tag != names.metadata(key):
            continue
        location = required(element, "Location")
        if not is_safe_location(location, allow_http_loopback=allow_http_loopback):
            raise EntityFaulty(element, f"the location {location!r} is not an https URL",
                               "use https with a host name", f"{key}.Location")  # fmt: skip
        text = required(element, "index")
        if not (text.isascii() and text.isdecimal()) or int(text[:6]) > _LARGEST_INDEX:
            raise EntityFaulty(element, f"the index {text!r} is no number up to 65535",
                               "correct it", f"{key}.index")  # fmt: skip
        if int(text) in seen:
            raise EntityFaulty(element, f"the index {text} stands twice",
                               "give each its own index", f"{key}.index")  # fmt: skip
        seen.add(int(text))
        # ResponseLocation has no meaning here and is not read (A02).
        found.append(
            AssertionConsumer(
                location, required(element, "Binding"), int(text), flag(element, "isDefault")
            )
        )
    if not any(c.binding == Binding.POST for c in found):
        raise EntityFaulty(role, "there is no AssertionConsumerService with the POST binding",
                           "add one; this product answers by HTTP-POST", key)  # fmt: skip
    return tuple(found)


def _without_duplicates(
    read: list[tuple[ServiceProvider, datetime | None]], faults: list[Fault], file: str
) -> MetadataRead:
    """M03: of two entities with one ID none is taken; order must not decide whom we trust."""
    times = Counter(provider.entity_id for provider, _ in read)
    for provider, _ in read:
        if times[provider.entity_id] > 1:
            faults.append(Fault(
                file, provider.source.line, 0, "entityID",
                f"the entity ID {provider.entity_id!r} stands more than once",
                "leave one of them in the file",
            ))  # fmt: skip
    sound = [(p, until) for p, until in read if times[p.entity_id] == 1]
    return MetadataRead(
        tuple(p for p, _ in sound),
        tuple(sorted(faults, key=lambda fault: fault.line)),
        tuple((p.entity_id, until) for p, until in sound if until is not None),
    )
