"""The standard library's client, against a real server on loopback."""

import socket
from collections.abc import Iterator

import pytest

from saml_idp.device_sdk.errors import ServerUnreachable
from saml_idp.device_sdk.transport import LARGEST_ANSWER, HttpAnswer, HttpCall, UrllibTransport
from tests.unit.device_sdk.peer import Peer, served


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    with served(peer):
        yield peer


def got(peer: Peer, path: str = "/device/") -> HttpAnswer:
    return UrllibTransport(timeout_seconds=5)(HttpCall("GET", peer.base_url + path, {"A": "b"}))


def test_an_answer_comes_back_with_names_in_lower_case(peer: Peer) -> None:
    peer.next_answer = HttpAnswer(200, {"X-Name": "value"}, b"body")
    answer = got(peer)
    assert (answer.status, answer.headers["x-name"], answer.body) == (200, "value", b"body")
    assert peer.calls[0].headers["A"] == "b"


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_an_error_is_an_answer(peer: Peer, status: int) -> None:
    peer.next_answer = HttpAnswer(status, {"Retry-After": "7"}, b"{}")
    answer = got(peer)
    assert (answer.status, answer.headers["retry-after"], answer.body) == (status, "7", b"{}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(peer: Peer, status: int) -> None:
    peer.next_answer = HttpAnswer(status, {"Location": f"{peer.base_url}/elsewhere"}, b"")
    assert got(peer).status == status
    assert len(peer.calls) == 1


def test_an_endless_answer_is_cut_off(peer: Peer) -> None:
    peer.next_answer = HttpAnswer(200, {}, b"x" * (LARGEST_ANSWER + 1))
    with pytest.raises(ServerUnreachable, match="too large"):
        got(peer)


def test_no_proxy_is_asked_for_the_own_machine(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert got(peer).status == 200


def test_nobody_listening_is_told() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(ServerUnreachable, match="no answer"):
        UrllibTransport()(HttpCall("GET", f"http://127.0.0.1:{port}/", {}))


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(ServerUnreachable):
            UrllibTransport(timeout_seconds=0.2)(HttpCall("GET", f"http://127.0.0.1:{port}/", {}))


def test_a_server_that_speaks_no_http_is_told(peer: Peer) -> None:
    with pytest.raises(ServerUnreachable):
        UrllibTransport(timeout_seconds=5)(
            HttpCall("GET", peer.base_url.replace("http:", "https:") + "/", {})
        )
