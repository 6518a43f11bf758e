"""One immutable reading of the whole policies folder: who is under which policy, who is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from saml_idp.adapters.policy_text import DEFAULT_FILE, PolicyDraft, complete
from saml_idp.domain.decision import RefusalReason
from saml_idp.domain.errors import Fault, LoginRefused
from saml_idp.domain.ids import EntityId
from saml_idp.domain.loosening import PolicyChange, compare
from saml_idp.domain.policy import STRICTEST, Policy

Drafts = Mapping[str, PolicyDraft]  # file name → what it says


@dataclass(frozen=True, slots=True)
class Book:
    """Policies of one moment. ``default`` None: it is not known, nobody signs in by it.
    ``refused``: providers whose file is bad or not the only one. ``faults``: what the files
    contradict each other in. ``base``: what the files inherit, and ``origin`` whence each
    policy comes, so that the next book need not make it anew.
    """

    default: Policy | None = None
    policies: Mapping[EntityId, Policy] = field(default_factory=dict)
    refused: frozenset[EntityId] = frozenset()
    faults: tuple[Fault, ...] = ()
    base: Policy = STRICTEST
    base_draft: PolicyDraft | None = None
    origin: Mapping[EntityId, PolicyDraft] = field(default_factory=dict)

    def find(self, entity_id: EntityId | None) -> Policy | None:
        """Return the policy of the provider, of the default for None; None when refused."""
        if entity_id is None:
            return self.default
        if entity_id in self.refused:
            return None
        return self.policies.get(entity_id, self.default)

    def policy_for(self, entity_id: EntityId) -> Policy:
        """Return the policy of the provider.

        Raises:
            LoginRefused: reason ``policy_fault``.
        """
        policy = self.find(entity_id)
        if policy is None:
            raise LoginRefused(
                f"no good policy is known for {entity_id!r}", reason=RefusalReason.POLICY_FAULT
            )
        return policy


_SAME: Final = PolicyChange()
NOTHING: Final = Book()  # before the folder was read: everyone is refused


def bind(
    drafts: Drafts,
    before: Book,
    *,
    label: str,
    refused: frozenset[EntityId],
    default_known: bool,
    all_named: bool,
) -> Book:
    """Return the book that *drafts* make.

    Args:
        before: an earlier book; what it made of the same text is taken over, for speed.
        label: folder name before each file name in faults, with its slash.
        refused: providers whose own file is bad and has never been good.
        default_known: False when default.toml is bad and has never been good. Every file may
            inherit from it: everyone is refused (P02).
        all_named: False when a file is bad, has never been good, and it cannot be read whom it
            is about. Whoever has no good file of their own may be meant: they are refused.
    """
    base_draft = drafts.get(DEFAULT_FILE)
    is_same_base = base_draft is before.base_draft
    base = before.base
    if not is_same_base:
        base = complete(base_draft, STRICTEST) if base_draft is not None else STRICTEST
    owners: dict[EntityId, list[str]] = {}
    for name, draft in drafts.items():
        if draft.entity_id is not None:
            owners.setdefault(draft.entity_id, []).append(name)
    doubled = {entity_id: names for entity_id, names in owners.items() if len(names) > 1}
    origin = {entity_id: drafts[n[0]] for entity_id, n in owners.items() if len(n) == 1}
    policies = {
        entity_id: before.policies[entity_id]
        if is_same_base and entity_id in before.policies and before.origin[entity_id] is draft
        else complete(draft, base)
        for entity_id, draft in origin.items()
    }
    faults = tuple(
        _doubled(drafts[name], entity_id, names, label)
        for entity_id, names in sorted(doubled.items())
        for name in sorted(names)
    )
    return Book(
        default=base if default_known and all_named else None,
        policies=policies if default_known else {},
        refused=refused | doubled.keys(),
        faults=faults,
        base=base,
        base_draft=base_draft,
        origin=origin,
    )


def effects(
    before: Book, after: Book, entities: frozenset[EntityId | None]
) -> dict[EntityId | None, PolicyChange]:
    """Return what changes, for each of *entities* for whom anything does."""
    found: dict[EntityId | None, PolicyChange] = {}
    for entity_id in _affected(before, after, entities):
        old, new = before.find(entity_id), after.find(entity_id)
        if old is not None and new is not None and (change := compare(old, new)) != _SAME:
            found[entity_id] = change
    return found


def _affected(
    before: Book, after: Book, entities: frozenset[EntityId | None]
) -> frozenset[EntityId | None]:
    """Return *entities*, and when the default is among them everyone who inherits it."""
    everyone = {*before.policies, *after.policies} if None in entities else set()
    return entities | everyone


def switches_on(before: Book, after: Book, entities: frozenset[EntityId | None]) -> bool:
    """True when two-step authentication is off before and on after, for one of *entities*."""
    pairs = ((before.find(e), after.find(e)) for e in _affected(before, after, entities))
    return any(
        old is not None and new is not None and new.two_step and not old.two_step
        for old, new in pairs
    )


def _doubled(draft: PolicyDraft, entity_id: EntityId, names: list[str], label: str) -> Fault:
    """Return the fault of one of several files about one provider: order must not decide (M03)."""
    place = draft.toml.places()["entity_id",]
    others = ", ".join(label + name for name in sorted(names) if label + name != draft.toml.file)
    return Fault(
        draft.toml.file, place.line, place.column, "entity_id",
        f"{entity_id!r} has another file: {others}",
        "leave one of them; until then nobody signs in there",
    )  # fmt: skip
