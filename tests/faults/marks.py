"""The marked points of a login: each call and return of the parts that write, check or sign.

Nothing of the product is touched. The process watches its own calls (``sys.setprofile``) and
counts them by name, so that a point reads ``before COMMIT 3`` or ``after Issuer.issue 1``.
"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final

from saml_idp.adapters.db.approvals import Approvals
from saml_idp.adapters.db.attempts import Attempts
from saml_idp.adapters.db.audit import Audit
from saml_idp.adapters.db.devices import Devices
from saml_idp.adapters.db.group_commit import GroupCommit
from saml_idp.adapters.db.people import People
from saml_idp.adapters.db.postgresql import _tell
from saml_idp.adapters.db.receipts import Receipts
from saml_idp.adapters.db.sessions import Sessions
from saml_idp.adapters.db.tallies import Tallies
from saml_idp.adapters.directory_db import DatabaseDirectory
from saml_idp.crypto.device_signatures import verified_answer
from saml_idp.saml.issuer import Issuer

_STORES: Final = (Approvals, Attempts, Audit, Devices, People, Receipts, Sessions, Tallies)
_OTHERS: Final[tuple[Callable[..., Any], ...]] = (
    DatabaseDirectory.verify_password,
    verified_answer,
    Issuer.issue,
)
_WORDS: Final = {"call": "before", "return": "after"}


def _named() -> dict[CodeType, str]:
    named = {
        method.__code__: method.__qualname__
        for store in _STORES
        for name, method in vars(store).items()
        if callable(method) and not name.startswith("_")
    }
    named |= {function.__code__: function.__qualname__ for function in _OTHERS}
    # One name for both databases.
    named[GroupCommit._begin.__code__] = "BEGIN"
    named[GroupCommit._commit.__code__] = "COMMIT"
    return named


class Marks:
    """Counts the marked points that this thread passes; at the one that is armed it dies."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self._fatal = ""
        self._named = _named()
        self._counts: Counter[str] = Counter()

    def watch(self) -> None:
        """Watch this thread from now on."""
        sys.setprofile(self._see)

    def arm(self, fatal: str) -> None:
        """Count from here; die at *fatal*."""
        self._fatal = fatal
        self._counts.clear()

    def pass_by(self, point: str) -> None:
        """Note *point*, which no call marks."""
        self._counts[point] += 1
        mark = f"{point} {self._counts[point]}"
        self.passed.append(mark)
        if mark == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def _see(self, frame: FrameType, event: str, _result: object) -> None:
        word = _WORDS.get(event)
        if word is None:
            return
        if frame.f_code is _tell.__code__:
            command = frame.f_locals["command"].partition(b" ")[0].decode()
            name = "" if frame.f_locals["command"].endswith(b"READ ONLY") else command
        else:
            name = self._named.get(frame.f_code, "")
        if name and name != "ROLLBACK":
            self.pass_by(f"{word} {name}")
