"""docs/device-protocol.md is what a second implementation is written from: it must be true."""

import ast
import json
import re
from pathlib import Path
from typing import Final

import pytest

import saml_idp
from saml_idp.crypto import device_claims, device_signatures
from saml_idp.crypto.compact_jws import LONGEST_MESSAGE
from saml_idp.domain.approval import ALPHABET, Verdict
from tests.unit.crypto.test_device_signatures import CODES
from tests.vectors.device.signing import b64, unb64

ROOT: Final = Path(saml_idp.__file__).parent
PAGE: Final = (ROOT.parent / "docs" / "device-protocol.md").read_text(encoding="utf-8")
VECTORS: Final = ROOT.parent / "tests" / "vectors" / "device"
# Refusals of services and domain that a device can hear, besides those of a message.
_SPEAKERS: Final = (
    "domain/approval.py",
    "services/answer_approval.py",
    "services/enrol_device.py",
    "services/recognise_device.py",
    "web/contexts.py",
    "web/device.py",
)


def _section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def _codes_on_the_page() -> set[str]:
    return set(re.findall(r"^\| `([a-z_]+)` \|", _section("9. Errors"), re.MULTILINE))


def _codes_raised(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {
        str(keyword.value.value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and "DeviceMessageRejected" in ast.unparse(call.func)
        for keyword in call.keywords
        if keyword.arg == "reason" and isinstance(keyword.value, ast.Constant)
    }


def test_every_code_of_a_message_is_explained() -> None:
    assert _codes_on_the_page() >= CODES


@pytest.mark.parametrize("path", _SPEAKERS)
def test_every_code_that_a_device_can_hear_is_explained(path: str) -> None:
    assert _codes_raised(path) <= _codes_on_the_page()


def test_every_code_of_the_vectors_is_explained() -> None:
    for file in ("enrol", "device", "answer"):
        cases = json.loads((VECTORS / f"{file}.json").read_text(encoding="utf-8"))["cases"]
        assert {case["expected"] for case in cases} - {"ok"} <= _codes_on_the_page()


def test_every_claim_is_explained_with_its_messages() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| ([a-z, ]+) \|", _section("5. Messages"), re.MULTILINE)
    told = dict(rows)
    for where, claims in {
        "enrol": device_claims.ENROLMENT,
        "device": device_claims.CALL,
        "answer": device_claims.ANSWER,
    }.items():
        assert {n for n, kinds in told.items() if kinds == "all" or where in kinds} == set(claims)


def test_the_example_is_the_first_vector() -> None:
    cases = json.loads((VECTORS / "answer.json").read_text(encoding="utf-8"))["cases"]
    example = cases[0]["message"]
    header, payload, _ = example.split(".")
    assert example in PAGE
    assert unb64(header).decode() in PAGE
    assert unb64(payload).decode() in PAGE
    assert b64(unb64(header)) == header


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"At most {LONGEST_MESSAGE} characters" in PAGE
    fast = int(device_signatures.FAST_CLOCK.total_seconds())
    lives = int(device_signatures.LIFETIME.total_seconds())
    assert f"`iat \u2212 {fast} s ≤ now < iat + {lives} s`" in PAGE


def test_the_verdicts_are_named() -> None:
    for verdict in Verdict:
        assert f"`{verdict}`" in PAGE


def test_the_alphabet_is_named() -> None:
    assert "`A`–`Z` and `2`–`7`" in PAGE
    assert len(ALPHABET) == 32


def test_d19_the_page_says_that_this_is_not_phishing_resistant() -> None:
    assert "**This approval is not phishing resistant.**" in PAGE
    assert "WebAuthn" in PAGE
