"""The parser: UTF-8, no document type, bounded. Most of its hostile input is in the vectors."""

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from saml_idp.domain.errors import RequestRejected
from saml_idp.saml import xml
from saml_idp.saml.xml import (
    METADATA_LIMITS,
    Limits,
    XmlRejected,
    canonical,
    children,
    is_ncname,
    is_writable,
    local_name,
    namespace,
    parse,
    serialize,
    text_of,
)


def refusal(octets: bytes, **named: Limits) -> XmlRejected:
    with pytest.raises(XmlRejected) as caught:
        parse(octets, **named)
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"])
def test_r02_r03_a_document_type_in_another_encoding_is_refused(encoding: str) -> None:
    octets = '<?xml version="1.0"?><!DOCTYPE a><a/>'.encode(encoding)
    # UTF-7 leaves "<" alone in some writers and not in others; it is refused either way.
    assert refusal(octets).reason in {"xml_not_utf8", "xml_not_well_formed", "xml_doctype"}


@pytest.mark.parametrize("octets", [b"<a>\xe4</a>", b"<a>\xed\xa0\x80</a>", b"<a>\xc0\x80</a>"])
def test_r03_malformed_utf8_is_refused(octets: bytes) -> None:
    assert refusal(octets).reason == "xml_not_utf8"


def test_r03_a_declaration_that_is_not_understood_is_refused() -> None:
    octets = b'<?xml version="1.0" encoding=\'UTF-16" ?><a/>'
    assert refusal(octets).reason == "xml_not_utf8"
    for blank in (b" ", b"\t", b"\n"):
        octets = b"<?xml" + blank + b"encoding='UTF-16' version='1.0'?><a/>"
        assert refusal(octets).reason == "xml_not_well_formed"


@pytest.mark.parametrize(
    "declaration",
    [
        b'<?xml version="1.0"encoding="UTF-16"?>',
        b'<?xml version="1.0" encoding="UTF-16" x="y"?>',
        b"<?xml version='1.0' encoding='UTF-16' standalone='no'standalone='yes'?>",
        b'<?xml version="1.0" encoding=UTF-16 ?>',
        b'<?xml version="1.0" encoding="UTF-16"?  >',
        b'<?xml version="1.0" standalone="maybe"?>',
    ],
)
def test_r03_no_crooked_declaration_smuggles_an_encoding(declaration: bytes) -> None:
    assert refusal(declaration + b"<a/>").reason == "xml_not_well_formed"


def test_r02_the_parser_refuses_a_document_type_that_was_overlooked() -> None:
    with pytest.raises(XmlRejected):
        xml._parsed(b"<!DOCTYPE a><a/>", METADATA_LIMITS)


def test_r05_size_is_looked_at_before_the_parser_runs() -> None:
    assert refusal(b"<" * 131_073).reason == "xml_too_large"
    assert refusal(b"<a/>", limits=Limits(3, 9, 9, 9)).reason == "xml_too_large"
    assert local_name(parse(b"<a/>", limits=Limits(4, 9, 9, 9))) == "a"


def test_r05_the_bounds_themselves_are_allowed() -> None:
    assert parse(b"<a>" + b"<b/>" * 499 + b"</a>") is not None
    attributes = " ".join(f'a{i}=""' for i in range(64))
    assert parse(f"<a {attributes}/>".encode()) is not None
    assert parse(b"<a>" * 32 + b"</a>" * 32) is not None


def test_r05_an_entity_bomb_is_refused_before_it_begins() -> None:
    levels = "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    bomb = f'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">{levels}]><a>&j;</a>'.encode()
    began = time.process_time()
    for limits in (METADATA_LIMITS, Limits(999_999, 9, 9, 9)):
        assert refusal(bomb, limits=limits).reason == "xml_doctype"
    assert time.process_time() - began < 0.05


def test_a_refusal_names_line_and_column() -> None:
    refused = refusal(b"<a>\n  <b>\n</a>", limits=METADATA_LIMITS)
    assert (refused.line, refused.column) == (3, 5)
    assert refusal(b"<!-- -->\n<!DOCTYPE a><a/>", limits=METADATA_LIMITS).line == 2


def test_a_refused_comment_is_named_by_its_line() -> None:
    assert refusal(b"<a>\n<b/>\n<!-- --></a>").line == 3


def test_m06_a_long_text_of_a_large_file_is_read() -> None:
    octets = b"<a>" + b"x" * 11_000_000 + b"</a>"
    assert len(text_of(parse(octets, limits=METADATA_LIMITS))) == 11_000_000


def test_r17_no_part_of_the_message_is_in_the_refusal_of_a_comment() -> None:
    assert "secret" not in str(refusal(b"<a><!-- secret --></a>"))


def test_comments_are_passed_over_in_metadata_alone() -> None:
    octets = b"<!-- note --><a><!-- note --><b/><?note?></a>"
    root = parse(octets, limits=METADATA_LIMITS)
    assert [local_name(child) for child in children(root)] == ["b"]
    assert refusal(octets).reason == "xml_annotation"


def test_cve_2017_11427_text_that_a_comment_splits_is_refused_in_metadata_too() -> None:
    root = parse(b"<a>sp.example<!-- -->.attacker.example</a>", limits=METADATA_LIMITS)
    with pytest.raises(RequestRejected) as caught:
        text_of(root)
    assert caught.value.reason == "unexpected_element"


def test_text_of_an_empty_element_is_empty() -> None:
    assert text_of(parse(b"<a/>")) == ""


def test_names_are_taken_apart() -> None:
    root = parse(b"<x:a xmlns:x='urn:x'><b/></x:a>")
    assert (local_name(root), namespace(root)) == ("a", "urn:x")
    (child,) = root
    assert (local_name(child), namespace(child)) == ("b", "")


def test_lines_are_kept() -> None:
    assert next(iter(parse(b"<a>\n\n<b/></a>"))).sourceline == 3


def test_r18_no_schema_or_file_is_fetched(tmp_path: Path) -> None:
    schema = tmp_path / "x.xsd"
    octets = (
        '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:noNamespaceSchemaLocation="file://{schema}"><i:include '
        f'xmlns:i="http://www.w3.org/2001/XInclude" href="file://{schema}"/></a>'
    ).encode()
    assert local_name(next(iter(parse(octets)))) == "include"  # inert, as any other element


def test_r04_an_entity_reference_in_an_attribute_is_refused() -> None:
    assert refusal(b"<a b='&x;'/>").reason == "xml_not_well_formed"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("_a", True), ("a-b.c", True), ("ä1", True), ("", False), ("1a", False), ("-a", False),
     ("a:b", False), ("a b", False), ("a\n", False), ("a" * 256, True), ("a" * 257, False)],
)  # fmt: skip
def test_an_ncname_is_known(text: str, expected: bool) -> None:  # noqa: FBT001
    assert is_ncname(text) is expected


@given(st.text(max_size=200))
def test_a13_text_that_can_be_written_is_read_back_and_no_other(text: str) -> None:
    element = etree.Element("a")
    if is_writable(text):
        element.text = text
        element.set("b", text)
        read = parse(serialize(element))
        assert text_of(read) == text
        assert read.get("b") == text
    else:
        with pytest.raises(ValueError, match="XML compatible"):
            element.text = text


@given(st.binary(max_size=300) | st.text(alphabet="<>/a!-[]?&;xml='\"", max_size=60))
def test_no_octets_give_anything_but_a_tree_or_a_refusal(octets: bytes | str) -> None:
    octets = octets.encode() if isinstance(octets, str) else octets
    for limits in (METADATA_LIMITS, Limits(300, 5, 5, 5)):
        with contextlib.suppress(XmlRejected):
            canonical(parse(octets, limits=limits))
