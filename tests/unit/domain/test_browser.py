"""The browser's mark: signed, bounded, and worth nothing to a forger."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saml_idp.domain.browser import Browser, form_token, read, written
from saml_idp.domain.ids import UserId

KEY = b"cookie" * 6
OTHER = b"biscuit" * 5
MARK = "m" * 27
users = st.lists(st.text(max_size=5).map(UserId), max_size=12)


def used_by(*names: str) -> Browser:
    browser = Browser(MARK)
    for name in names:
        browser = browser.after_login(UserId(name))
    return browser


@given(users)
def test_a_mark_comes_back_as_it_was_written(names: list[UserId]) -> None:
    browser = used_by(*names)
    assert read(written(browser, KEY), KEY) == browser


@given(st.integers(0, 10_000), st.characters(max_codepoint=0x2FF))
def test_a_mark_with_one_character_changed_is_nobodys(place: int, other: str) -> None:
    value = written(used_by("u-alice"), KEY)
    at = place % len(value)
    forged = value[:at] + other + value[at + 1 :]
    assert forged == value or read(forged, KEY) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        MARK,
        f"{MARK}.",
        written(used_by("u-alice"), OTHER),
        written(Browser("short"), KEY),
        written(Browser(MARK + "x"), KEY),
        written(Browser(MARK, tuple("a" * 16 for _ in range(40))), KEY),  # too long
        form_token(Browser(MARK), KEY),
        f"{MARK}.{form_token(Browser(MARK), KEY)}",  # a form's token signs no mark
        "é" * 40 + "." + "0" * 64,
    ],
)
def test_what_we_did_not_write_is_nobodys(value: str) -> None:
    assert read(value, KEY) is None


def test_a_user_cannot_be_moved_from_one_browser_to_another() -> None:
    mine, theirs = Browser("a" * 27), Browser("b" * 27).after_login(UserId("u-alice"))
    assert not Browser(mine.mark, theirs.users).knows(UserId("u-alice"))


def test_a_browser_knows_who_completed_a_login_in_it_and_nobody_else() -> None:
    browser = used_by("u-alice")
    assert browser.knows(UserId("u-alice"))
    assert not browser.knows(UserId("u-bob"))


def test_the_oldest_of_nine_users_falls_out_and_a_user_stands_once() -> None:
    browser = used_by("u-0", "u-1", "u-0", *(f"u-{n}" for n in range(2, 9)))
    known = [n for n in range(9) if browser.knows(UserId(f"u-{n}"))]
    assert known == [0, 2, 3, 4, 5, 6, 7, 8]


def test_the_stored_digest_is_not_the_mark_and_differs_by_browser() -> None:
    digest = Browser(MARK).digest
    assert len(digest) == 64
    assert MARK not in digest
    assert digest != Browser("n" * 27).digest
    assert digest == used_by("u-alice").digest


def test_a_forms_token_is_the_browsers_own() -> None:
    token = form_token(Browser(MARK), KEY)
    assert token == form_token(used_by("u-alice"), KEY)
    assert token not in {form_token(Browser("n" * 27), KEY), form_token(Browser(MARK), OTHER)}


def test_a_mark_does_not_show() -> None:
    assert MARK not in repr(Browser(MARK))
