"""One folder of an operator's files: what is in it, reading a file, replacing a file.

The rule: a file is opened by a name found in the folder, never by anything a message said, and
only a regular file inside the folder that nobody else may write is read (M08, M13).
"""

import errno
import fcntl
import hashlib
import itertools
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from saml_idp.domain.errors import ConfigurationError, Conflict, Fault

_WRITABLE_BY_OTHERS: Final = stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one version of a file from another without reading it."""

    device: int
    inode: int
    size: int
    modified: int  # nanoseconds
    changed: int  # nanoseconds; moves with chmod as well

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """Return the stamp of a file with that *status*."""
        return cls(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        )


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder and the files that count in it: *suffix*, at most *largest* octets each.

    ``label``: what faults call it, for example "policies".
    """

    directory: Path
    suffix: str
    largest: int

    def label(self, name: str = "") -> str:
        """Return how faults call the file *name*: with its folder, as an operator types it."""
        return f"{self.directory.name}/{name}"

    def look(self) -> Mapping[str, Stamp | None]:
        """Return the files that count, by name. None: it is there and cannot be looked at.

        Raises:
            ConfigurationError: the folder is not there, cannot be read, or anyone may write it.
        """
        try:
            status = self.directory.stat()
            if status.st_mode & _WRITABLE_BY_OTHERS:
                raise self._refused("", "everyone may write in this folder", "chmod o-w it")
            with os.scandir(self.directory) as entries:
                return {e.name: _stamp(e) for e in entries if self._counts(e.name)}
        except OSError as exc:
            raise self._refused(
                "", f"the folder cannot be read: {exc.strerror}", "create it, or correct its rights"
            ) from None

    def identity(self) -> tuple[int, int] | None:
        """Return what tells this folder from another mounted in its place; None without one."""
        try:
            status = self.directory.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def read(self, name: str) -> bytes:
        """Return the octets of the file *name*, all of one version.

        Raises:
            ConfigurationError: no regular file of this folder, too large, others may write it,
                it cannot be read, or it changed while it was read.
        """
        try:
            handle = self._open(name)
        except OSError as exc:
            raise self._refused(name, f"the file cannot be opened: {exc.strerror}",
                                "let the server's user read it") from None  # fmt: skip
        try:
            before = os.fstat(handle)
            self._judge(name, before)
            octets = _read_all(handle, before.st_size + 1)
            after = os.fstat(handle)
        finally:
            os.close(handle)
        if Stamp.of(after) != Stamp.of(before) or len(octets) != before.st_size:
            raise self._refused(name, "the file is being written", "nothing, it is read again")
        return octets

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold off every other editor of ours, in any process, until the block ends."""
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def write(self, name: str, octets: bytes, *, expected_before: bytes | None) -> None:
        """Put *octets* in the place of file *name*: whole or not at all, and durable.

        Args:
            expected_before: what the file held when the change was made up; None: no file.

        Raises:
            Conflict: reason ``file_changed``; another hand was faster. Nothing was written.
        """
        if not self._counts(name) or os.sep in name:
            raise self._refused(name, "no name for a file of this folder", "choose another")
        path = self.directory / name
        with self.locked():
            now = self._inside(name).read_bytes() if path.exists() else None
            if now != expected_before:
                raise Conflict(f"{self.label(name)} changed meanwhile", reason="file_changed")
            target = self._inside(name) if now is not None else path
            model = (target if now is not None else self.directory).stat()
            mode = stat.S_IMODE(model.st_mode) & 0o644 if now is not None else 0o640
            temporary = target.with_name(f".{name}.{secrets.token_hex(6)}.tmp")
            try:
                _write_durably(temporary, octets, mode=mode, owner=(model.st_uid, model.st_gid))
                temporary.replace(target)
            finally:
                with suppress(FileNotFoundError):
                    temporary.unlink()
            _sync_folder(target.parent)

    def free_name(self, entity_id: str) -> str:
        """Return a name for a new file about *entity_id*: readable, safe, not taken (M08)."""
        host = entity_id.partition("://")[2].partition("/")[0] or entity_id
        stem = re.sub(r"[^a-z0-9.-]+", "-", host.lower()[:60]).strip(".-") or "service"
        taken = self.look()
        stems = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
        names = (f"{stem}{self.suffix}" for stem in stems if stem != "default")
        return next(name for name in names if name not in taken)

    def _counts(self, name: str) -> bool:
        return name.endswith(self.suffix) and not name.startswith(".")

    def _open(self, name: str) -> int:
        # NONBLOCK: a FIFO would hold us for ever. NOFOLLOW: a link is judged before it is followed.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            return os.open(f"{self.directory}{os.sep}{name}", flags)
        except OSError as exc:
            if exc.errno != errno.ELOOP:
                raise
        return os.open(self._inside(name), flags)

    def _inside(self, name: str) -> Path:
        """Return the real path of *name*; a link may lead around inside the folder only."""
        root = Path(os.path.realpath(self.directory))
        path = Path(os.path.realpath(self.directory / name))
        if not path.is_relative_to(root):
            raise self._refused(name, "the link leads out of the folder",
                                "put the file itself here")  # fmt: skip
        return path

    def _judge(self, name: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise self._refused(name, "this is no regular file", "remove it")
        if status.st_mode & _WRITABLE_BY_OTHERS:
            raise self._refused(name, "everyone may write this file", "chmod o-w it")
        if status.st_size > self.largest:
            raise self._refused(name, f"the file has over {self.largest} octets",
                                "make it smaller")  # fmt: skip

    def _refused(self, name: str, problem: str, mend: str) -> ConfigurationError:
        return ConfigurationError([Fault(self.label(name), 0, 0, "", problem, mend)])


def sha256_of(octets: bytes) -> str:
    """Return the lower-case hex SHA-256 of a file's *octets*, for the audit trail."""
    return hashlib.sha256(octets).hexdigest()


def _stamp(entry: "os.DirEntry[str]") -> Stamp | None:
    try:
        return Stamp.of(entry.stat())
    except OSError:  # a dangling link, or gone this very moment
        return None


def _read_all(handle: int, most: int) -> bytes:
    parts = []
    while most > 0 and (part := os.read(handle, most)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _write_durably(path: Path, octets: bytes, *, mode: int, owner: tuple[int, int]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(octets)
        file.flush()
        if os.geteuid() == 0:  # root's editing must not take the file from the server's user
            os.fchown(file.fileno(), *owner)
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def _sync_folder(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
