"""Other people's service providers at a real server, by both plans, signed and encrypted.

python3-saml in strict mode stands in for Atlassian's toolkit, pysaml2 is the other family. Both
set themselves up from our live metadata, pysaml2 after it verified the metadata's signature.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from saml2 import SAMLError

from tests.live.peer import SSO, BrowserPeer
from tests.live.phones import Phone, add_phone
from tests.live.serving import RunningIdp, within
from tests.live.sp_libraries import Pysaml2, Read, Toolkit, text_of, write_pair

JIRA = "https://jira.example.test"
SIGNING = "https://signing.example.test"
PYSAML2 = "https://pysaml2.example.test"
GROUPS = ["jira-users", "staff"]
LOGINS_OF_AN_ID = 2  # in a quarter of an hour, from browsers the IdP does not know

REFUSED = (ValueError, SAMLError)
SOON = 2.0  # seconds; promised is one, and tests share their machine
NewPhone = Callable[[], Phone]


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIdp]:
    folder = tmp_path_factory.mktemp("idp")
    running = RunningIdp(
        folder, assertion_key="rsa-3072", settings_extra="calls_per_minute = 10000\n"
    ).set_up()
    for name in ("email", "groups"):
        running.cli("policy", "set", "default", f"attributes.{name}={name}", "--yes")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def phone(idp: RunningIdp) -> NewPhone:
    """Return a phone that may still be asked; users come as they are needed."""
    phones = (
        phone
        for number in itertools.count()
        for phone in [add_phone(idp, f"user{number}")] * LOGINS_OF_AN_ID
    )
    return lambda: next(phones)


@pytest.fixture(scope="module")
def jira(idp: RunningIdp) -> Toolkit:
    """Without metadata of its own, added as the guide says."""
    idp.cli("sp", "add", "--entity-id", JIRA, "--acs", f"{JIRA}/acs")
    made = Toolkit.made(JIRA, idp)
    within(SOON, lambda: made.start(BrowserPeer(idp.base_url))[0].status == 200)
    return made


@pytest.fixture(scope="module")
def signing(idp: RunningIdp, tmp_path_factory: pytest.TempPathFactory) -> Toolkit:
    """Signs its requests and wants encrypted assertions, by its own metadata."""
    folder = tmp_path_factory.mktemp("signing")
    made = Toolkit.made(SIGNING, idp, write_pair(folder, "toolkit"))
    _added(idp, made, folder / "toolkit.xml")
    return made


@pytest.fixture(scope="module")
def pysaml2(idp: RunningIdp, tmp_path_factory: pytest.TempPathFactory) -> Pysaml2:
    folder = tmp_path_factory.mktemp("pysaml2")
    made = Pysaml2.made(PYSAML2, idp, folder, idp.folder / "keys" / "metadata.crt")
    _added(idp, made, folder / "pysaml2.xml")
    return made


def _added(idp: RunningIdp, made: Toolkit | Pysaml2, file: Path) -> None:
    file.write_bytes(made.metadata)
    idp.cli("sp", "add", str(file))
    within(SOON, lambda: made.start(BrowserPeer(idp.base_url))[0].status == 200)


def signed_in(read: Read, phone: Phone) -> bool:
    return (read.name_id, read.attributes["email"], read.attributes["groups"]) == (
        phone.username, [f"{phone.username}@example.test"], GROUPS,
    )  # fmt: skip


def test_the_toolkit_signs_in(idp: RunningIdp, jira: Toolkit, phone: NewPhone) -> None:
    browser, own = BrowserPeer(idp.base_url), phone()
    _, request_id = jira.start(browser)
    page = own.sign_in(browser)
    assert signed_in(jira.read(page, request_id), own)
    assert page.form("respond")[1]["RelayState"] == f"{JIRA}/home?a=b&c"


def test_the_toolkit_signs_its_request_and_decrypts_the_answer(
    idp: RunningIdp, signing: Toolkit, phone: NewPhone
) -> None:
    browser, own = BrowserPeer(idp.base_url), phone()
    _, request_id = signing.start(browser)
    page = own.sign_in(browser)
    assert own.username.encode() not in text_of(page.saml_response)
    assert signed_in(signing.read(page, request_id), own)


@pytest.mark.parametrize("by_post", [False, True], ids=["redirect", "post"])
def test_pysaml2_signs_its_request_and_decrypts_the_answer(
    by_post: bool,  # noqa: FBT001
    idp: RunningIdp,
    pysaml2: Pysaml2,
    phone: NewPhone,
) -> None:
    browser, own = BrowserPeer(idp.base_url), phone()
    _, request_id = pysaml2.start(browser, by_post=by_post)
    page = own.sign_in(browser)
    assert own.username.encode() not in text_of(page.saml_response)
    assert signed_in(pysaml2.read(page, request_id), own)
    assert page.form("respond")[1]["RelayState"] == "a b/c?"


@pytest.fixture
def approval_alone(
    idp: RunningIdp, jira: Toolkit, signing: Toolkit, pysaml2: Pysaml2
) -> Iterator[list[Toolkit | Pysaml2]]:
    """The three services with two-step switched off, and on again afterwards."""
    add_phone(idp, "root", "--administrator")  # who switches it on has to be able to sign in
    services: list[Toolkit | Pysaml2] = [jira, signing, pysaml2]
    switch(idp, services, on=False)
    yield services
    switch(idp, services, on=True)


def switch(idp: RunningIdp, services: list[Toolkit | Pysaml2], *, on: bool) -> None:
    """Switch two-step as an administrator would, and wait until it is in force."""
    for sp in services:
        value = "true" if on else "false"
        idp.cli("policy", "set", sp.entity_id, f"login.two_step={value}", "--yes")
    asked = "/password" if on else "/name"
    for sp in services:
        within(SOON, lambda sp=sp: asked in sp.start(BrowserPeer(idp.base_url))[0].url)  # type: ignore[misc]


def test_by_the_approval_alone_all_are_content(
    idp: RunningIdp, approval_alone: list[Toolkit | Pysaml2], phone: NewPhone
) -> None:
    for sp in approval_alone:
        browser, own = BrowserPeer(idp.base_url), phone()
        page, request_id = sp.start(browser)
        assert 'name="password"' not in page.text
        assert signed_in(sp.read(own.sign_in(browser), request_id), own)


def test_a_response_for_one_is_refused_by_the_others(
    idp: RunningIdp, jira: Toolkit, signing: Toolkit, pysaml2: Pysaml2, phone: NewPhone
) -> None:
    browser, own = BrowserPeer(idp.base_url), phone()
    _, request_id = jira.start(browser)
    page = own.sign_in(browser)
    for other in (signing, pysaml2):
        with pytest.raises(REFUSED):
            other.consume(page.saml_response, request_id)
    assert signed_in(jira.read(page, request_id), own)


def test_a_response_to_another_request_is_refused(
    idp: RunningIdp, jira: Toolkit, phone: NewPhone
) -> None:
    browser, own = BrowserPeer(idp.base_url), phone()
    _, request_id = jira.start(browser)
    page = own.sign_in(browser)
    with pytest.raises(ValueError, match="InResponseTo"):
        jira.consume(page.saml_response, jira.request()[1])
    assert signed_in(jira.read(page, request_id), own)


def test_a_request_serves_once_and_the_next_one_asks_nothing(
    idp: RunningIdp, jira: Toolkit, phone: NewPhone
) -> None:
    browser, own = BrowserPeer(idp.base_url), phone()
    url, request_id = jira.request()
    browser.get(url)
    assert signed_in(jira.read(own.sign_in(browser), request_id), own)

    replayed = browser.get(url)
    assert replayed.status == 400
    assert "SAMLResponse" not in replayed.text

    page, second = jira.start(browser)
    assert signed_in(jira.read(page, second), own)


def test_a_signed_request_that_was_changed_on_its_way_is_refused(
    idp: RunningIdp, signing: Toolkit
) -> None:
    url, _ = signing.request()
    parts = urlsplit(url)
    fields = dict(parse_qsl(parts.query))
    unsigned = {name: fields[name] for name in ("SAMLRequest", "RelayState")}
    for changed in (unsigned, fields | {"RelayState": "https://elsewhere.test/"}):
        page = BrowserPeer(idp.base_url).get(f"{SSO}?{urlencode(changed)}")
        assert page.status == 400
    assert BrowserPeer(idp.base_url).get(url).status == 200
