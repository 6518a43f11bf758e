"""The only parser and the only serializer. UTF-8, no DTD, no entities, bounded.

Size is looked at before the parser sees an octet, depth and counts after. What comes back is
the one tree of a message: its signature is checked on it and its values are read from it.
"""

import re
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, overload

from lxml import etree

from saml_idp.domain.errors import RequestRejected


class Element(Protocol):
    """What we use of an lxml element; lxml carries no types. ``tag``: {namespace}name."""

    tag: str
    text: str | None
    tail: str | None
    attrib: MutableMapping[str, str]
    sourceline: int | None

    def __iter__(self) -> Iterator["Element"]: ...
    def __len__(self) -> int: ...
    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    def get(self, key: str, default: str | None = None) -> str | None:
        """Return the attribute *key*, *default* without one."""

    def iter(self, *tags: str) -> Iterator["Element"]:
        """Yield the element and all below it, those named *tags* alone if there are any."""

    def find(self, path: str) -> "Element | None":
        """Return the first child named *path*."""

    def insert(self, index: int, element: "Element") -> None:
        """Put *element* at *index* among the children."""

    def append(self, element: "Element") -> None:
        """Put *element* after the last child."""

    def getprevious(self) -> "Element | None":
        """Return the sibling before."""

    def getnext(self) -> "Element | None":
        """Return the sibling after."""

    def getroottree(self) -> Any:
        """Return the document."""


_DECLARATION: Final = re.compile(
    rb"""\A(?:\xef\xbb\xbf)?<\?xml\s+version\s*=\s*["']([^"']*)["']"""
    rb"""(?:\s+encoding\s*=\s*["']([^"']*)["'])?"""
    rb"""(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>"""
)
_NCNAME: Final = re.compile(r"[^\W\d][\w.-]*")
_TOO_LONG_NAME: Final = 256
# XML 1.0, production 2: what may stand in a document at all.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one document. ``attributes``: of one element. ``annotations``: comments and
    processing instructions may stand in it; they are removed from what is read.
    """

    octets: int
    depth: int
    elements: int
    attributes: int
    annotations: bool = False


REQUEST_LIMITS: Final = Limits(octets=128 * 1024, depth=32, elements=500, attributes=64)
METADATA_LIMITS: Final = Limits(
    octets=200 * 1024 * 1024, depth=32, elements=20_000_000, attributes=64, annotations=True
)


class XmlRejected(RequestRejected):
    """The octets are no XML that we read. ``line``, ``column``: 1-based, 0 where unknown."""

    def __init__(self, message: str, *, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message, reason=reason)
        self.line = line
        self.column = column


def parse(octets: bytes, *, limits: Limits = REQUEST_LIMITS) -> Element:
    """Return the root of the document in *octets*.

    Args:
        octets: the message, UTF-8, with or without declaration and byte order mark.
        limits: bounds; past any of them the document is refused.

    Raises:
        XmlRejected: too large, not UTF-8, with a DOCTYPE, a comment, a processing
            instruction or an entity, not well formed, too deep, too many elements or
            attributes. ``reason`` says which.

    Spec: XML 1.0; SAML V2.0 Errata and Core 1.3 say nothing that would need a DTD.
    """
    if len(octets) > limits.octets:
        raise XmlRejected("the document is too large", reason="xml_too_large")
    _check_encoding(octets)
    # Looked for before the parser runs: an entity bomb must not even begin (R02, R05). In
    # UTF-8 this is how it is spelt wherever it counts.
    at = octets.find(b"<!DOCTYPE")
    if at >= 0:
        line = octets.count(b"\n", 0, at) + 1
        raise XmlRejected("a document type is not allowed", reason="xml_doctype", line=line)
    root = _parsed(octets, limits)
    _check_tree(root, limits)
    return root


def serialize(element: Element) -> bytes:
    """Return *element* as UTF-8 octets without a declaration and without added white space."""
    octets: bytes = etree.tostring(element, encoding="UTF-8", xml_declaration=False)
    return octets


def canonical(element: Element) -> bytes:
    """Return *element* in exclusive canonical form, without comments (Exclusive XML C14N 1.0)."""
    octets: bytes = etree.tostring(
        element, method="c14n", exclusive=True, with_comments=False, with_tail=False
    )
    return octets


def children(element: Element) -> Iterator[Element]:
    """Yield the child elements of *element*, without comments and processing instructions."""
    kind: type = str  # the tag of a comment is a function
    return (child for child in element if isinstance(child.tag, kind))


def text_of(element: Element) -> str:
    """Return the text of *element*, which holds text alone.

    Raises:
        RequestRejected: ``unexpected_element``, something else is inside. That holds for a
            comment too: a text that a comment splits is read by halves elsewhere.
    """
    if len(element):
        raise RequestRejected(
            f"{local_name(element)} holds more than text", reason="unexpected_element"
        )
    return element.text or ""


def local_name(element: Element) -> str:
    """Return the name of *element* without its namespace."""
    return element.tag.rpartition("}")[2]


def namespace(element: Element) -> str:
    """Return the namespace of *element*, empty for none."""
    return element.tag.rpartition("}")[0].removeprefix("{")


def is_ncname(text: str) -> bool:
    """True when *text* is an xs:ID of at most 256 characters (Core 1.3.4)."""
    return 0 < len(text) <= _TOO_LONG_NAME and _NCNAME.fullmatch(text) is not None


def is_writable(text: str) -> bool:
    """True when every character of *text* may stand in XML 1.0."""
    return _NOT_XML.search(text) is None


def _check_encoding(octets: bytes) -> None:
    """R03: UTF-8 alone. UTF-16 or UTF-7 would hide markup from whoever looks at octets."""
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        raise XmlRejected("the document is not UTF-8", reason="xml_not_utf8") from None
    if b"\x00" in octets:
        raise XmlRejected("the document holds NUL", reason="xml_not_utf8")
    declaration = _DECLARATION.match(octets)
    if declaration is None:
        return  # there is none, or a crooked one that the parser refuses
    version, encoding = declaration.groups()
    if version != b"1.0":
        raise XmlRejected("only XML 1.0 is read", reason="xml_version")
    if encoding is not None and encoding.lower() not in {b"utf-8", b"utf8"}:
        raise XmlRejected("only UTF-8 is read", reason="xml_not_utf8")


def _parsed(octets: bytes, limits: Limits) -> Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=limits.octets > 8 * 1024 * 1024,  # libxml2's own bounds end at 10 MB
        recover=False,
        remove_comments=False,  # seen and refused, not dropped: CVE-2017-11427
        remove_pis=False,
    )
    try:
        root: Element = etree.fromstring(octets, parser)
    except etree.XMLSyntaxError as exc:
        line, column = exc.position
        raise XmlRejected(
            f"the document is not well formed: {str(exc).split(',')[0].strip()}",
            reason="xml_not_well_formed",
            line=line or 0,
            column=column or 0,
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlRejected("a document type is not allowed", reason="xml_doctype")
    return root


def _check_tree(root: Element, limits: Limits) -> None:
    """R04, R05, R16. Walks with an explicit depth, never by recursion."""
    before = root.getprevious()
    after = root.getnext()
    if (before is not None or after is not None) and not limits.annotations:
        raise XmlRejected("only the root element may stand there", reason="xml_annotation")
    depth = 0
    count = 0
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "end":
            depth -= 1
            continue
        if event != "start":
            if not limits.annotations:
                raise XmlRejected(
                    "comments and processing instructions are not allowed",
                    reason="xml_annotation",
                    line=node.sourceline or 0,
                )
            continue
        depth += 1
        count += 1
        if depth > limits.depth:
            raise XmlRejected("the document is too deep", reason="xml_too_deep")
        if count > limits.elements:
            raise XmlRejected("too many elements", reason="xml_too_many_elements")
        if len(node.attrib) > limits.attributes:
            raise XmlRejected("too many attributes", reason="xml_too_many_attributes")
