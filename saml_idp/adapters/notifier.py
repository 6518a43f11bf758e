"""Wakes devices and tells users of security changes. Here: by the log, which is always there.

Web Push and mail come as further adapters; a device that is open asks by itself.
"""

from dataclasses import dataclass

import structlog

from saml_idp.domain.ids import ApprovalIdentity
from saml_idp.domain.person import Person

_log = structlog.get_logger("saml_idp.notifier")


@dataclass(frozen=True, slots=True)
class LogNotifier:
    """Writes what would be sent to the structured log."""

    def wake(self, identity: ApprovalIdentity) -> None:
        """Note that the devices of *identity* should look."""
        _log.debug("wake", id=identity)

    def tell(self, person: Person, message: str, **values: str) -> None:
        """Note a security change that concerns *person*."""
        _log.info("security_notice", user=person.user_id, message=message, **values)
