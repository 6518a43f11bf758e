"""Make the keys of an installation, and tell what there is. Works before there is a database."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, NoReturn, get_args

from saml_idp.crypto.keys import (
    ASSERTION_ACTIVE,
    ASSERTION_NEXT,
    METADATA,
    KeyAlgorithm,
    find_named_key,
    load_named_key,
    new_secret,
    new_signing_key,
    write_key,
)
from saml_idp.domain.audit import AuditEvent, AuditRecord, Origin
from saml_idp.domain.errors import ConfigurationError, Conflict, Fault
from saml_idp.domain.keys import KeyDescription, KeyState
from saml_idp.ports.store import Store
from saml_idp.ports.system import Clock

SECRETS: Final = ("seal", "cookie")
VALID_DAYS: Final = 3650  # a self-signed certificate is an envelope; roll-over is by key
_BY_NAME: Final[dict[str, KeyAlgorithm]] = {name: name for name in get_args(KeyAlgorithm)}


@dataclass(frozen=True, slots=True)
class MakeKeys:
    """``store`` None: there is no database yet that could record it."""

    directory: Path
    common_name: str
    clock: Clock
    store: Store | None

    def __call__(self, algorithm: str, *, origin: Origin) -> tuple[KeyDescription, ...]:
        """Make every key that is missing and leave the others; return the new ones.

        Args:
            algorithm: of both signing keys, one of ``domain.keys.ALGORITHMS``.

        Raises:
            Conflict: no such algorithm.
            ConfigurationError: the directory is open to others or cannot be made; half of a
                pair is there.
        """
        if algorithm not in _BY_NAME:
            raise Conflict(f"unknown key algorithm {algorithm!r}", reason="key_algorithm")
        _make_private_directory(self.directory)
        made: list[KeyDescription] = []
        made += [
            self._make_pair(name, algorithm)
            for name in (ASSERTION_ACTIVE, METADATA)
            if self._is_missing(name)
        ]
        for name in SECRETS:
            path = self.directory / f"{name}.key"
            if not path.exists():
                write_key(path, new_secret())
                made.append(_secret(name))
        if self.store is not None and made:
            with self.store.unit() as unit:
                for key in made:
                    unit.audit.append(
                        AuditRecord(
                            self.clock.now(),
                            AuditEvent.KEY_CREATED,
                            origin,
                            subject=key.name,
                            details={"key": key.key_id, "algorithm": key.algorithm},
                        )
                    )
        return tuple(made)

    def _is_missing(self, name: str) -> bool:
        paths = [self.directory / f"{name}.key", self.directory / f"{name}.crt"]
        found = [path for path in paths if path.exists()]
        if len(found) == 1:
            _refuse(found[0], "half of a key pair", "put the other half back, or move it away")
        return not found

    def _make_pair(self, name: str, algorithm: str) -> KeyDescription:
        pair = new_signing_key(
            _BY_NAME[algorithm],
            common_name=self.common_name[:64],  # X.509's upper bound
            days=VALID_DAYS,
            now=self.clock.now(),
        )
        # the certificate first: a key alone would look like an installation that can sign
        write_key(self.directory / f"{name}.crt", pair.certificate)
        write_key(self.directory / f"{name}.key", pair.key)
        return _described(self.directory, name)


def list_keys(directory: Path) -> tuple[KeyDescription, ...]:
    """Return the keys of *directory*; retired ones by their name alone, they are never read.

    Raises:
        ConfigurationError: a key that is there cannot be used.
    """
    return tuple(_found(directory))


def _found(directory: Path) -> Iterator[KeyDescription]:
    for name in (ASSERTION_ACTIVE, ASSERTION_NEXT, METADATA):
        if find_named_key(directory, name) is not None:
            yield _described(directory, name)
    for name in SECRETS:
        if (directory / f"{name}.key").exists():
            yield _secret(name)
    for path in sorted((directory / "retired").glob("*.crt")):
        yield KeyDescription(path.stem, KeyState.RETIRED, "")


def _described(directory: Path, name: str) -> KeyDescription:
    key = load_named_key(directory, name)
    return KeyDescription(
        name=name,
        state=KeyState.NEXT if name == ASSERTION_NEXT else KeyState.ACTIVE,
        algorithm=key.algorithm,
        key_id=key.key_id,
        not_after=key.certificate.not_after,
        fingerprint=sha256(key.certificate.der).digest().hex(":").upper(),
        is_weak=key.is_weak,
    )


def _secret(name: str) -> KeyDescription:
    return KeyDescription(name, KeyState.ACTIVE, "256-bit secret")


def _make_private_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
    except OSError as exc:
        _refuse(directory, f"the directory cannot be made: {exc.strerror}", "make it yourself")
    if stat.S_IMODE(status.st_mode) & 0o077:
        _refuse(directory, "others can look into the key directory", f"run: chmod 700 {directory}")
    if status.st_uid != os.geteuid():
        _refuse(directory, "the key directory belongs to another user", "run as that user")


def _refuse(path: Path, problem: str, mend: str) -> NoReturn:
    raise ConfigurationError([Fault(str(path), 0, 0, "", problem, mend)])
