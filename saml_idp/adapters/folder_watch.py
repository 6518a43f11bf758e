"""Follows a folder: change notices where the file system gives them, and a look now and then."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import structlog
import watchfiles

from saml_idp.domain.errors import IdpError

_log = structlog.get_logger("saml_idp.folders")

SWEEP_SECONDS: Final = 5.0  # a network file system gives no notices
SWEEP_ALONE_SECONDS: Final = 0.7  # when there are none at all
_PAUSE_SECONDS: Final = 0.5
SETTLE_SECONDS: Final = 0.2  # a file counts when it has not moved for so long


class Refresh(Protocol):
    """Looks at the folder and takes over what changed. Must not raise but IdpError."""

    def __call__(self, *, wait: Callable[[], None] | None = None) -> None:
        """Look now."""


class FolderWatch:
    """A thread that calls *refresh* within a second of a change in *directory*."""

    def __init__(
        self,
        directory: Path,
        refresh: Refresh,
        *,
        sweep_seconds: float = SWEEP_SECONDS,
        notices: bool = True,
    ) -> None:
        self._directory = directory
        self._refresh = refresh
        self._sweep_seconds = sweep_seconds
        self._notices = notices
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._problem = ""

    def start(self) -> None:
        """Begin; harmless when already begun."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(
                target=self._run, name=f"watch {self._directory.name}", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it; harmless when not begun."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        self._look()  # what changed between the start and now
        while not self._stop.is_set():
            if self._notices:
                self._follow_notices()
            self._stop.wait(min(self._sweep_seconds, SWEEP_ALONE_SECONDS))
            self._look()

    def _follow_notices(self) -> None:
        """Look at each notice and each sweep; return when the system gives no notices."""
        pauses, every = 0, max(1, round(self._sweep_seconds / _PAUSE_SECONDS))
        try:
            for notices in watchfiles.watch(
                self._directory,
                watch_filter=None,
                debounce=100,
                step=25,
                stop_event=self._stop,
                rust_timeout=int(_PAUSE_SECONDS * 1000),
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=False,
            ):
                # The first pause: what changed before the notices were asked for.
                if notices or pauses % every == 0:
                    self._look()
                pauses += 1
                if not self._directory.is_dir():
                    return  # the notices were of a folder that is gone
        except (OSError, RuntimeError) as exc:
            if str(exc) != self._problem:  # once, not with every look
                self._problem = str(exc)
                _log.warning("no_change_notices", folder=str(self._directory), problem=str(exc))

    def _look(self) -> None:
        if self._stop.is_set():
            return
        try:
            self._refresh(wait=self._settle)
        except IdpError as exc:
            # What could not be told (the database is away) is in the log; the watch goes on.
            _log.error("refresh_failed", folder=str(self._directory), problem=str(exc))

    def _settle(self) -> None:
        self._stop.wait(SETTLE_SECONDS)
