"""One value of a policy file, changed in its text: comments, order and layout stay."""

from typing import Final

import tomlkit
from tomlkit.exceptions import TOMLKitError

from saml_idp.domain.errors import ConfigurationError, Fault
from saml_idp.domain.ids import EntityId
from saml_idp.domain.policy_keys import FIELDS

_ATTRIBUTES: Final = "attributes"


def edited(
    octets: bytes | None, *, file: str, entity_id: EntityId | None, key: str, value: object
) -> bytes:
    """Return the text of a policy file with *key* at *value*.

    Args:
        octets: a good policy file; None: there is none yet.
        value: as in ``plain_values``; None removes the key, the default counts then.

    Raises:
        ConfigurationError: no such key. The result is not checked otherwise.
    """
    path = _path(key, file)
    document = tomlkit.parse(octets.decode()) if octets is not None else tomlkit.document()
    if octets is None and entity_id is not None:
        document["entity_id"] = str(entity_id)
    *tables, last = path
    try:
        below = document
        for table in tables:
            if table not in below:
                if value is None:
                    return tomlkit.dumps(document).encode()
                below[table] = tomlkit.table()
            below = below[table]
        if value is not None:
            below[last] = value
        elif last in below:
            del below[last]
    except TOMLKitError as exc:
        raise _refused(file, key, f"the text cannot be changed: {exc}", "edit it by hand") from None
    return tomlkit.dumps(document).encode()


def as_toml(value: object) -> str:
    """Return a plain *value* as one line of TOML."""
    if isinstance(value, dict):
        pairs = (f"{tomlkit.key(name).as_string()} = {as_toml(v)}" for name, v in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return tomlkit.item(value).as_string()


def _path(key: str, file: str) -> tuple[str, ...]:
    """Return the tables and the name of *key*; below ``attributes`` a name may hold dots."""
    if key in FIELDS:
        return tuple(key.split("."))
    table, _, name = key.partition(".")
    if table == _ATTRIBUTES and name:
        return table, name
    raise _refused(file, key, f"unknown key {key!r}", f"choose from {', '.join(FIELDS)}")


def _refused(file: str, key: str, problem: str, mend: str) -> ConfigurationError:
    return ConfigurationError([Fault(file, 0, 0, key, problem, mend)])
