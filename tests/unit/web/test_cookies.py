"""How each cookie is set and read (E01, E09)."""

from http.cookies import SimpleCookie

import pytest
from pyramid.response import Response

from saml_idp.domain.browser import Browser, written
from saml_idp.domain.ids import digest_of
from saml_idp.web import cookies
from tests.unit.web.calls import COOKIE_KEY, HTTP, HTTPS, MARK, a_call

NAMES = ("browser", "session", "opened", "name", "language")
BROWSER = Browser(MARK, ("0" * 16,))


def all_set(base_url: str) -> SimpleCookie:
    """Return every cookie that we can set."""
    request, response = a_call(base_url=base_url), Response()
    cookies.keep_browser(request, response, BROWSER)
    cookies.keep_session(request, response, "secret")
    cookies.keep_opened(request, response, BROWSER)
    cookies.keep_name(request, response, "alice")
    cookies.keep_language(request, response, "de")
    return SimpleCookie("\r\n".join(response.headers.getall("Set-Cookie")))


def test_e01_on_https_every_cookie_is_host_bound_secure_and_out_of_scripts() -> None:
    found = all_set(HTTPS)
    assert set(found) == {f"__Host-idp-{name}" for name in NAMES}
    for cookie in found.values():
        assert (cookie["secure"], cookie["httponly"]) == (True, True)
        assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "Lax")


def test_on_http_of_this_machine_they_have_no_prefix_and_stay_out_of_scripts() -> None:
    found = all_set(HTTP)
    assert set(found) == {f"idp-{name}" for name in NAMES}
    for cookie in found.values():
        assert (cookie["secure"], cookie["httponly"]) == ("", True)


def test_the_session_cookie_ends_with_the_browser_and_the_mark_does_not() -> None:
    found = all_set(HTTPS)
    assert found["__Host-idp-session"]["max-age"] == ""
    assert found["__Host-idp-opened"]["max-age"] == "600"
    assert found["__Host-idp-browser"]["max-age"] == str(400 * 86400)


def test_e09_ghsa_mq4x_r2w3_j7mr_a_cookie_that_a_sibling_host_can_set_is_not_read() -> None:
    """A sibling can set any name but one with the prefix."""
    mark = written(BROWSER, COOKIE_KEY)
    theirs = "; ".join(f"idp-{name}={mark}" for name in NAMES)
    request = a_call(headers={"Cookie": theirs})
    assert not cookies.browser_of(request).users
    assert cookies.session_secret_of(request) is None
    assert cookies.opened_secret_of(request) is None
    assert cookies.remembered_name_of(request) == ""
    assert cookies.chosen_language_of(request) == ""


def test_what_was_set_is_read_again() -> None:
    values = {name: cookie.value for name, cookie in all_set(HTTPS).items()}
    request = a_call(headers={"Cookie": "; ".join(f"{n}={v}" for n, v in values.items())})
    assert cookies.browser_of(request) == BROWSER
    assert cookies.session_secret_of(request) == digest_of("secret")
    assert cookies.opened_secret_of(request) == BROWSER.digest
    assert cookies.remembered_name_of(request) == "alice"
    assert cookies.chosen_language_of(request) == "de"


@pytest.mark.parametrize("value", ["x" * 513, "\xe4", ""])
def test_h08_a_value_that_we_never_set_is_none(value: str) -> None:
    request = a_call(environ={"HTTP_COOKIE": f"__Host-idp-session={value}"})
    assert cookies.session_secret_of(request) is None


@pytest.mark.parametrize("name", ["zoë", "x" * 129, "", None])
def test_a_name_that_no_cookie_can_hold_is_not_remembered_and_the_old_one_goes(
    name: str | None,
) -> None:
    request, response = a_call(headers={"Cookie": "__Host-idp-name=alice"}), Response()
    cookies.keep_name(request, response, name)
    (header,) = response.headers.getall("Set-Cookie")
    gone = SimpleCookie(header)["__Host-idp-name"]
    # Without Secure a browser does not take it, not even to delete.
    assert (gone.value, gone["max-age"], gone["secure"]) == ("", "0", True)
