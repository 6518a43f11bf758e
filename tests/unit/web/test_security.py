"""What every form must bring and every answer carries (L06, H01, H03, H05)."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from pyramid.response import Response

from saml_idp.domain.browser import Browser, form_token
from saml_idp.web.security import (
    LARGEST_BODY,
    MOST_FIELDS,
    Forbidden,
    allow_form_to,
    check_form,
    guard,
)
from tests.unit.web.calls import COOKIE_KEY, HTTP, HTTPS, MARK, a_call

TOKEN = form_token(Browser(MARK), COOKIE_KEY)
FORM = "application/x-www-form-urlencoded"


def submitted(
    fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Any:
    """Return a form as our own page sends it, but for what is given."""
    body = urlencode({"csrf_token": TOKEN} if fields is None else fields).encode()
    return a_call("/x", method="POST", body=body, content_type=FORM, headers=dict(headers or {}))


def reason_of(request: Any) -> str:
    with pytest.raises(Forbidden) as refused:
        check_form(request)
    return refused.value.reason


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": HTTPS}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-origin"},
     {"Sec-Fetch-Site": "same-origin", "Origin": "null"}],
)  # fmt: skip
def test_a_form_of_our_own_page_is_taken(headers: dict[str, str]) -> None:
    check_form(submitted(headers=headers))
    check_form(submitted(headers={**headers, "Content-Type": f"{FORM}; charset=UTF-8"}))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, "cross_site"),
        ({"Sec-Fetch-Site": "same-site"}, "cross_site"),
        ({"Sec-Fetch-Site": "none"}, "cross_site"),
        ({"Sec-Fetch-Site": ""}, "cross_site"),
        ({"Sec-Fetch-Site": "cross-site", "Origin": HTTPS}, "cross_site"),
        ({"Origin": "https://evil.example.test"}, "cross_origin"),
        ({"Origin": "http://login.example.test"}, "cross_origin"),
        ({"Origin": f"{HTTPS}:444"}, "cross_origin"),
        ({"Origin": f"{HTTPS}.evil.test"}, "cross_origin"),
        ({"Origin": ""}, "cross_origin"),
    ],
)
def test_l06_the_right_token_from_another_site_is_refused(
    headers: dict[str, str], reason: str
) -> None:
    assert reason_of(submitted(headers=headers)) == reason


@pytest.mark.parametrize(
    "fields",
    [{}, {"csrf_token": ""}, {"csrf_token": "0" * 64}, {"csrf_token": TOKEN[:-1]},
     {"csrf_token": TOKEN + "0"}, {"csrf_token": TOKEN.upper()}, {"csrf_token": "é" * 64},
     {"token": TOKEN}],
)  # fmt: skip
def test_l06_cve_2026_49448_an_empty_or_wrong_token_is_refused(fields: dict[str, str]) -> None:
    assert reason_of(submitted(fields)) == "csrf"


def test_a_token_in_the_address_is_no_token() -> None:
    request = a_call(f"/x?csrf_token={TOKEN}", method="POST", body=b"a=b", content_type=FORM)
    assert reason_of(request) == "csrf"


@pytest.mark.parametrize(
    "content_type",
    ["", "multipart/form-data", "multipart/form-data; boundary=x", "application/json", "text/plain",
     f"{FORM}; charset=utf-7", f"{FORM}; charset=utf-16", f"{FORM}x", f"{FORM}; boundary=x",
     f"{FORM}; charset=utf-8; charset=utf-7", "\xff"],
)  # fmt: skip
def test_h08_a_form_in_another_dress_is_refused_before_it_is_read(content_type: str) -> None:
    request = submitted()
    request.environ["CONTENT_TYPE"] = content_type
    assert reason_of(request) == "no_form"


def test_h05_a_form_has_a_bounded_number_of_fields() -> None:
    fields = {f"f{n}": "" for n in range(MOST_FIELDS - 1)}
    check_form(submitted({**fields, "csrf_token": TOKEN}))
    assert reason_of(submitted({**fields, "one": "", "csrf_token": TOKEN})) == "no_form"


def guarded(request: Any, response: Response | None = None, *, base_url: str = HTTPS) -> Response:
    """Return what the tween makes of *request*; what is behind it answers 200."""
    settings = SimpleNamespace(
        base_url=base_url, allowed_hosts=("login.example.test", "login.example.test:443")
    )
    registry = SimpleNamespace(idp=SimpleNamespace(settings=settings))
    return guard(lambda _: response or Response(text="behind"), registry)(request)


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({}, 200),
        ({"HTTP_HOST": "login.example.test:443"}, 200),
        ({"HTTP_HOST": "login.example.test:8443"}, 421),
        ({"HTTP_HOST": "evil.example.test"}, 421),
        ({"HTTP_HOST": ""}, 421),
        ({"HTTP_HOST": "evil.example.test", "PATH_INFO": "/healthz"}, 200),
        ({"HTTP_X_FORWARDED_HOST": "evil.example.test"}, 200),
        ({"PATH_INFO": "/\xff"}, 400),
        ({"PATH_INFO": "/login/\xed\xa0\x80"}, 400),
        ({"CONTENT_LENGTH": str(LARGEST_BODY)}, 200),
        ({"CONTENT_LENGTH": str(LARGEST_BODY + 1)}, 413),
        ({"CONTENT_LENGTH": "9" * 400}, 413),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, 411),
        ({"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "x"}, 411),
    ],
    ids=str,
)
def test_h03_h05_h08_what_no_view_should_see_is_refused(
    environ: dict[str, str], status: int
) -> None:
    response = guarded(a_call(environ=environ))
    assert response.status_code == status
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"


def test_h01_https_is_for_two_years_and_http_of_this_machine_says_nothing() -> None:
    secure = guarded(a_call()).headers["Strict-Transport-Security"]
    assert int(secure.split(";")[0].removeprefix("max-age=")) >= 365 * 86400
    plain = guarded(a_call(base_url=HTTP), base_url=HTTP)
    assert "Strict-Transport-Security" not in plain.headers


def test_h01_only_static_files_may_be_kept() -> None:
    assert guarded(a_call("/staticx")).headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in guarded(a_call("/static/app.css")).headers


@pytest.mark.parametrize(
    "url",
    ["https://sp.example.test/acs?x=1#y", "https://sp.example.test", "https://sp.example.test/"],
)
def test_a04_a_page_may_send_its_form_to_one_origin(url: str) -> None:
    request = a_call()
    allow_form_to(request, url)
    policy = guarded(request).headers["Content-Security-Policy"]
    assert "form-action https://sp.example.test;" in policy
    assert "form-action 'self';" in guarded(a_call()).headers["Content-Security-Policy"]
