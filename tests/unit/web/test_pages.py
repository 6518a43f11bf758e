"""Which language a page is written in, and what a template has at hand."""

from collections.abc import Callable
from typing import Any

import pytest
from pyramid.response import Response

from saml_idp.web.pages import add_globals, language_of
from tests.unit.web.calls import a_call


def call(path: str = "/", **headers: str) -> Any:
    """Return a request that keeps its response callbacks in ``later``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = a_call(path, headers=named)
    later: list[Callable[[Any, Response], None]] = []
    request.add_response_callback = later.append
    request.later = later
    return request


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (call(), "en"),
        (call("/?lang=de"), "de"),
        (call("/?lang=de", Cookie="__Host-idp-language=en"), "de"),
        (call(Cookie="__Host-idp-language=de", Accept_Language="en"), "de"),
        (call(Cookie="__Host-idp-language=xx", Accept_Language="de"), "de"),
        (call(Accept_Language="de-AT,en;q=0.5"), "de"),
        (call(Accept_Language="fr"), "en"),
    ],
)
def test_a_choice_goes_before_a_memory_and_that_before_the_browser(
    request_: Any, expected: str
) -> None:
    assert language_of(request_) == expected


@pytest.mark.parametrize(
    "path",
    ["/?lang=", "/?lang=xx", "/?lang=%ff", "/?lang=de%00", "/?lang=DE", "/?lang=../de", "/?lang",
     "/?lang=de&lang=fr", "/?lang=%0d%0aSet-Cookie:x"],
)  # fmt: skip
def test_h08_a_language_that_is_not_ours_is_english_and_not_remembered(path: str) -> None:
    request = call(path)
    assert language_of(request) == "en"
    assert request.later == []


@pytest.mark.parametrize("header", ["*", ";q=", "de;q=9", ",,,", "\xff", "x" * 10_000])
def test_h08_a_crooked_preference_is_english(header: str) -> None:
    assert language_of(a_call(environ={"HTTP_ACCEPT_LANGUAGE": header})) == "en"


def test_a_choice_is_remembered() -> None:
    request, response = call("/?lang=de"), Response()
    language_of(request)
    (remember,) = request.later
    remember(request, response)
    assert response.headers["Set-Cookie"].startswith("__Host-idp-language=de;")


def test_a_template_without_a_request_is_given_nothing() -> None:
    values: dict[str, object] = {"request": None}
    add_globals(values)
    assert values == {"request": None}
