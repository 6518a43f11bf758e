"""Requests on disk, each with the expected verdict in its header, on each binding (R19).

A vector is ``expect: …``, ``why: …``, an empty line, and the octets of the message. The verdict
is ``accepted``, the reason of a refusal shown here, or ``answered:REASON`` for a refusal that
the provider is told.
"""

from pathlib import Path

import pytest

from saml_idp.domain.errors import RequestRejected
from saml_idp.saml.requests import AnswerableRefusal
from tests.unit.saml.messages import BINDINGS

HERE = Path(__file__).parent
VECTORS = sorted(HERE.rglob("*.vector"))


def read_vector(path: Path) -> tuple[str, bytes]:
    header, _, message = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in header.decode().splitlines())
    return fields["expect"].removeprefix("answered:"), message


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("path", VECTORS, ids=lambda p: str(p.relative_to(HERE).with_suffix("")))
def test_a_vector_gets_its_verdict_on_each_binding(path: Path, binding: str) -> None:
    expected, message = read_vector(path)
    try:
        BINDINGS[binding](message)
        verdict = "accepted"
    except (RequestRejected, AnswerableRefusal) as refused:
        verdict = refused.reason
    assert verdict == expected


def test_every_row_of_the_bar_that_a_lone_request_can_break_has_vectors() -> None:
    rows = {path.parent.name for path in VECTORS}
    assert rows >= {"R02", "R03", "R04", "R05", "R09", "R10", "R11", "R12", "R14", "R15", "R16"}
    assert rows >= {"A01", "A02", "P04", "accepted"}
