"""Change one value of a policy file: who, from which value to which, stands in the audit trail."""

from dataclasses import dataclass

from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.errors import IdpError, LockOut
from saml_idp.domain.ids import EntityId
from saml_idp.domain.loosening import PlannedChange
from saml_idp.ports.files import PolicyEditor
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock


@dataclass(frozen=True, slots=True)
class ChangePolicy:
    store: Store
    policies: PolicyEditor
    clock: Clock

    def plan(
        self, entity_id: EntityId | None, key: str, value: object, *, origin: Origin
    ) -> PlannedChange:
        """Return what setting *key* would change, to be shown before it is confirmed.

        Raises:
            ConfigurationError, LockOut: see ``ports.PolicyEditor.plan_change``.
        """
        try:
            return self.policies.plan_change(entity_id, key, value)
        except LockOut:
            self._record(AuditEvent.LOCK_OUT_PREVENTED, entity_id, origin, "refused", {"key": key})
            raise

    def __call__(self, planned: PlannedChange, *, confirm_loosening: bool, origin: Origin) -> None:
        """Make the change. It is recorded first: there is no change without a record.

        Raises:
            Conflict: reason ``loosening_unconfirmed``, or ``file_changed`` since it was planned.
        """
        planned.require_confirmation(confirmed=confirm_loosening)
        details: dict[str, object] = {
            "file": planned.file,
            "key": planned.key,
            "before": planned.before,
            "after": planned.after,
            "loosened": list(planned.loosened),
        }
        self._record(AuditEvent.POLICY_CHANGED, planned.entity_id, origin, "ok", details)
        try:
            self.policies.apply(planned, confirm_loosening=confirm_loosening)
        except (IdpError, OSError):
            self._record(AuditEvent.POLICY_CHANGED, planned.entity_id, origin, "fault", details)
            raise

    def _record(
        self,
        event: AuditEvent,
        entity_id: EntityId | None,
        origin: Origin,
        outcome: str,
        details: dict[str, object],
    ) -> None:
        record = AuditRecord(
            self.clock.now(), event, origin,
            provider=entity_id or "", outcome=outcome, details=details,
        )  # fmt: skip
        with self.store.unit() as unit:
            unit.audit.append(record)
