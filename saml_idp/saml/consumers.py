"""Where an answer may go: the choice of the provider's AssertionConsumerService.

Only a registered, POST one; what is unknown is an error shown here, never a redirect.

Spec: Core 3.4.1; Metadata 2.2.3.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from saml_idp.domain.errors import RequestRejected
from saml_idp.domain.service_provider import AssertionConsumer, Binding, ServiceProvider

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def chosen_consumer(
    provider: ServiceProvider, *, url: str | None, index: str | None, binding: str | None
) -> AssertionConsumer:
    """Return the consumer that a request of *provider* asks for, or its default.

    Args:
        url: AssertionConsumerServiceURL, None when absent. Compared byte for byte.
        index: AssertionConsumerServiceIndex as written, None when absent; 0 is an index.
        binding: ProtocolBinding, None when absent.

    Raises:
        RequestRejected: ``acs_url_and_index``, ``acs_unknown``, ``binding_unsupported``.
    """
    if url is not None and index is not None:
        raise RequestRejected("ACS by URL and by index at once", reason="acs_url_and_index")
    if binding is not None and binding != Binding.POST:
        raise RequestRejected(f"binding {binding!r} is not served", reason="binding_unsupported")
    candidates: Sequence[AssertionConsumer] = provider.consumers
    if url is not None:
        candidates = [c for c in candidates if c.location == url]
    elif index is not None:
        candidates = [c for c in candidates if str(c.index) == index]
    served = [c for c in candidates if c.binding == Binding.POST]
    if not served:
        if candidates:
            raise RequestRejected("that ACS takes no POST", reason="binding_unsupported")
        raise RequestRejected(f"no such ACS: {url or index!r}", reason="acs_unknown")
    return min(served, key=_rank)


def is_safe_location(location: str, *, allow_http_loopback: bool) -> bool:
    """True when a browser may be sent to *location* with an assertion (A03).

    That is https with a host and without user info or fragment; or http on this machine,
    where settings allow it for development.
    """
    if not location.isascii() or any(c <= " " or c in '"<>\\^`{|}' for c in location):
        return False
    try:
        parts = urlsplit(location)
        host = parts.hostname
        _ = parts.port  # raises when it is no number
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment:
        return False
    return parts.scheme == "https" or (
        allow_http_loopback and parts.scheme == "http" and host in _LOOPBACK
    )


def _rank(consumer: AssertionConsumer) -> tuple[int, int]:
    """Metadata 2.2.3: isDefault true, else not said, else any; then the lowest index."""
    return ({True: 0, None: 1, False: 2}[consumer.is_default], consumer.index)
