"""Rules for every address, generated from the routes: a new one without a row here fails.

Headers (H01), methods (R20), order (L02), time (L05), redirects (H04), malformed calls (H08).
"""

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saml_idp.device_sdk.client import Result
from saml_idp.domain.attempt import State
from saml_idp.domain.browser import form_token, read
from saml_idp.domain.ids import AttemptId
from tests.flows.site import ALONE, PASSWORD, TWO_STEP, Browser, Phone, Site, status_of
from tests.flows.wire import FORM, called
from tests.live.peer import SSO

# Route → the methods that it answers. An endpoint that is not built is not here (R20, A15).
ROUTES: Final = {
    "home": {"GET"},
    "healthz": {"GET"},
    "readyz": {"GET"},
    "metrics": {"GET"},
    "brand.css": {"GET"},
    "saml.metadata": {"GET"},
    "saml.sso": {"GET", "POST"},
    "login.enter": {"GET"},
    "login.password": {"GET", "POST"},
    "login.name": {"GET", "POST"},
    "login.approval": {"GET", "POST"},
    "login.poll": {"GET"},
    "login.finish": {"POST"},
    "login.restart": {"POST"},
    "login.cancel": {"POST"},
    "login.ended": {"GET"},
    "login.back": {"POST"},
    "device.app": {"GET"},
    "device.worker": {"GET"},
    "device.manifest": {"GET"},
    "device.enrol": {"POST"},
    "device.approvals": {"GET"},
    "device.answer": {"POST"},
    "device.self": {"DELETE"},
    "__static/": {"GET"},
}
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_OF_A_LOGIN: Final = [
    (name, method)
    for name in ROUTES
    for method in ("GET", "POST")
    if name.startswith("login.") and method in ROUTES[name]
]
# What may happen to a login: in this state, at this address → to that state. All else stays.
MOVES: Final = {
    (State.OPENED, "login.enter", "GET"): State.AWAITING_PASSWORD,
    (State.OPENED, "login.cancel", "POST"): State.REFUSED,
    (State.AWAITING_PASSWORD, "login.password", "POST"): State.AWAITING_APPROVAL,
    (State.AWAITING_PASSWORD, "login.cancel", "POST"): State.REFUSED,
    (State.AWAITING_NAME, "login.name", "POST"): State.AWAITING_APPROVAL,
    (State.AWAITING_NAME, "login.cancel", "POST"): State.REFUSED,
    (State.AWAITING_APPROVAL, "login.restart", "POST"): State.AWAITING_PASSWORD,
    (State.AWAITING_APPROVAL, "login.cancel", "POST"): State.REFUSED,
    (State.CHAIN_COMPLETE, "login.enter", "GET"): State.DONE,
    (State.CHAIN_COMPLETE, "login.finish", "POST"): State.DONE,
    (State.CHAIN_COMPLETE, "login.cancel", "POST"): State.REFUSED,
}
_HOSTILE: Final = "next=//evil.test&returnTo=https://evil.test/&lang=//evil.test&step=done"


@pytest.fixture(scope="module")
def place(site_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One installation for all tests that leave nothing behind."""
    folder = tmp_path_factory.mktemp("place") / "site"
    shutil.copytree(site_template, folder)
    made = Site.opened(folder)
    made.populate()
    yield made
    made.close()


def paths_of(site: Site) -> dict[str, str]:
    """Return the pattern of every route."""
    return {r.name: r.pattern for r in site.app.routes_mapper.get_routes(include_static=True)}


def path_of(site: Site, name: str, attempt: str = "none") -> str:
    """Return a path that leads to the route."""
    pattern = paths_of(site)[name].replace("{attempt}", attempt).replace("{approval}", "none")
    return "/" + pattern.lstrip("/").replace("*subpath", "site.css")


def headers_are_complete(answer: Any) -> bool:
    """H01, but for HSTS, which is for https."""
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    parts = ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'")
    return (
        all(part in policy for part in parts)
        and "unsafe" not in policy
        and headers["X-Content-Type-Options"] == "nosniff"
        and headers["Referrer-Policy"] == "no-referrer"
        and headers["Cross-Origin-Opener-Policy"] == "same-origin"
        and (answer.request.path.startswith("/static/") or "Cache-Control" in headers)
    )


def test_r20_every_route_has_its_row(place: Site) -> None:
    assert set(paths_of(place)) == set(ROUTES)


@pytest.mark.parametrize("name", ROUTES)
def test_h01_r20_cve_2021_3827_every_method_of_every_route(place: Site, name: str) -> None:
    """Of a login that is there, with every header; a method that is not served does nothing."""
    browser = place.browser()
    browser.start()
    attempt = browser.page.request.path.split("/")[2]
    before = len(place.trail())
    for method in _METHODS:
        answer = browser.http.request(
            path_of(place, name, attempt), method=method, expect_errors=True
        )
        assert headers_are_complete(answer), (method, answer.headers)
        assert answer.status_int < 500
        if method not in ROUTES[name] and name != "__static/":  # a file, whatever the method
            assert answer.status_int in (401, 404, 405), method
    if not {"POST", "DELETE"} & ROUTES[name]:
        assert len(place.trail()) == before or name == "saml.sso"


@pytest.mark.parametrize("path", ["/nowhere", "/static/nowhere", "/login/none/nowhere", "/\xff"])
def test_h01_an_answer_from_nowhere_has_the_headers_too(place: Site, path: str) -> None:
    status, headers, _ = called(place, PATH_INFO=path)
    assert status in (400, 404)
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


# ---- L02, L05: every state, every address ----------------------------------------------------

Begun = tuple[Browser, str]  # the browser, and the number of its login


def begun(site: Site, issuer: str = TWO_STEP) -> Begun:
    browser = site.browser()
    browser.start(issuer)
    return browser, browser.page.request.path.split("/")[2]


def opened(site: Site, phone: Phone) -> Begun:
    browser, _ = begun(site)  # for the mark that a token belongs to
    fields = {"SAMLRequest": base64.b64encode(browser.request_xml(TWO_STEP).encode()).decode()}
    answer = browser.post(SSO, fields, follow=False)
    return browser, answer.location.rpartition("/")[2]


def awaiting_approval(site: Site, phone: Phone) -> Begun:
    browser, attempt = begun(site)
    browser.sign_in()
    assert browser.symbols
    return browser, attempt


def complete(site: Site, phone: Phone) -> Begun:
    browser, attempt = awaiting_approval(site, phone)
    assert phone.answer(browser.symbols) is Result.GRANTED
    return browser, attempt


def done(site: Site, phone: Phone) -> Begun:
    browser, attempt = complete(site, phone)
    assert "respond" in browser.submit("finish").forms
    return browser, attempt


def refused(site: Site, phone: Phone) -> Begun:
    browser, attempt = begun(site)
    browser.submit("cancel")
    return browser, attempt


BEGUN: Final[dict[State, Callable[[Site, Phone], Begun]]] = {
    State.OPENED: opened,
    State.AWAITING_PASSWORD: lambda site, _: begun(site),
    State.AWAITING_NAME: lambda site, _: begun(site, ALONE),
    State.AWAITING_APPROVAL: awaiting_approval,
    State.CHAIN_COMPLETE: complete,
    State.DONE: done,
    State.REFUSED: refused,
}


def state_of(site: Site, attempt: str) -> State:
    with site.idp.store.view() as unit:
        return unit.attempts.get(AttemptId(attempt)).state


def tried(site: Site, browser: Browser, attempt: str, name: str, method: str) -> Any:
    """Call the address with all that any of them could want: token, name, right password."""
    mark = read(browser.cookie("idp-browser").strip('"'), site.idp.cookie_key)
    assert mark is not None
    token = form_token(mark, site.idp.cookie_key)
    fields = {"csrf_token": token, "username": "alice", "password": PASSWORD, "step": "done"}
    path = f"{path_of(site, name, attempt)}?{_HOSTILE}"
    if method == "GET":
        return browser.get(path, follow=False)
    return browser.post(path, fields, follow=False)


def is_success(answer: Any) -> bool:
    return b"SAMLResponse" in answer.body and status_of(answer) == "Success"


def leads_to_our_own(answer: Any, attempt: str) -> bool:
    """H04: whatever the call says, a redirect leads to a page of this very login."""
    if "Location" not in answer.headers:
        return True
    target = urlsplit(answer.headers["Location"])
    return target.netloc in ("", "localhost") and target.path.startswith(f"/login/{attempt}")


@pytest.mark.parametrize("state", BEGUN)
def test_l02_h04_cve_2026_49448_an_address_moves_a_login_only_where_the_table_says(
    site: Site, state: State
) -> None:
    phone = site.phone()
    browser, attempt = BEGUN[state](site, phone)
    for name, method in _OF_A_LOGIN:
        receipts = site.receipts()
        answer = tried(site, browser, attempt, name, method)
        after = state_of(site, attempt)
        assert after is MOVES.get((state, name, method), state), (name, method)
        assert is_success(answer) == (after is State.DONE is not state), (name, method)
        assert site.receipts() - receipts == (after is State.DONE is not state)
        assert leads_to_our_own(answer, attempt), (name, method)
        if after is not state:
            site.clock.advance(minutes=20)  # an ID is asked five times in 15 minutes
            browser, attempt = BEGUN[state](site, phone)


@pytest.mark.parametrize("state", [s for s in BEGUN if s not in (State.DONE, State.REFUSED)])
def test_l05_ten_minutes_and_a_second_are_too_late_in_every_state(site: Site, state: State) -> None:
    phone = site.phone()
    browser, attempt = BEGUN[state](site, phone)
    site.clock.advance(minutes=10, seconds=1)
    over = {state, State.EXPIRED, State.REFUSED}
    for name, method in _OF_A_LOGIN:
        answer = tried(site, browser, attempt, name, method)
        assert not is_success(answer), (name, method)
        assert state_of(site, attempt) in over, (name, method)
        assert browser.get(f"/login/{attempt}").request.path.endswith("/ended")
    assert site.receipts() == 0


# ---- H08: what no client of ours would send --------------------------------------------------


FILE: Final = (
    b'--x\r\nContent-Disposition: form-data; name="csrf_token"; filename="a"\r\n\r\na\r\n--x--'
)
_LATIN: Final = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)
_PATHS: Final = st.sampled_from(
    ["/", "/saml/sso", "/saml/metadata", "/device/v1/enrol", "/device/v1/approvals",
     "/static/site.css", "/login/x/password", "/login//", "//evil.test/",
     "/device/v1/approvals/x/answer"]
) | _LATIN.map(lambda text: f"/{text}")  # fmt: skip
_TYPES: Final = (
    st.sampled_from(
        [FORM, f"{FORM}; charset=utf-7", "multipart/form-data", "multipart/form-data; boundary=x",
         "application/json", "text/xml", ""]
    )
    | _LATIN
)  # fmt: skip
_BODIES: Final = st.binary(max_size=80) | st.sampled_from(
    [b"SAMLRequest=%FF", b'{"message":"\\ud800"}', b'{"message":{}}', b"[" * 9000, b"csrf_token=%"]
)
_NAMES: Final = st.sampled_from(
    ["HTTP_COOKIE", "HTTP_HOST", "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT", "HTTP_AUTHORIZATION",
     "HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR", "HTTP_RANGE",
     "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_TRANSFER_ENCODING", "CONTENT_LENGTH",
     "REMOTE_ADDR", "REMOTE_USER", "HTTP_X_FORWARDED_PROTO"]
)  # fmt: skip


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "HEAD", "BREW"]),
    path=_PATHS,
    query=_LATIN,
    content_type=_TYPES,
    body=_BODIES,
    headers=st.dictionaries(_NAMES, _LATIN, max_size=3),
)
def test_h08_cve_2026_25748_no_call_whatever_is_an_error_of_ours(
    place: Site, method: str, path: str, query: str, content_type: str, body: bytes,
    headers: dict[str, str],
) -> None:  # fmt: skip
    given_ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    status, answered, _ = called(place, body, CONTENT_TYPE=content_type, **(given_ | headers))
    assert status < 500
    assert "default-src 'none'" in answered["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("environ", "body"),
    [
        ({"PATH_INFO": "/\xff\xfe"}, b""),
        ({"PATH_INFO": "/login/\xff/password"}, b""),
        ({"PATH_INFO": "/static/\xc0\xae\xc0\xae/x"}, b""),
        ({"PATH_INFO": "/static/../saml_idp/web/app.py"}, b""),
        ({"PATH_INFO": "/saml/sso", "QUERY_STRING": "SAMLRequest=\xff"}, b""),
        ({"PATH_INFO": "/saml/sso", "REQUEST_METHOD": "POST", "CONTENT_TYPE": FORM}, b"\xff=\xfe"),
        ({"PATH_INFO": "/saml/sso", "REQUEST_METHOD": "POST", "CONTENT_TYPE": "\xff"}, b"x"),
        ({"PATH_INFO": "/saml/sso", "REQUEST_METHOD": "POST", "CONTENT_TYPE": FORM,
          "CONTENT_LENGTH": "500"}, b"short"),
        ({"PATH_INFO": "/device/v1/enrol", "REQUEST_METHOD": "POST",
          "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "500"}, b"{}"),
        ({"PATH_INFO": "/device/v1/approvals", "HTTP_AUTHORIZATION": "Device \xff.\xff.\xff"}, b""),
        ({"HTTP_HOST": "\xff"}, b""),
        ({"HTTP_HOST": "evil.test@localhost"}, b""),
    ],
    ids=str,
)  # fmt: skip
def test_h08_what_is_malformed_is_refused(
    place: Site, environ: dict[str, str], body: bytes
) -> None:
    status, _, _ = called(place, body, **environ)
    assert 400 <= status < 500


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=x", FILE),
        (f"{FORM}; charset=utf-7", b"csrf_token=a"),
        (f"{FORM}; charset=nonsense", b"csrf_token=a"),
        (FORM, b"csrf_token=%FF&username=\xff"),
        (FORM, b"&".join(b"f%d=" % n for n in range(20_000))),
    ],
    ids=["no boundary", "empty boundary", "file", "utf-7", "unknown charset", "not UTF-8", "many"],
)  # fmt: skip
def test_h05_h08_a_crooked_form_of_a_login_is_refused(
    place: Site, content_type: str, body: bytes
) -> None:
    browser, attempt = begun(place)
    answer = browser.http.post(
        f"/login/{attempt}/password",
        body,
        headers={"Content-Type": content_type},
        expect_errors=True,
    )
    assert answer.status_int == 403


@pytest.mark.parametrize("name", ["username", "password"])
@pytest.mark.parametrize(
    "value",
    ["\ud800", "\x00", "a\r\nb", "\u202e", "x" * 100_000, "%", "\ufffe"],
    ids=lambda v: ascii(v)[:20],
)
def test_h08_any_text_is_a_wrong_name_or_password(place: Site, name: str, value: str) -> None:
    browser, attempt = begun(place)
    token = browser.page.forms["login"]["csrf_token"].value
    fields = {"username": f"x{len(value)}", "password": "x", "csrf_token": token, name: value}
    body = "&".join(f"{n}={quote(v.encode(errors='surrogatepass'))}" for n, v in fields.items())
    answer = browser.http.post(f"/login/{attempt}/password", body, expect_errors=True)
    assert answer.status_int == 401


def test_h05_a_body_that_is_too_large_is_not_read(place: Site) -> None:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/saml/sso", "CONTENT_TYPE": FORM,
    }  # fmt: skip
    assert called(place, CONTENT_LENGTH=str(256 * 1024 + 1), **environ)[0] == 413
    status, _, _ = called(place, b"x", **environ | {"HTTP_TRANSFER_ENCODING": "chunked"})
    assert status == 400  # with a length, the length counts
    chunked = environ | {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    assert called(place, **chunked)[0] == 411
