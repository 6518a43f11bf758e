"""The calls, against an IdP that checks every message."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from saml_idp.device_sdk.client import DeviceClient, Enrolment, Result
from saml_idp.device_sdk.discovery import discover
from saml_idp.device_sdk.errors import CallFailed, LinkInvalid, ServerUnreachable
from saml_idp.device_sdk.keys import DeviceKey
from saml_idp.device_sdk.messages import Verdict
from saml_idp.device_sdk.transport import HttpAnswer, HttpCall
from tests.unit.device_sdk.peer import CODE, ENTITY_ID, Peer


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def client(peer: Peer) -> DeviceClient:
    return DeviceClient(peer.base_url + "/", ENTITY_ID, transport=peer)


def enrolled(client: DeviceClient, peer: Peer, **changes: Any) -> Enrolment:
    given: dict[str, Any] = {
        "key": DeviceKey.generate(),
        "device_name": "build server",
        "password": peer.password,
    } | changes
    return client.enrol(CODE, **given)


def test_a_device_enrols_and_passes_its_trial(client: DeviceClient, peer: Peer) -> None:
    done = enrolled(client, peer)
    assert (done.enrolled.identity, done.enrolled.idp_name) == ("alice", "Example & Co")
    assert done.enrolled.base_url == peer.base_url
    assert done.trial is not None
    assert client.answer(done.enrolled, done.trial, Verdict.APPROVE) is Result.GRANTED


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_login_is_approved_with_its_symbols(
    client: DeviceClient, peer: Peer, algorithm: Any
) -> None:
    peer.trial = False
    done = enrolled(client, peer, key=DeviceKey.generate(algorithm))
    assert done.trial is None
    asked = peer.ask(other_browser_waiting=True)
    (approval,) = client.approvals(done.enrolled).approvals
    assert (approval.provider_name, approval.nonce) == ("Jira", asked["nonce"])
    assert approval.other_browser_waiting
    assert client.answer(done.enrolled, approval, Verdict.APPROVE, symbols="K3QA") is Result.GRANTED
    assert client.approvals(done.enrolled).approvals == ()


@pytest.mark.parametrize(
    ("verdict", "symbols", "result"),
    [
        (Verdict.APPROVE, "AAAA", Result.FAILED),
        (Verdict.DENY, "K3QA", Result.DENIED),
        (Verdict.NOT_ME, "", Result.DENIED),
    ],
)
def test_a_no_and_wrong_symbols(
    client: DeviceClient, peer: Peer, verdict: Verdict, symbols: str, result: Result
) -> None:
    done = enrolled(client, peer)
    peer.approvals.clear()
    peer.ask()
    (approval,) = client.approvals(done.enrolled).approvals
    assert client.answer(done.enrolled, approval, verdict, symbols=symbols) is result
    assert peer.answers[-1].verdict == str(verdict)


def test_an_answer_to_what_is_over(client: DeviceClient, peer: Peer) -> None:
    done = enrolled(client, peer)
    assert done.trial is not None
    peer.approvals.clear()
    assert client.answer(done.enrolled, done.trial, Verdict.APPROVE) is Result.OVER


def test_a_device_retires_itself(client: DeviceClient, peer: Peer) -> None:
    own = enrolled(client, peer).enrolled
    client.retire(own)
    with pytest.raises(CallFailed) as failed:
        client.approvals(own)
    assert failed.value.code == "unknown_device"


def test_no_message_is_sent_twice(client: DeviceClient, peer: Peer) -> None:
    own = enrolled(client, peer).enrolled
    for _ in range(5):
        client.approvals(own)
    sent = [call.headers.get("Authorization") for call in peer.calls if call.method == "GET"]
    assert len(set(sent)) == len(sent) == 5


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"password": "wrong"}, "wrong_password"), ({"device_name": "a\nb"}, "bad_claims")],
)
def test_a_refused_enrolment_says_why(
    client: DeviceClient, peer: Peer, changes: Any, code: str
) -> None:
    with pytest.raises(CallFailed) as failed:
        enrolled(client, peer, **changes)
    assert failed.value.code == code
    assert peer.devices == {}


@pytest.mark.parametrize("offset", [3600.0, -3600.0])
def test_a_wrong_clock_is_set_right_by_the_idp(
    client: DeviceClient, peer: Peer, offset: float
) -> None:
    peer.clock_offset = offset
    own = enrolled(client, peer).enrolled
    client.approvals(own)
    assert len(peer.calls) == 3  # one refusal in all: the offset is kept


def test_a_clock_is_not_corrected_for_ever(client: DeviceClient, peer: Peer) -> None:
    def always(call: HttpCall) -> HttpAnswer:
        date = {"date": "Tue, 01 Jan 2030 00:00:00 GMT"}
        return HttpAnswer(400, date, b'{"code":"out_of_date"}')

    client.transport = always
    with pytest.raises(CallFailed) as failed:
        enrolled(client, peer)
    assert failed.value.code == "out_of_date"


def test_without_a_date_a_wrong_clock_is_just_told(client: DeviceClient, peer: Peer) -> None:
    peer.next_answer = HttpAnswer(400, {"date": "soon"}, b'{"code":"out_of_date"}')
    with pytest.raises(CallFailed):
        enrolled(client, peer)
    assert len(peer.calls) == 1


@pytest.mark.parametrize(
    ("wait", "seconds"), [("17", 17), ("", 0), ("soon", 0), ("-1", 0), ("9" * 9, 0), ("²", 0)]
)
def test_a_throttled_call_says_how_long_to_wait(
    client: DeviceClient, peer: Peer, wait: str, seconds: int
) -> None:
    problem = b'{"code":"throttled","detail":"too many failures","status":429}'
    peer.next_answer = HttpAnswer(429, {"retry-after": wait}, problem)
    with pytest.raises(CallFailed) as failed:
        enrolled(client, peer)
    assert (failed.value.code, failed.value.status) == ("throttled", 429)
    assert failed.value.retry_after == seconds
    assert str(failed.value) == "too many failures"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"approvals":{}, "interval":1}',
        b'{"approvals":[], "interval":"1"}',
        b'{"approvals":[1], "interval":1}',
        b'{"approvals":[{}], "interval":1}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_an_answer_that_is_not_of_the_protocol_is_no_answer(
    client: DeviceClient, peer: Peer, body: bytes
) -> None:
    own = enrolled(client, peer).enrolled
    for status in (200, 502):
        peer.next_answer = HttpAnswer(status, {}, body)
        with pytest.raises((ServerUnreachable, CallFailed)):
            client.approvals(own)


@pytest.mark.parametrize("name", ["approval", "nonce", "id", "trial", "expires_at", "place"])
def test_an_approval_with_a_member_missing_or_of_another_type_is_not_shown(
    client: DeviceClient, peer: Peer, name: str
) -> None:
    own = enrolled(client, peer).enrolled
    wrongs: tuple[object, ...] = (None, 7.5, [])
    for wrong in wrongs:
        peer.approvals.clear()
        peer.ask(**{name: wrong})
        with pytest.raises(ServerUnreachable):
            client.approvals(own)


def test_members_of_a_later_version_are_left_out(client: DeviceClient, peer: Peer) -> None:
    own = enrolled(client, peer).enrolled
    peer.approvals.clear()
    peer.ask(mood="sunny")
    assert len(client.approvals(own).approvals) == 1


def test_a_result_that_is_not_known_is_not_taken_for_a_yes(
    client: DeviceClient, peer: Peer
) -> None:
    done = enrolled(client, peer)
    assert done.trial is not None
    peer.next_answer = HttpAnswer(200, {}, b'{"result":"GRANTED"}')
    with pytest.raises(ServerUnreachable):
        client.answer(done.enrolled, done.trial, Verdict.APPROVE)


def test_an_approval_id_cannot_lead_to_another_call(client: DeviceClient, peer: Peer) -> None:
    done = enrolled(client, peer)
    assert done.trial is not None
    evil = replace(done.trial, approval="../../devices/self?x=")
    with pytest.raises(CallFailed):
        client.answer(done.enrolled, evil, Verdict.APPROVE)
    assert peer.calls[-1].url.endswith("/approvals/..%2F..%2Fdevices%2Fself%3Fx%3D/answer")
    assert peer.devices


def test_discover_reads_who_the_idp_is(peer: Peer) -> None:
    found = discover(peer.base_url, transport=peer)
    assert (found.entity_id, found.idp_name) == (ENTITY_ID, "Example & Co")


@pytest.mark.parametrize("body", [b"", b"<body>", b"<body data-entity-id>", b"\xff<<<<", b"{}"])
def test_discover_refuses_another_page(peer: Peer, body: bytes) -> None:
    peer.next_answer = HttpAnswer(200, {}, body)
    with pytest.raises(ServerUnreachable):
        discover(peer.base_url, transport=peer)


def test_discover_refuses_an_error_page(peer: Peer) -> None:
    peer.next_answer = HttpAnswer(500, {}, b"<body data-entity-id=x>")
    with pytest.raises(ServerUnreachable):
        discover(peer.base_url, transport=peer)


@pytest.mark.parametrize("url", ["http://idp.test", "ftp://idp.test", "idp.test", ""])
def test_a_device_talks_to_no_plain_http(url: str) -> None:
    with pytest.raises(LinkInvalid):
        DeviceClient(url, ENTITY_ID)


def test_secrets_do_not_show_in_a_repr(client: DeviceClient, peer: Peer) -> None:
    own = enrolled(client, peer).enrolled
    client.approvals(own)
    shown = repr([own, *peer.calls])
    for call in peer.calls:
        if call.body:
            assert json.loads(call.body).get("password", "-") not in shown
    assert "Device ey" not in shown
    assert "PRIVATE" not in shown


def test_the_clock_is_the_callers(peer: Peer) -> None:
    peer.clock_offset = 500.0
    client = DeviceClient(
        peer.base_url, ENTITY_ID, transport=peer, clock=lambda: time.time() + 500.0
    )
    enrolled(client, peer)
    assert len(peer.calls) == 1
