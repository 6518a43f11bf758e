"""One login over two nodes that share a PostgreSQL database, keys, metadata and policies.

A proxy in front would send each request to either node. Here the test chooses: a request for the
base URL goes to the port of the node that is named, its Host unchanged.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from saml_idp.device_sdk.client import Result
from saml_idp.device_sdk.errors import CallFailed
from saml_idp.device_sdk.messages import Verdict
from saml_idp.device_sdk.transport import HttpAnswer, HttpCall, UrllibTransport
from tests.live.peer import SSO, BrowserPeer, authn_request, redirect_query
from tests.live.phones import PASSWORD, Phone, add_phone
from tests.live.serving import RunningIdp
from tests.postgres import PostgresServer

SP = "https://sp.example.test"


@dataclass
class Proxy(HTTPAdapter):
    """Sends each request of a browser or a device to the node ``to``."""

    to: RunningIdp
    browsers: UrllibTransport = field(default_factory=UrllibTransport)

    def __post_init__(self) -> None:
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        """Pass on a request of the browser."""
        request.headers["Host"] = urlsplit(self.to.base_url).netloc
        request.url = self._node_url(str(request.url))
        return super().send(request, *args, **more)

    def __call__(self, call: HttpCall) -> HttpAnswer:
        """Pass on a call of the device."""
        headers: Mapping[str, str] = {**call.headers, "Host": urlsplit(self.to.base_url).netloc}
        return self.browsers(replace(call, url=self._node_url(call.url), headers=headers))

    def _node_url(self, url: str) -> str:
        return urlsplit(url)._replace(netloc=f"{self.to.host}:{self.to.listens_on}").geturl()


@pytest.fixture(scope="module")
def nodes(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[tuple[RunningIdp, RunningIdp]]:
    """Two nodes; what they share is set up once, from an empty database."""
    with postgres.database(template="template1") as url:
        first = RunningIdp(tmp_path_factory.mktemp("idp"), database_url=url).set_up()
        first.cli("sp", "add", "--entity-id", SP, "--acs", f"{SP}/acs")
        second = first.another_node()
        first.start()
        second.start()
        yield first, second
        assert second.stop() == 0
        assert first.stop() == 0


@pytest.fixture(scope="module")
def phone(nodes: tuple[RunningIdp, RunningIdp]) -> Phone:
    return add_phone(nodes[0], "alice")


@pytest.fixture
def proxy(nodes: tuple[RunningIdp, RunningIdp], phone: Phone) -> Proxy:
    proxy = Proxy(nodes[0])
    phone.client.transport = proxy
    return proxy


def a_browser(proxy: Proxy) -> BrowserPeer:
    browser = BrowserPeer(proxy.to.base_url)
    browser.http.mount("http://", proxy)
    return browser


def test_a_login_may_go_from_node_to_node(
    nodes: tuple[RunningIdp, RunningIdp], phone: Phone, proxy: Proxy
) -> None:
    first, second = nodes
    browser = a_browser(proxy)
    browser.start(SP)
    proxy.to = second
    page = browser.sign_in(phone.username, PASSWORD)
    (approval,) = phone.open_approvals()
    proxy.to = first
    answered = phone.client.answer(phone.own, approval, Verdict.APPROVE, symbols=page.symbols)
    assert answered is Result.GRANTED
    proxy.to = second
    assert "SAMLResponse" in browser.submit("finish").text
    proxy.to = first
    assert "SAMLResponse" in browser.start(SP).text  # the session of the other node
    told = first.cli("audit", "show", "--event", "assertion_issued", "--json")
    issued = [json.loads(line)["details"]["assertion"] for line in told.splitlines()]
    assert len(issued) == 2
    for assertion in issued:
        assert json.loads(first.cli("audit", "receipt", assertion, "--json"))["ok"]


def test_a_request_used_at_one_node_is_refused_at_the_other(
    nodes: tuple[RunningIdp, RunningIdp], proxy: Proxy
) -> None:
    url = f"{SSO}?{redirect_query(authn_request(issuer=SP, destination=proxy.to.base_url + SSO))}"
    assert a_browser(proxy).get(url).status == 200
    proxy.to = nodes[1]
    assert a_browser(proxy).get(url).status == 400


def test_a_call_of_a_device_used_at_one_node_is_refused_at_the_other(
    nodes: tuple[RunningIdp, RunningIdp], phone: Phone, proxy: Proxy
) -> None:
    recorded: list[HttpCall] = []

    def recording(call: HttpCall) -> HttpAnswer:
        recorded.append(call)
        return proxy(call)

    phone.client.transport = recording
    phone.open_approvals()
    proxy.to = nodes[1]
    replayed = proxy(recorded[-1])
    assert replayed.status == 401


def test_a_device_revoked_at_one_node_is_unknown_at_the_other(
    nodes: tuple[RunningIdp, RunningIdp], proxy: Proxy
) -> None:
    lost = add_phone(nodes[0], "bob")
    lost.client.transport = proxy
    proxy.to = nodes[1]
    assert lost.open_approvals() == ()
    nodes[0].cli("device", "revoke", lost.own.device_id, "--yes")
    with pytest.raises(CallFailed) as refused:
        lost.open_approvals()
    assert refused.value.code == "unknown_device"
