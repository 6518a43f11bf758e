"""The box of the access symbols opens for its approval and under its key, and else never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.crypto.symbol_box import open_symbols, seal_symbols
from saml_idp.domain.approval import ALPHABET
from saml_idp.domain.errors import EvidenceForged
from saml_idp.domain.ids import ApprovalId
from tests.build import OTHER_SEAL_KEY, SEAL_KEY

APPROVAL = ApprovalId("approval-1")


@given(st.text(ALPHABET, min_size=1, max_size=16), st.text(min_size=1, max_size=64))
def test_what_is_sealed_opens(symbols: str, approval_id: str) -> None:
    if any(0xD800 <= ord(c) <= 0xDFFF for c in approval_id):
        return
    sealed = seal_symbols(SEAL_KEY, ApprovalId(approval_id), symbols)
    assert open_symbols(SEAL_KEY, ApprovalId(approval_id), sealed) == symbols


def test_the_symbols_do_not_show() -> None:
    sealed = seal_symbols(SEAL_KEY, APPROVAL, "ABCDEFGH")
    assert "ABCDEFGH" not in sealed
    assert len(sealed) <= 256


def test_the_same_symbols_are_never_sealed_alike() -> None:
    assert seal_symbols(SEAL_KEY, APPROVAL, "ABCD") != seal_symbols(SEAL_KEY, APPROVAL, "ABCD")


def test_a_box_of_another_approval_does_not_open() -> None:
    sealed = seal_symbols(SEAL_KEY, APPROVAL, "ABCD")
    with pytest.raises(EvidenceForged):
        open_symbols(SEAL_KEY, ApprovalId("approval-2"), sealed)


def test_a_box_under_another_key_does_not_open() -> None:
    sealed = seal_symbols(OTHER_SEAL_KEY, APPROVAL, "ABCD")
    with pytest.raises(EvidenceForged):
        open_symbols(SEAL_KEY, APPROVAL, sealed)


def test_no_character_of_a_box_can_be_changed() -> None:
    sealed = seal_symbols(SEAL_KEY, APPROVAL, "ABCD")
    for place in range(len(sealed)):
        other = "A" if sealed[place] != "A" else "B"
        changed = sealed[:place] + other + sealed[place + 1 :]
        with pytest.raises(EvidenceForged):
            open_symbols(SEAL_KEY, APPROVAL, changed)


@pytest.mark.parametrize(
    "sealed", ["", "A", "AAAA", "sealed", "ABCD", "é", "\x00", "A" * 300, "=="]
)
def test_what_is_no_box_does_not_open(sealed: str) -> None:
    with pytest.raises(EvidenceForged):
        open_symbols(SEAL_KEY, APPROVAL, sealed)
