"""Two workers on one SQLite database: what one is told is in force on both; what they write."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from saml_idp.device_sdk.errors import CallFailed
from saml_idp.device_sdk.links import parse_enrolment_link
from saml_idp.saml.sp_metadata import write_minimal_metadata
from tests.live.peer import BrowserPeer
from tests.live.phones import PASSWORD, Phone, add_phone, add_user
from tests.live.serving import RunningIdp, within

COUNTER = 'saml_idp_requests_total{route="healthz"'
SP = "https://sp.example.test"
# Seconds until a change is in force everywhere. Promised is one; tests share their machine. Without
# change notices it would be five.
SOON = 2.0
LOOKS = 24  # each on a connection of its own: that all reach one worker has odds of 1 in 8 million


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIdp]:
    running = RunningIdp(
        tmp_path_factory.mktemp("idp"), workers=2, settings_extra="calls_per_minute = 100000\n"
    ).set_up()
    running.cli("sp", "add", "--entity-id", SP, "--acs", f"{SP}/acs")
    running.start()
    add_phone(running, "root", "--administrator")  # or two-step could not be switched on again
    yield running
    running.stop()


def everywhere(look: Callable[[], bool]) -> Callable[[], bool]:
    """Return a condition that holds when *look* says yes on every worker."""
    return lambda: all(look() for _ in range(LOOKS))


def page_for(idp: RunningIdp, issuer: str = SP) -> str:
    """Return the last part of the URL that a fresh browser's login begins at."""
    page = BrowserPeer(idp.base_url).start(issuer)
    return page.url.rpartition("/")[2] if page.status == 200 else str(page.status)


def test_a_saved_policy_is_in_force_on_every_worker_within_a_second(idp: RunningIdp) -> None:
    assert everywhere(lambda: page_for(idp) == "password")()
    file = idp.folder / "policies" / "sp.toml"
    file.write_text(f'entity_id = "{SP}"\n[login]\ntwo_step = false\n')
    within(SOON, everywhere(lambda: page_for(idp) == "name"))
    file.unlink()
    within(SOON, everywhere(lambda: page_for(idp) == "password"))


def test_new_metadata_is_in_force_on_every_worker_within_a_second(idp: RunningIdp) -> None:
    other = "https://other.example.test"
    assert everywhere(lambda: page_for(idp, other) == "400")()
    file = idp.folder / "metadata" / "other.xml"
    file.write_bytes(write_minimal_metadata(other, f"{other}/acs"))
    within(SOON, everywhere(lambda: page_for(idp, other) == "password"))
    file.unlink()
    within(SOON, everywhere(lambda: page_for(idp, other) == "400"))


def test_a_revoked_device_is_unknown_to_every_worker_at_once(idp: RunningIdp) -> None:
    phone = add_phone(idp, "carol")
    assert everywhere(lambda: is_known(phone))()
    idp.cli("device", "revoke", phone.own.device_id, "--yes")
    assert everywhere(lambda: not is_known(phone))()


def is_known(phone: Phone) -> bool:
    """Tell whether the IdP still takes the calls of *phone*."""
    try:
        phone.open_approvals()
    except CallFailed as failed:
        return failed.code != "unknown_device"
    return True


def test_a_disabled_user_is_out_of_every_worker_at_once(idp: RunningIdp) -> None:
    browser, phone = BrowserPeer(idp.base_url), add_phone(idp, "dave")
    browser.start(SP)
    assert "SAMLResponse" in phone.sign_in(browser).text
    browser.http.headers["Connection"] = "close"  # the next request may be the other worker's

    def is_in() -> bool:
        return "SAMLResponse" in browser.start(SP).text

    assert everywhere(is_in)()
    idp.cli("user", "disable", "dave")
    assert everywhere(lambda: not is_in())()


def test_the_metrics_of_either_worker_are_those_of_both(idp: RunningIdp) -> None:
    def count() -> int:
        text = requests.get(f"{idp.base_url}/metrics", timeout=10).text
        found = re.findall(
            r'^saml_idp_requests_total\{route="healthz".*\} (\S+)$', text, re.MULTILINE
        )
        return sum(int(float(number)) for number in found)

    before = count()
    for _ in range(LOOKS):
        assert requests.get(f"{idp.base_url}/healthz", timeout=10).text == "ok\n"
    assert everywhere(lambda: count() == before + LOOKS)()


def test_nothing_secret_is_in_the_log_after_a_whole_login(tmp_path: Path) -> None:
    """U04: canaries of everything secret that went through the server, at its loudest."""
    idp = RunningIdp(
        tmp_path, workers=2, settings_extra='calls_per_minute = 1000\n[log]\nlevel = "debug"\n'
    ).set_up()
    idp.cli("sp", "add", "--entity-id", SP, "--acs", f"{SP}/acs")
    idp.start()
    code = parse_enrolment_link(add_user(idp, "erin")).code
    phone, browser = add_phone(idp, "frank"), BrowserPeer(idp.base_url)
    browser.start(SP, relay_state="canary-of-relay-state")
    browser.sign_in("frank", PASSWORD + " canary")
    asked = browser.sign_in("frank", PASSWORD)
    symbols = asked.symbols
    seen = [value for cookie in browser.http.cookies if (value := cookie.value)]
    response = phone.sign_in(browser).saml_response
    seen += [value for cookie in browser.http.cookies if (value := cookie.value)]
    browser.get(f"/nowhere?{code}")
    assert idp.stop() == 0

    log = idp.log()
    secrets = [PASSWORD, "canary", code, response[:60], response[-60:], *seen]
    assert [secret for secret in secrets if secret in log] == []
    assert re.search(rf"\b{symbols}\b", log) is None
    assert "SAMLRequest" not in log
    assert "?" not in "".join(re.findall(r'"(?:path|url)": "([^"]*)"', log))
    lines = [json.loads(line) for line in log.splitlines()]
    assert lines
    assert [line for line in lines if line["level"] in ("error", "critical")] == []


def test_a_start_with_an_open_key_is_told_in_a_line_and_a_mend(tmp_path: Path) -> None:
    idp = RunningIdp(tmp_path).set_up()
    key = idp.folder / "keys" / "assertion-active.key"
    key.chmod(0o644)
    code, told = idp.run("serve")
    assert code == 2
    assert told.splitlines() == [
        f"saml-idp: keys: {key}: others can read or write this key",
        f"  run: chmod 600 {key}",
    ]
