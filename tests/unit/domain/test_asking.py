"""What the login page shows of its newest approval."""

from typing import Any

import pytest

from saml_idp.domain.approval import ApprovalState
from saml_idp.domain.asking import ApprovalPage, ApprovalView, standing
from tests.build import NOW, an_approval, seconds

S, V = ApprovalState, ApprovalView


@pytest.mark.parametrize(
    ("state", "age", "view"),
    [
        (S.PENDING, 0, V.ASKED),
        (S.FETCHED, 119, V.ASKED),
        (S.PENDING, 120, V.EXPIRED),
        (S.FETCHED, 120, V.EXPIRED),
        (S.FAILED, 0, V.FAILED),
        (S.EXPIRED, 0, V.EXPIRED),
        (S.CANCELLED, 0, V.EXPIRED),
        (S.SUPERSEDED, 0, V.EXPIRED),
        (S.DENIED, 0, V.EXPIRED),
    ],
)
def test_the_page_follows_from_the_state_and_the_time(state: Any, age: int, view: Any) -> None:
    assert standing(an_approval(state=state), NOW + seconds(age)) is view


def test_without_an_approval_one_is_to_be_asked() -> None:
    assert standing(None, NOW) is None


def test_the_symbols_do_not_show_in_a_log() -> None:
    assert "ABCD" not in repr(ApprovalPage(V.ASKED, symbols="ABCD"))
