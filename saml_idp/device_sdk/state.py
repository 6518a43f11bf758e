"""A folder of enrolled IDs, for programs without a key store of their own.

``ids.json``, mode 0600, lists the IDs; each key lies beside it as ``KEY.pem``, mode 0600 (PKCS #8).
A key is on the disk before its enrolment is sent, so that no crash leaves a device without it.
"""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from saml_idp.device_sdk.client import EnrolledId
from saml_idp.device_sdk.errors import StateUnreadable
from saml_idp.device_sdk.keys import DeviceKey

_VERSION: Final = 1
_TEXTS: Final = ("base_url", "entity_id", "idp_name", "identity", "device_id", "device_name")


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The folder at *path*; made, with mode 0700, when something is first kept."""

    path: Path

    def load(self) -> tuple[EnrolledId, ...]:
        """Return the enrolled IDs, oldest first; none when the folder does not exist.

        Raises:
            StateUnreadable: the list is damaged.
            KeyUnreadable: a key is missing, damaged, or readable by others.
        """
        return tuple(
            EnrolledId(
                **{name: entry[name] for name in _TEXTS},
                key=DeviceKey.load(self._key_file(entry["key"])),
            )
            for entry in self._entries()
        )

    def keep_key(self, key: DeviceKey) -> str:
        """Write *key* to the disk, before it is enrolled; return the name for ``add``."""
        name = f"{secrets.token_hex(8)}.pem"
        with _reported(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        key.save(self.path / name)
        return name

    def forget_key(self, name: str) -> None:
        """Delete the key that ``keep_key`` wrote: the IdP has refused to bind it."""
        with _reported(self.path):
            self._key_file(name).unlink(missing_ok=True)

    def add(self, enrolled: EnrolledId, key_name: str) -> None:
        """List *enrolled*, whose key lies under *key_name*."""
        entry = {name: getattr(enrolled, name) for name in _TEXTS} | {"key": key_name}
        self._write([*self._entries(), entry])

    def remove(self, enrolled: EnrolledId) -> None:
        """Take *enrolled* off the list, and delete its key."""
        entries = self._entries()
        gone = [entry for entry in entries if entry["device_id"] == enrolled.device_id]
        self._write([entry for entry in entries if entry not in gone])
        for entry in gone:
            self.forget_key(entry["key"])

    def _entries(self) -> list[dict[str, str]]:
        file = self.path / "ids.json"
        try:
            value: object = json.loads(file.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise StateUnreadable(f"cannot read {str(file)!r}: {error}") from error
        if not isinstance(value, Mapping) or value.get("version") != _VERSION:
            raise StateUnreadable(f"{str(file)!r} is not a list of enrolled IDs")
        entries = value.get("ids")
        if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
            raise StateUnreadable(f"an entry of {str(file)!r} is damaged")
        return entries

    def _key_file(self, name: str) -> Path:
        """Return the file of a key: in this folder, whatever the list says."""
        return self.path / Path(name).name

    def _write(self, entries: list[dict[str, str]]) -> None:
        """Replace the list as a whole: a crash leaves the old one or the new one."""
        new = self.path / f"ids.json.{secrets.token_hex(4)}"
        octets = json.dumps({"version": _VERSION, "ids": entries}, indent=2).encode()
        with _reported(self.path):
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path / "ids.json")


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and all(
        isinstance(entry.get(name), str) for name in (*_TEXTS, "key")
    )


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateUnreadable(f"cannot write in {str(path)!r}: {error.strerror}") from error
