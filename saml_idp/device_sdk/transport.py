"""How calls reach the IdP. Put another ``Transport`` in its place to use another HTTP client."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException
from typing import IO, Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from saml_idp.device_sdk.errors import ServerUnreachable

LARGEST_ANSWER: Final = 1 << 20  # octets


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One request. ``body``: JSON, None when there is none."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back. ``headers``: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Sends one request. Follows no redirect, keeps no cookie, checks certificates."""

    def __call__(self, call: HttpCall) -> HttpAnswer:
        """Return the answer, whatever its status.

        Raises:
            ServerUnreachable: there is none.
        """


@dataclass(frozen=True, slots=True)
class UrllibTransport:
    """The standard library's client.

    ``timeout_seconds``: for connecting and for each read. ``context``: None for the system's
    certificates. Proxies are those of the environment, none for the own machine.
    """

    timeout_seconds: float = 15.0
    context: ssl.SSLContext | None = None

    def __call__(self, call: HttpCall) -> HttpAnswer:
        """Send *call*."""
        request = Request(  # noqa: S310  # only https and loopback: links.checked_base_url
            call.url, data=call.body, headers=dict(call.headers), method=call.method
        )
        try:
            with self._opener(call.url).open(request, timeout=self.timeout_seconds) as answer:
                return _read(answer.status, answer.headers, answer)
        except HTTPError as refused:
            with refused:
                return _read(refused.code, refused.headers, refused)
        except (URLError, HTTPException, OSError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise ServerUnreachable(f"no answer from the IdP: {reason}") from error

    def _opener(self, url: str) -> OpenerDirector:
        """Return an opener without a redirect handler: a signed call is for one URL, and what
        it carries goes nowhere else.
        """
        opener = OpenerDirector()
        opener.add_handler(ProxyHandler({} if urlsplit(url).scheme == "http" else None))
        opener.add_handler(HTTPHandler())
        opener.add_handler(HTTPSHandler(context=self.context))
        opener.add_handler(HTTPDefaultErrorHandler())
        opener.add_handler(HTTPErrorProcessor())
        return opener


def _read(status: int, headers: Message, answer: IO[bytes]) -> HttpAnswer:
    body = answer.read(LARGEST_ANSWER + 1)
    if len(body) > LARGEST_ANSWER:
        raise ServerUnreachable("the answer is too large")
    return HttpAnswer(status, {name.lower(): value for name, value in headers.items()}, body)
