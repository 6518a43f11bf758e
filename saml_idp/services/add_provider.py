"""Add a service provider's metadata; who did it stands in the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.errors import IdpError
from saml_idp.domain.service_provider import ServiceProvider
from saml_idp.ports.files import ProviderEditor
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock


@dataclass(frozen=True, slots=True)
class AddProvider:
    store: Store
    providers: ProviderEditor
    clock: Clock

    def __call__(self, octets: bytes, *, origin: Origin) -> Sequence[ServiceProvider]:
        """Put *octets* into the metadata folder; return the providers they add.

        Raises:
            ConfigurationError: a fault in it, or a provider that is known already.
        """
        new = self.providers.check_octets(octets, file="the new file")
        details = {"added": [provider.entity_id for provider in new]}
        record = AuditRecord(self.clock.now(), AuditEvent.METADATA_CHANGED, origin, details=details)
        self._append(record)  # first: no service is added that could not be recorded
        try:
            return self.providers.add(octets)
        except (IdpError, OSError):
            self._append(replace(record, outcome="fault"))
            raise

    def _append(self, record: AuditRecord) -> None:
        with self.store.unit() as unit:
            unit.audit.append(record)
