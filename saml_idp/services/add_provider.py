"""Add a service provider's metadata; who did it stands in the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.service_provider import ServiceProvider
from saml_idp.ports import Clock, ProviderEditor, Store


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
        with self.store.view() as unit:  # no file is written that could not be recorded
            unit.audit.read(limit=1)
        added = self.providers.add(octets)
        details = {"file": added[0].source.file, "added": [p.entity_id for p in added]}
        record = AuditRecord(self.clock.now(), AuditEvent.METADATA_CHANGED, origin, details=details)
        with self.store.unit() as unit:
            unit.audit.append(record)
        return added
