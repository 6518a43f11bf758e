"""Which login a browser may touch: its own, and none other."""

import hmac
from dataclasses import dataclass

from saml_idp.domain.attempt import Event, LoginAttempt
from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import AttemptId, Digest
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock


@dataclass(frozen=True, slots=True)
class FindLogin:
    store: Store
    clock: Clock

    def __call__(self, attempt_id: AttemptId, *, browser: Digest) -> LoginAttempt:
        """Return the login if it belongs to *browser*; past its time it comes back expired.

        Raises:
            NotFound: there is none, or it belongs to another browser; one answer for both.
        """
        with self.store.view() as unit:
            attempt = unit.attempts.get(attempt_id)
        if not hmac.compare_digest(attempt.browser, browser):
            raise NotFound("no such login in this browser")
        if self.clock.now() >= attempt.expires_at and not attempt.is_over:
            return attempt.after(Event.TIMED_OUT)
        return attempt
