"""Wakes devices and tells users of security changes. Here: by the log, which is always there.

Web Push and mail come as further adapters; a device that is open asks by itself. Whatever the
adapter, ``BackgroundNotifier`` stands between it and a login.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from saml_idp.domain.ids import ApprovalIdentity
from saml_idp.domain.person import Person
from saml_idp.ports.people import Notifier

_log = structlog.get_logger("saml_idp.notifier")

_THREADS: Final = 2
_WAITING: Final = 64  # notices under way or in line; one more is dropped, and logged


@dataclass(frozen=True, slots=True)
class LogNotifier:
    """Writes what would be sent to the structured log."""

    def wake(self, identity: ApprovalIdentity) -> None:
        """Note that the devices of *identity* should look."""
        _log.debug("wake", id=identity)

    def tell(self, person: Person, message: str, **values: str) -> None:
        """Note a security change that concerns *person*."""
        _log.info("security_notice", user=person.user_id, message=message, **values)


class BackgroundNotifier:
    """Hands each notice on in a thread: a *notifier* that fails or hangs touches no login (X27)."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._places = threading.BoundedSemaphore(_WAITING)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="notifier")

    def wake(self, identity: ApprovalIdentity) -> None:
        """Have the devices of *identity* woken soon."""
        self._hand_on("wake", partial(self._notifier.wake, identity))

    def tell(self, person: Person, message: str, **values: str) -> None:
        """Have *person* told soon."""
        self._hand_on(message, partial(self._notifier.tell, person, message, **values))

    def _hand_on(self, notice: str, send: Callable[[], None]) -> None:
        if not self._places.acquire(blocking=False):
            _log.error("notice_dropped", notice=notice)
            return
        sending = self._threads.submit(copy_context().run, send)
        sending.add_done_callback(partial(self._ended, notice))

    def _ended(self, notice: str, sending: "Future[None]") -> None:
        self._places.release()
        failure = sending.exception()
        if failure is not None:  # its kind alone: the words may hold an address or a token
            _log.error("notice_failed", notice=notice, failure=type(failure).__name__)
