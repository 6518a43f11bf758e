"""Read the audit trail: by event, user, service, or the reference of an error page."""

from collections.abc import Sequence
from dataclasses import dataclass

from saml_idp.domain.audit import AuditEvent, StoredRecord
from saml_idp.domain.errors import NotFound
from saml_idp.domain.ids import ApprovalIdentity, UserId, canonical_name
from saml_idp.ports.store import Store, Unit


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """A record with the name of the user it is about; the subject itself where it is no user."""

    stored: StoredRecord
    subject_name: str


@dataclass(frozen=True, slots=True)
class ReadAudit:
    store: Store

    def __call__(
        self,
        *,
        limit: int,
        after: int = 0,
        event: AuditEvent | None = None,
        user: str | None = None,
        provider: str | None = None,
        reference: str | None = None,
        newest_first: bool = True,
    ) -> list[ReadRecord]:
        """Return the records that match every filter, at most *limit*.

        Args:
            after: sequence numbers above it.
            user: user name or ID, any spelling; also of one who never existed: a wrong
                password is recorded under the name that was entered.
        """
        with self.store.view() as unit:
            found: dict[int, StoredRecord] = {}
            for subject in _subjects(unit, user):
                records = unit.audit.read(
                    limit=limit,
                    after=after,
                    event=event,
                    subject=subject,
                    provider=provider,
                    reference=reference,
                    newest_first=newest_first,
                )
                found.update({record.sequence: record for record in records})
            ordered = sorted(found.values(), key=lambda r: r.sequence, reverse=newest_first)
            return _named(unit, ordered[:limit])


def _subjects(unit: Unit, user: str | None) -> set[str | None]:
    """Return the subjects under which records of *user* stand: the id, and names entered."""
    if user is None:
        return {None}
    name = canonical_name(user)
    credential = unit.people.find_by_name(name)
    person = (
        credential.person
        if credential is not None
        else unit.people.find_by_identity(ApprovalIdentity(name))
    )
    return {name} if person is None else {name, person.user_id, person.username}


def _named(unit: Unit, records: Sequence[StoredRecord]) -> list[ReadRecord]:
    names: dict[str, str] = {}
    for subject in {r.record.subject for r in records}:
        try:
            names[subject] = unit.people.get(UserId(subject)).username
        except NotFound:
            names[subject] = subject
    return [ReadRecord(r, names[r.record.subject]) for r in records]
