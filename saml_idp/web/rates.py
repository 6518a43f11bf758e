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
# Kind → calls in a minute and worker.
_BOUNDS: Final = {"password": 120, "name": 120, "enrol": 30, "poll": 120, "device": 240}


class Rates:
    """Counts calls by kind and key; one for each worker."""

    def __init__(self) -> None:
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
        if counted > _BOUNDS[kind]:
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
