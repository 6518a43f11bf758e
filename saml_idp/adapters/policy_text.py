"""The text of a policy file → ``PolicyDraft``; a draft and what it inherits → ``Policy``.

Strict: every key has a kind and bounds, all faults of a file are told at once. Inheritance is
by key: an absent key takes the value of default.toml, an empty one means none.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import EntityId
from saml_idp.domain.person import ATTRIBUTES
from saml_idp.domain.policy import (
    Encryption,
    NameIdFormat,
    Policy,
    Signing,
    UnsignedLogout,
    UserVerification,
)
from saml_idp.domain.policy_keys import FIELDS
from saml_idp.domain.service_provider import Source
from saml_idp.toml import kinds
from saml_idp.toml.places import TomlText, read_toml
from saml_idp.toml.reading import Accept, Reading, Unsuitable

DEFAULT_FILE: Final = "default.toml"
_LONGEST_ENTITY_ID: Final = 1024  # Metadata 2.2.1
_MOST_GROUPS: Final = 200
_MOST_ATTRIBUTES: Final = 50


def _seconds(low: int, high: int) -> Accept[timedelta]:
    whole = kinds.whole(low, high)
    return lambda value: timedelta(seconds=whole(value))


def _methods(value: object) -> frozenset[Method]:
    found = frozenset(kinds.many(_method, 2)(value))
    if not found:
        raise Unsuitable("no method is left to answer with", 'name "device", "passkey" or both')
    return found


def _method(value: object) -> Method:
    method = kinds.one_of(Method)(value)
    if method is Method.PASSWORD:
        raise Unsuitable('"password" cannot answer an approval', 'choose "device", "passkey"')
    return method


def _user_attribute(value: object) -> str:
    name = kinds.text(100)(value)
    if name not in ATTRIBUTES:
        raise Unsuitable(
            f'users have no attribute "{name}"', f"choose from {', '.join(ATTRIBUTES)}"
        )
    return name


def _attributes(value: object) -> Mapping[str, str]:
    given = kinds.table(value)
    if len(given) > _MOST_ATTRIBUTES:
        raise Unsuitable(f"{len(given)} attributes", f"release at most {_MOST_ATTRIBUTES}")
    for name, attribute in given.items():
        try:
            kinds.text(256)(name)
            _user_attribute(attribute)
        except Unsuitable as exc:
            raise Unsuitable(exc.problem, exc.mend, items=(name,)) from None
    return dict(given)  # type: ignore[arg-type]  # each value was judged above


# Dotted key → what it may be.
_KINDS: Final[Mapping[str, Callable[[object], Any]]] = {
    "login.two_step": kinds.boolean,
    "login.step_max_age_seconds": _seconds(0, 86400),
    "login.access_symbols": kinds.whole(1, 6),
    "login.methods": _methods,
    "login.user_verification": kinds.one_of(UserVerification),
    "login.approval_seconds": _seconds(10, 600),
    "login.groups": kinds.many(kinds.text(200), _MOST_GROUPS),
    "assertion.name_id_format": kinds.one_of(NameIdFormat),
    "assertion.name_id_attribute": _user_attribute,
    "assertion.sign": kinds.one_of(Signing),
    "assertion.encrypt": kinds.one_of(Encryption),
    "assertion.lifetime_seconds": _seconds(60, 300),
    "assertion.unsolicited": kinds.boolean,
    "assertion.require_signed_requests": kinds.boolean,
    "logout.accept_unsigned": kinds.one_of(UnsignedLogout),
    "compatibility.deflated_post": kinds.boolean,
    "attributes": _attributes,
}


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """What one file says. ``entity_id`` None: it is default.toml. ``values``: field of Policy →
    value, for the keys that stand in it.
    """

    entity_id: EntityId | None
    values: Mapping[str, Any]
    toml: TomlText


def read_policy(octets: bytes, *, file: str, is_default: bool) -> PolicyDraft:
    """Return what the policy file *file* says.

    Raises:
        ConfigurationError: every mistake in it.
    """
    toml = read_toml(octets, file=file)
    reading = Reading(toml)
    entity_id: str | None = None
    if not is_default:
        entity_id = reading.take("entity_id", kinds.text(_LONGEST_ENTITY_ID), "")
        if "entity_id" not in toml.values:
            reading.add_fault(("entity_id",), "entity_id is missing",
                              'add entity_id = "…" at the top of the file')  # fmt: skip
    elif "entity_id" in toml.values:
        reading.take("entity_id", lambda _value: None, None)
        reading.add_fault(("entity_id",), "the default is about every service",
                          "remove entity_id, or give the file another name")  # fmt: skip
    taken = {key: reading.take(key, _KINDS[key], None) for key in FIELDS}
    values = {FIELDS[key]: taken[key] for key in FIELDS if key in reading.present}
    reading.finish()
    return PolicyDraft(EntityId(entity_id) if entity_id is not None else None, values, toml)


def complete(draft: PolicyDraft, base: Policy) -> Policy:
    """Return the policy that *draft* makes of what it inherits, *base*."""
    return replace(
        base,
        entity_id=draft.entity_id,
        sources=Sources(draft.toml, base.sources),
        **draft.values,
    )


_ENTITY_LINE: Final = re.compile(r"""(?m)^[ \t]*entity_id[ \t]*=[ \t]*["']([^"'\n]{1,1024})["']""")


def find_entity_id(octets: bytes) -> EntityId | None:
    """Return whom a file that cannot be read is probably about; only ever to refuse them."""
    match = _ENTITY_LINE.search(octets.decode(errors="replace"))
    return EntityId(match[1]) if match else None


class Sources(Mapping[str, Source]):
    """Where each value in force stands. Looked up when first asked: most files never are."""

    def __init__(self, toml: TomlText, inherited: Mapping[str, Source]) -> None:
        self._toml = toml
        self._inherited = inherited
        self._found: dict[str, Source] | None = None

    def __getitem__(self, key: str) -> Source:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Source]:
        if self._found is None:
            found = dict(self._inherited)
            for path, place in self._toml.places().items():
                key = ".".join(path)
                if key in FIELDS:
                    found[key] = Source(self._toml.file, place.line)
            self._found = found
        return self._found
