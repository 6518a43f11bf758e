"""How often one address, login or device may call: a sliding count in each worker's memory.

A coarse guard against floods (H06, D21). The counts that decide about accounts are in the
database (``domain.throttle``).
"""

import ipaddress
import threading
import time
from collections import OrderedDict
from typing import Final

from saml_idp.domain.errors import Throttled

_WINDOW_SECONDS: Final = 60
_MOST_KEYS: Final = 50_000
# Kind → its bound in shares of the setting ``server.calls_per_minute``.
_SHARES: Final = {
    "request": 5.0,
    "password": 1.0,
    "name": 1.0,
    "enrol": 0.25,
    "poll": 1.0,
    "device": 2.0,
}


class Rates:
    """Counts calls by kind and key; one for each worker.

    Args:
        calls_per_minute: of one key; each kind has its share of it.
    """

    def __init__(self, calls_per_minute: int) -> None:
        self._bounds = {kind: share * calls_per_minute for kind, share in _SHARES.items()}
        self._counts: OrderedDict[tuple[str, str, int], int] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, kind: str, key: str) -> None:
        """Count one call.

        Raises:
            Throttled: the bound of this kind is reached.
        """
        now = time.monotonic()
        window = int(now // _WINDOW_SECONDS)
        slot = (kind, _coarse(key), window)
        with self._lock:
            counted = self._counts[slot] = self._counts.get(slot, 0) + 1
            while len(self._counts) > _MOST_KEYS:
                self._counts.popitem(last=False)
        if counted > self._bounds[kind]:
            left = int(_WINDOW_SECONDS - now % _WINDOW_SECONDS) + 1
            raise Throttled("too many calls", retry_after_seconds=left)


def _coarse(key: str) -> str:
    """Return an IPv6 address's /64, anything else as it is: one customer, one key."""
    if ":" not in key:
        return key
    try:
        return str(ipaddress.ip_network((key, 64), strict=False))
    except ValueError:
        return key
