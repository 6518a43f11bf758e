"""Requirements of the security bar that need a whole installation, or two, to break."""

import base64
import dataclasses
import io
import json
import logging
import re
import sqlite3
import statistics
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from saml_idp.bootstrap import build
from saml_idp.crypto.keys import new_signing_key
from saml_idp.crypto.sealing import seal_content
from saml_idp.device_sdk.client import Result
from saml_idp.device_sdk.messages import Verdict
from saml_idp.domain.attempt import State
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.browser import read
from saml_idp.domain.ids import AttemptId
from saml_idp.domain.service_provider import Certificate
from saml_idp.logs import configure_logs
from saml_idp.settings import load_settings
from saml_idp.web.app import make_application
from tests.build import NOW
from tests.flows.site import ALONE, ORIGIN, PASSWORD, TWO_STEP, Browser, Phone, Site
from tests.flows.wire import FORM, called
from tests.live.peer import SSO

VECTORS: Final = Path(__file__).parents[1] / "vectors" / "saml"


def signed_in(site: Site) -> tuple[Phone, Browser]:
    """Return a phone and a browser in which alice has signed in."""
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    assert phone.answer(browser.symbols) is Result.GRANTED
    assert "respond" in browser.submit("finish").forms
    return phone, browser


def all_at_once(count: int, call: Callable[[int], Any]) -> list[Any]:
    """Return what *count* threads got, all begun at the same moment."""
    results: list[Any] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        results.append(call(number))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def cookies_of(browser: Browser) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.http.cookiejar)


def posted(site: Site, path: str, fields: dict[str, str], cookies: str = "") -> Any:
    """Submit a form from any thread; return status and body."""
    body = urlencode(fields).encode()
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "HTTP_COOKIE": cookies}
    status, _, octets = called(site, body, CONTENT_TYPE=FORM, **environ)
    return status, octets


# ---- two nodes on one database ---------------------------------------------------------------


def node_of(site: Site, *, settings: Callable[[str], str] = str) -> Site:
    """Return a node of its own on the same files, database and time, its settings changed."""
    toml = site.folder / "saml_idp.toml"
    toml.write_text(settings(toml.read_text()))
    idp = build(load_settings(toml, {}), clock=site.clock)
    return Site(site.folder, site.clock, idp, make_application(idp), site.people)


@pytest.fixture
def other(site: Site) -> Iterator[Site]:
    """A second node."""
    node = node_of(site)
    yield node
    node.close()


def on(node: Site, browser: Browser) -> Browser:
    """Return the same browser, led to another node by the balancer."""
    moved = node.browser()
    for cookie in browser.http.cookiejar:
        moved.http.set_cookie(cookie.name, cookie.value.strip('"'))
    return moved


@pytest.mark.parametrize("act", ["disable", "password", "retire", "revoke"])
def test_e05_what_an_administrator_does_at_one_node_ends_sessions_at_the_other(
    site: Site, other: Site, act: str
) -> None:
    phone, browser = signed_in(site)
    assert "respond" in on(other, browser).start().forms
    alice = site.people["alice"].user_id
    if act == "disable":
        site.idp.people.disable(alice, origin=ORIGIN)
    elif act == "password":
        site.idp.people.set_password(alice, "another quiet lantern", origin=ORIGIN)
    elif act == "retire":
        phone.client.retire(phone.own)
    else:
        site.idp.assign_identity.revoke(alice, origin=ORIGIN)
    assert "respond" not in on(other, browser).start().forms


def test_l01_a_login_goes_on_at_another_node(site: Site, other: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    assert phone.answer(browser.symbols) is Result.GRANTED
    shown, moved = browser.page, on(other, browser)
    moved.page = shown
    assert "respond" in moved.submit("finish").forms
    assert "respond" not in browser.submit("finish").forms
    assert site.receipts() == 1


def test_r13_of_many_replays_at_both_nodes_one_is_a_login(site: Site, other: Site) -> None:
    query = site.browser().query()

    def send(number: int) -> int:
        node = (site, other)[number % 2]
        return called(node, PATH_INFO=SSO, QUERY_STRING=query)[0]

    answers = Counter(status for _ in range(3) for status in all_at_once(40, send))
    assert answers == {303: 1, 400: 119}
    assert len(site.trail(AuditEvent.REQUEST_ACCEPTED)) == 1


# ---- what is where -------------------------------------------------------------------------


def test_d01_the_symbols_never_go_to_the_device(site: Site) -> None:
    """Nor any set of choices: what is not sent cannot be compared and tapped away."""
    phone, browser = site.phone(), site.browser()
    sent: list[bytes] = []
    transport = phone.client.transport

    def listening(call: Any) -> Any:
        answer = transport(call)
        sent.append(answer.body)
        return answer

    phone.client = dataclasses.replace(phone.client, transport=listening)
    browser.start()
    browser.sign_in()
    phone.look()
    told = json.loads(sent[-1])
    assert phone.answer(browser.symbols) is Result.GRANTED
    assert not any(browser.symbols.encode() in body for body in sent)
    (approval,) = told["approvals"]
    assert set(approval) == {
        "approval", "attempt", "id", "provider", "provider_name", "nonce", "symbols_count", "place",
        "browser", "requested_at", "expires_at", "expires_in", "trial", "other_browser_waiting",
    }  # fmt: skip


def test_e03_d15_who_reads_the_database_holds_no_key_to_anything(site: Site) -> None:
    link = site.invite(site.people["alice"])
    phone, browser = signed_in(site)
    waiting = site.browser()
    site.write_policy(TWO_STEP, "[login]\nstep_max_age_seconds = 0\n")
    site.clock.advance(minutes=20)
    waiting.start()
    waiting.sign_in()
    (open_approval,) = phone.look()
    site.idp.store.close()  # all is in the one file now
    with sqlite3.connect(site.folder / "idp.sqlite3") as connection:
        stored = "\n".join(connection.iterdump())
    connection.close()
    assert open_approval.approval in stored
    secrets = {
        "session": browser.cookie("idp-session"),
        "mark": browser.cookie("idp-browser").strip('"').partition(".")[0],
        "invitation": link.partition("enrol=")[2],
        "password": PASSWORD,
        "symbols": f"'{waiting.symbols}'",
        "symbols in JSON": f'"{waiting.symbols}"',
        "cookie key": site.idp.cookie_key.hex(),
    }
    assert all(secrets.values())
    assert [name for name, secret in secrets.items() if secret in stored] == []


# ---- the same form, many times ---------------------------------------------------------------


def test_l07_fifty_passwords_at_once_are_one_approval(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    form = browser.start().forms["login"]
    fields = {"username": "alice", "password": PASSWORD, "csrf_token": form["csrf_token"].value}
    cookies = cookies_of(browser)
    answers = all_at_once(50, lambda _: posted(site, form.action, fields, cookies)[0])
    # those who came while others were counted wait a second; nobody sees an error of ours
    assert set(answers) <= {303, 429}
    assert 303 in answers
    browser.get(browser.page.request.path)
    assert len(browser.symbols) == 4
    assert len(phone.look()) == 1
    assert len(site.trail(AuditEvent.PASSWORD_ACCEPTED)) == 1
    assert len(site.trail(AuditEvent.APPROVAL_ASKED)) == 1


def test_u01_every_guess_is_on_record_though_many_come_at_once(site: Site) -> None:
    browser = site.browser()
    form = browser.start().forms["login"]
    fields = {"username": "alice", "password": "wrong", "csrf_token": form["csrf_token"].value}
    cookies = cookies_of(browser)
    answers = Counter(all_at_once(20, lambda _: posted(site, form.action, fields, cookies)[0]))
    assert set(answers) <= {401, 303, 429}  # 303: to the page that another answer changed
    assert len(site.trail(AuditEvent.PASSWORD_REJECTED)) == 5
    assert len(site.trail(AuditEvent.PASSWORD_THROTTLED)) == 15


def test_l07_cve_2026_107276_fifty_finishes_at_once_are_one_assertion(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    form = browser.sign_in().forms["finish"]
    assert phone.answer(browser.symbols) is Result.GRANTED
    fields, cookies = {"csrf_token": form["csrf_token"].value}, cookies_of(browser)
    answers = all_at_once(50, lambda _: posted(site, form.action, fields, cookies))
    assert {status for status, _ in answers} <= {200, 303}
    assert sum(b"SAMLResponse" in body for _, body in answers) == 1
    assert site.receipts() == 1
    assert len(site.trail(AuditEvent.ASSERTION_ISSUED)) == 1


# ---- what a browser keeps --------------------------------------------------------------------


def test_l08_cve_2026_78655_old_cookies_bring_no_old_count_back(site: Site) -> None:
    browser = site.browser()
    browser.start()
    saved = {cookie.name: cookie.value for cookie in browser.http.cookiejar}
    for _ in range(5):
        assert browser.sign_in(password="wrong").status_int == 401
    browser.http.reset()
    for name, value in saved.items():
        browser.http.set_cookie(name, value)
    assert browser.sign_in().status_int == 429


@pytest.mark.parametrize("as_name", ["browser", "session", "opened"])
def test_l10_no_secret_of_one_kind_serves_as_another(site: Site, as_name: str) -> None:
    """A session is no mark, a token is no session, an invitation is no cookie at all."""
    _, browser = signed_in(site)
    link = site.invite(site.people["alice"])
    token = site.browser().start().forms["login"]["csrf_token"].value
    browser.start(TWO_STEP, attributes='ForceAuthn="true"')
    path = browser.page.request.path
    values = {
        "session": browser.cookie("idp-session"),
        "browser": browser.cookie("idp-browser").strip('"'),
        "mark": browser.cookie("idp-browser").strip('"').partition(".")[0],
        "token": token,
        "login": path.split("/")[2],
        "invitation": link.partition("enrol=")[2],
    }
    for name, value in values.items():
        if name == as_name:
            continue
        thief = site.browser()
        thief.http.set_cookie(f"idp-{as_name}", value)
        found = thief.get(path).status_int
        # the bare mark is what the login's own digest is made of, and no browser is shown it alone
        assert found == (200 if (name, as_name) == ("mark", "opened") else 404), name
        assert "respond" not in thief.start(ALONE).forms, name


def test_a19_reload_and_back_give_no_second_answer(site: Site) -> None:
    phone, browser = site.phone(), site.browser()
    query = browser.query()
    browser.get(f"{SSO}?{query}")
    path = browser.page.request.path.removesuffix("/password")
    browser.sign_in()
    shown = browser.page
    phone.answer(browser.symbols)
    page = browser.submit("finish")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    browser.page = shown
    again = [browser.submit("finish"), browser.get(f"{SSO}?{query}")]
    again += [browser.get(path + step) for step in ("", "/password", "/approval", "/ended")]
    assert not any(b"SAMLResponse" in answer.body for answer in again)
    assert site.receipts() == 1


# ---- ways round ------------------------------------------------------------------------------


def restarts(browser: Browser) -> None:
    form = next(f for f in browser.page.forms.values() if f.action.endswith("/restart"))
    browser.post(form.action, {"csrf_token": form["csrf_token"].value})


def reads_in_german(browser: Browser) -> None:
    browser.get(f"{browser.page.request.path}?lang=de")


def reloads(browser: Browser) -> None:
    browser.get(browser.page.request.path)


def goes_back(browser: Browser) -> None:
    browser.get(browser.page.request.path.rpartition("/")[0] + "/password")


def begins_in_another_tab(browser: Browser) -> None:
    browser.start()


def asks_for_another_way(browser: Browser) -> None:
    shown = browser.page
    path = shown.request.path
    token = browser.page.forms[0]["csrf_token"].value
    fields = {"csrf_token": token, "step": "done", "tryAnotherWay": "on", "skip": "approval"}
    browser.post(path.rpartition("/")[0] + "/finish", fields)
    assert "respond" not in browser.page.forms


@pytest.mark.parametrize(
    "way",
    [restarts, reads_in_german, reloads, goes_back, begins_in_another_tab, asks_for_another_way],
)
@pytest.mark.parametrize("at", [State.AWAITING_PASSWORD, State.AWAITING_APPROVAL])
def test_p09_cve_2026_94218_cve_2026_18963_no_way_round_leaves_a_step_out(
    site: Site, way: Callable[[Browser], None], at: State
) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    if at is State.AWAITING_APPROVAL:
        browser.sign_in()
        if way in (restarts, begins_in_another_tab):
            phone.answer(verdict=Verdict.APPROVE, symbols=browser.symbols)
    if not (way is restarts and at is State.AWAITING_PASSWORD):
        way(browser)
    if "/password" in browser.page.request.path:
        browser.sign_in()
    if phone.look():
        assert phone.answer(browser.symbols) is Result.GRANTED
    page = browser.page
    if "respond" not in page.forms:  # a restart comes too late for what is complete
        page = browser.submit("finish")
    if "respond" in page.forms:
        steps = site.trail(AuditEvent.ASSERTION_ISSUED)[-1].record.details["steps"]
        assert steps == ["password:now", "approval:now"]
    assert site.receipts() == ("respond" in page.forms)


def test_p06_force_authn_survives_a_restart_and_another_tab(site: Site) -> None:
    phone, browser = signed_in(site)
    browser.start(TWO_STEP, attributes='ForceAuthn="true"')
    browser.sign_in()
    restarts(browser)
    forced = browser.page
    assert "respond" in browser.start(ALONE).forms  # another tab, served by the session
    browser.page = forced
    browser.sign_in()
    site.clock.advance(seconds=1)
    browser.ask_again()
    assert phone.answer(browser.symbols) is Result.GRANTED
    browser.submit("finish")
    steps = site.trail(AuditEvent.ASSERTION_ISSUED)[-1].record.details["steps"]
    assert steps == ["password:now", "approval:now"]


# ---- whatever raises -------------------------------------------------------------------------

VERBS: Final = (
    "begin_login", "find_login", "check_password", "ask_approval", "finish_login",
)  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_p03_cve_2024_47070_whatever_raises_ends_in_a_page_and_a_record(
    site: Site, verb: str
) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    shown = browser.sign_in()
    phone.answer(browser.symbols)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret of the inside")

    changes: dict[str, Any] = {verb: broken}
    faulty = dataclasses.replace(site.idp, **changes)
    browser.http.app = make_application(faulty)
    if verb == "finish_login":
        browser.page = shown
        page = browser.submit("finish")
    else:
        page = browser.start()
        if page.status_int == 200:
            page = browser.sign_in()
    assert page.status_int == 500
    assert "respond" not in page.forms
    assert "secret of the inside" not in page.text
    assert "ZeroDivisionError" not in page.text
    record = site.trail(AuditEvent.FAULT)[-1].record
    assert record.reason == "ZeroDivisionError"
    assert record.origin.reference in page.text
    assert site.receipts() == 0


@pytest.mark.parametrize("folder", ["R02", "R03", "R04", "R05", "R16"])
@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_r17_cve_2026_9794_every_message_that_cannot_be_read_gets_the_same_page(
    site: Site, folder: str, binding: str
) -> None:
    pages = set()
    files = sorted((VECTORS / folder).glob("*.vector"))
    for file in files:
        message = file.read_bytes().partition(b"\n\n")[2]
        if binding == "post":
            fields = {"SAMLRequest": base64.b64encode(message).decode()}
            status, body = posted(site, SSO, fields)
        else:
            packer = zlib.compressobj(wbits=-15)
            packed = base64.b64encode(packer.compress(message) + packer.flush()).decode()
            query = f"SAMLRequest={quote(packed, safe='')}"
            status, _, body = called(site, PATH_INFO=SSO, QUERY_STRING=query)
        text = re.sub(r"<dd>[\w-]{14}</dd>|(nonce|content|value)=\"[^\"]*\"", "", body.decode())
        pages.add((status, text))
    assert len(pages) == 1
    ((status, text),) = pages
    assert status == 400
    assert "DOCTYPE a" not in text
    assert "Traceback" not in text
    rows = site.trail(AuditEvent.REQUEST_REJECTED)
    assert len(rows) == len(files)
    assert all(row.record.reason.startswith("xml_") for row in rows)


# ---- full, slow, many ------------------------------------------------------------------------


def test_e06_cve_2020_27978_a_visitor_costs_one_small_row(site: Site) -> None:
    for _ in range(3):
        site.browser().start(relay_state="x" * 80)
    connection = sqlite3.connect(site.folder / "idp.sqlite3")
    (row,) = connection.execute("SELECT * FROM attempts LIMIT 1").fetchall()
    (count,) = connection.execute("SELECT count(*) FROM attempts").fetchone()
    connection.close()
    assert count == 3
    assert sum(len(str(value).encode()) for value in row) <= 2048


def test_e06_x15_a_full_table_refuses_new_logins_and_serves_those_under_way(site: Site) -> None:
    phone = site.phone()
    full = node_of(site, settings=lambda text: text + "[login]\nmax_open_attempts = 10\n")
    browser = full.browser()
    browser.start()
    for _ in range(9):
        full.browser().start()
    refused = full.browser().start()
    assert refused.status_int == 503
    assert int(refused.headers["Retry-After"]) > 0
    browser.sign_in()
    phone.answer(browser.symbols)
    assert "respond" in browser.submit("finish").forms
    assert "respond" in browser.start().forms  # a session needs no row of its own first
    full.close()


def test_d21_h06_who_polls_too_often_is_told_to_wait(site: Site) -> None:
    small = node_of(site, settings=lambda text: text.replace("= 10000", "= 10"))
    browser = small.browser()
    browser.start()
    poll = browser.page.request.path.replace("/password", "/poll")
    answers = [browser.get(poll) for _ in range(25)]
    small.close()
    assert [a.status_int for a in answers[:10]] == [200] * 10
    assert answers[0].json["interval"] >= 2
    assert answers[-1].status_int == 429
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 61


def test_w06_wrong_unknown_and_disabled_cost_the_same(site: Site) -> None:
    """The work of a try is what a stranger could time: medians by processor time, in one run."""
    site.add_user("bob", with_identity=False)
    site.idp.people.disable(site.people["bob"].user_id, origin=ORIGIN)
    spent: dict[str, list[float]] = {"alice": [], "bob": [], "nobody-of-that-name": []}
    for _ in range(9):
        for name, costs in spent.items():
            browser = site.browser()
            browser.start()
            attempt = AttemptId(browser.page.request.path.split("/")[2])
            began = time.thread_time()
            site.idp.check_password(
                attempt,
                username=name,
                password="wrong",
                browser=_mark(site, browser),
                origin=ORIGIN,
            )
            costs.append(time.thread_time() - began)
            site.clock.advance(minutes=16)
    medians = [statistics.median(costs) for costs in spent.values()]
    assert max(medians) < min(medians) * 1.35


def _mark(site: Site, browser: Browser) -> Any:
    return read(browser.cookie("idp-browser").strip('"'), site.idp.cookie_key)


@pytest.mark.parametrize("failures", [5, 12, 20])
def test_w07_who_waited_gets_in_though_a_stranger_guessed(site: Site, failures: int) -> None:
    phone, stranger, owner = site.phone(), site.browser(), site.browser()
    for _ in range(failures):
        stranger.start()
        assert stranger.sign_in(password="wrong").status_int == 401
        site.clock.advance(seconds=61)
    site.clock.advance(minutes=15)
    owner.start()
    owner.sign_in()
    assert phone.answer(owner.symbols) is Result.GRANTED
    assert "respond" in owner.submit("finish").forms


def test_w09_cve_2022_23721_a_look_alike_is_another_account_or_none(site: Site) -> None:
    """Of one account the failures are one count, whatever the spelling."""
    browser = site.browser()
    browser.start()
    for name in ("alice", "ALICE", "Alice", "ali\u200bce", "\uff41lice"):
        assert browser.sign_in(name, "wrong").status_int == 401
    assert browser.sign_in("aLiCe").status_int == 429
    assert browser.sign_in("\u0430lice", "wrong").status_int == 401  # Cyrillic: nobody's name


# ---- the trail and the log -------------------------------------------------------------------


def test_u01_what_happens_in_a_login_is_in_the_trail(site: Site) -> None:
    """Event → row. Each is brought about from outside."""
    phone, browser = signed_in(site)
    browser.get("/saml/sso?SAMLRequest=AAAA")
    site.browser().start(TWO_STEP, attributes='IsPassive="true"')
    stranger = site.browser()
    stranger.start()
    for _ in range(6):
        stranger.sign_in(password="wrong")
    site.clock.advance(minutes=20)
    answers: list[Callable[[str], Any]] = [
        lambda _: phone.answer(verdict=Verdict.DENY),
        lambda shown: phone.answer(("B" if shown[0] == "A" else "A") + shown[1:]),
        lambda _: phone.answer(verdict=Verdict.NOT_ME),
    ]
    for answer in answers:
        one = site.browser()
        one.start()
        one.sign_in()
        answer(one.symbols)
        site.clock.advance(minutes=20)
    one = site.browser()
    one.start()
    one.sign_in()
    restarts(one)
    left = site.browser()
    left.start()
    left.sign_in()
    site.clock.advance(minutes=3)
    site.idp.keep_house()
    limited = [site.browser() for _ in range(6)]
    for one in limited:
        one.start()
        one.sign_in()
        one.submit("cancel")
    phone.client.retire(phone.own)
    seen = {stored.record.event for stored in site.trail()}
    assert seen >= {
        AuditEvent.REQUEST_ACCEPTED, AuditEvent.REQUEST_REJECTED, AuditEvent.LOGIN_REFUSED,
        AuditEvent.LOGIN_RESTARTED, AuditEvent.PASSWORD_ACCEPTED, AuditEvent.PASSWORD_REJECTED,
        AuditEvent.PASSWORD_THROTTLED, AuditEvent.APPROVAL_ASKED, AuditEvent.APPROVAL_LIMITED,
        AuditEvent.APPROVAL_GRANTED, AuditEvent.APPROVAL_DENIED, AuditEvent.APPROVAL_NOT_ME,
        AuditEvent.APPROVAL_FAILED, AuditEvent.APPROVAL_EXPIRED, AuditEvent.ASSERTION_ISSUED,
        AuditEvent.DEVICE_ENROLLED, AuditEvent.DEVICE_RETIRED, AuditEvent.ENROLMENT_CREATED,
        AuditEvent.USER_ADDED, AuditEvent.IDENTITY_ASSIGNED, AuditEvent.METADATA_CHANGED,
        AuditEvent.POLICY_CHANGED,
    }  # fmt: skip


def test_u03_every_row_says_when_where_and_who_and_is_one_line(site: Site) -> None:
    browser = site.browser()
    browser.start()
    forged = 'alice\r\n{"event": "assertion_issued"}\u2028\x00'
    token = browser.page.forms["login"]["csrf_token"].value
    environ = {"HTTP_USER_AGENT": 'evil"\x85{"event":"x"}', "HTTP_COOKIE": cookies_of(browser)}
    body = urlencode({"username": forged, "password": "x", "csrf_token": token}).encode()
    path = browser.page.request.path
    called(site, body, REQUEST_METHOD="POST", PATH_INFO=path, CONTENT_TYPE=FORM, **environ)
    record = site.trail(AuditEvent.PASSWORD_REJECTED)[-1].record
    assert (record.at.tzinfo is not None, record.origin.address) == (True, "192.0.2.7")
    assert record.origin.reference
    assert record.origin.actor == "browser"
    assert (record.provider, record.outcome) == (TWO_STEP, "refused")
    line = json.dumps({**dataclasses.asdict(record), "at": record.at.isoformat()})
    assert line.count("\n") == 0
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028]", record.subject + record.origin.browser)


def test_u04_no_secret_of_a_login_is_in_log_or_trail_at_debug(site: Site) -> None:
    root = logging.getLogger()
    handlers, level, written = list(root.handlers), root.level, io.StringIO()
    configure_logs("debug", stream=written)
    try:
        link = site.invite(site.people["alice"])
        phone, browser = site.phone(), site.browser()
        query = browser.query(relay_state="canary-of-the-state")
        browser.get(f"{SSO}?{query}")
        browser.sign_in(password="canary-of-the-password")
        browser.sign_in()
        symbols, token = browser.symbols, browser.page.forms["finish"]["csrf_token"].value
        phone.answer(symbols)
        page = browser.submit("finish")
        browser.get(f"{SSO}?{query}")
        response = page.forms["respond"]["SAMLResponse"].value
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    secrets = {
        "password": PASSWORD,
        "wrong password": "canary-of-the-password",
        "symbols": f'"{symbols}"',
        "form token": token,
        "session": browser.cookie("idp-session"),
        "mark": browser.cookie("idp-browser").strip('"').partition(".")[0],
        "request": query.partition("SAMLRequest=")[2][:40],
        "response": response[:40],
        "relay state": "canary-of-the-state",
        "invitation": link.partition("enrol=")[2],
        "cookie key": site.idp.cookie_key.hex(),
    }
    told = written.getvalue() + repr(site.trail())
    assert "answered" in written.getvalue()
    assert [name for name, secret in secrets.items() if secret and secret in told] == []
    assert all(secrets.values())


def test_h01_e01_h07_on_https_the_first_answer_says_so(site: Site) -> None:
    own = "https://login.example.test"
    secure = node_of(site, settings=lambda text: text.replace("http://localhost", own))
    environ = {"HTTP_HOST": "login.example.test", "wsgi.url_scheme": "https"}
    xml = site.browser().request_xml(TWO_STEP).replace("http://localhost", own)
    body = urlencode({"SAMLRequest": base64.b64encode(xml.encode()).decode()}).encode()
    status, headers, _ = called(
        secure, body, REQUEST_METHOD="POST", PATH_INFO=SSO, CONTENT_TYPE=FORM, **environ
    )
    secure.close()
    assert status == 303
    assert headers["Set-Cookie"].startswith("__Host-idp-opened=")
    assert "secure" in headers["Set-Cookie"]
    assert "Domain" not in headers["Set-Cookie"]
    assert "max-age=63072000" in headers["Strict-Transport-Security"]


def test_a12_no_key_and_no_nonce_comes_twice() -> None:
    pair = new_signing_key("rsa-2048", common_name="a service", days=1, now=NOW)
    der = x509.load_pem_x509_certificate(pair.certificate).public_bytes(Encoding.DER)
    rounds = 4000
    sealed = [seal_content(b"x", certificate=Certificate(der), key_bits=256) for _ in range(rounds)]
    assert len({one.content[:12] for one in sealed}) == rounds
    assert len({one.wrapped_key for one in sealed}) == rounds
