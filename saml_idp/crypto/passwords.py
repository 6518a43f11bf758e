"""Passwords: hash, verify, needs-rehash; and what a new one may be. The only home of Argon2.

What is hashed is the whole password in NFKC and nothing else (W05). Few hashes run at a time and
few wait (W10); an unknown user costs the same hash as a known one (W06).
"""

import os
import secrets
import threading
import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Final

import argon2
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from saml_idp.domain.errors import Busy, Conflict

SHORTEST: Final = 8  # in a chain; a password alone is enough for nothing here (W01)
LONGEST: Final = 1024
LEAST_MEMORY_KIB: Final = 19 * 1024
LEAST_TIME: Final = 2
_QUEUE: Final = 64
_SALT_OCTETS: Final = 16
_HASH_OCTETS: Final = 32
_FEWEST_DISTINCT: Final = 3
_SHORTEST_NAME: Final = 3
_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
)


class PasswordHasher:
    """Argon2id with bounded use of memory and time.

    Args:
        memory_kib: KiB for each hash, at least 19 MiB.
        time_cost: passes, at least 2.
        at_once: hashes that run at the same time; None: twice the processors.
        queue: how many more may wait.

    Raises:
        ValueError: a cost is below the least.

    Spec: RFC 9106; OWASP Password Storage.
    """

    def __init__(
        self,
        *,
        memory_kib: int = LEAST_MEMORY_KIB,
        time_cost: int = LEAST_TIME,
        at_once: int | None = None,
        queue: int = _QUEUE,
    ) -> None:
        if memory_kib < LEAST_MEMORY_KIB or time_cost < LEAST_TIME:
            raise ValueError(f"at least {LEAST_MEMORY_KIB} KiB and {LEAST_TIME} passes")
        self._argon2 = argon2.PasswordHasher(
            time_cost=time_cost,
            memory_cost=memory_kib,
            parallelism=1,
            hash_len=_HASH_OCTETS,
            salt_len=_SALT_OCTETS,
        )
        # The hash of no password: nobody knows one for these random octets.
        self._nobody = (
            f"$argon2id$v=19$m={memory_kib},t={time_cost},p=1"
            f"${_unpadded(_SALT_OCTETS)}${_unpadded(_HASH_OCTETS)}"
        )
        running = at_once if at_once is not None else 2 * (os.cpu_count() or 1)
        self._slots = threading.Semaphore(running)
        self._counting = threading.Lock()
        self._most = running + queue
        self._inside = 0

    def hash(self, password: str) -> str:
        """Return the PHC string of *password* under a fresh salt.

        Raises:
            Busy: too many hashes are under way.
        """
        with self._room():
            return self._argon2.hash(_octets(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """True when *stored* was made of *password*.

        Args:
            stored: PHC string; None for a user that does not exist or has no password: the
                same work is done, and the answer is False.

        Raises:
            Busy: too many hashes are under way; nothing was tried.
        """
        fits = stored is not None and len(password) <= LONGEST
        against = stored if stored is not None and fits else self._nobody
        with self._room():
            try:
                self._argon2.verify(against, _octets(password[:LONGEST]))
            except (VerifyMismatchError, VerificationError, InvalidHashError):
                return False
        return fits

    def needs_rehash(self, stored: str) -> bool:
        """True when *stored* was made with other costs than today's."""
        return self._argon2.check_needs_rehash(stored)

    @contextmanager
    def _room(self) -> Iterator[None]:
        """Wait for a slot, in a queue that is bounded: refused before any work is done."""
        with self._counting:
            if self._inside >= self._most:
                raise Busy("too many passwords are being checked")
            self._inside += 1
        try:
            with self._slots:
                yield
        finally:
            with self._counting:
                self._inside -= 1


def checked_new_password(password: str, *, names: Iterable[str] = ()) -> str:
    """Return *password* as it may be hashed for a user.

    Any printable character, spaces too; no rule on what it is made of. Refused is what others
    try first: the commonest passwords, also with figures and signs around them, the user's own
    names, and rows of the keyboard.

    Args:
        names: of the user, the organisation and the service.

    Raises:
        Conflict: ``bad_password``; the sentence says why.

    Spec: NIST SP 800-63B 3.1.1.2.
    """
    given = unicodedata.normalize("NFKC", password)
    if not SHORTEST <= len(given) <= LONGEST or len(password) > LONGEST:
        _refuse(f"a password has {SHORTEST} to {LONGEST} characters")
    if any(unicodedata.category(c) in {"Cc", "Cs"} for c in given):
        _refuse("a password has no control characters")
    folded = given.casefold()
    if len(set(folded)) < _FEWEST_DISTINCT or any(_is_row(folded, row) for row in _ROWS):
        _refuse("this is a row of the keyboard, or one character again and again")
    if folded in _common() or _core(folded) in _common():
        _refuse("this password is among the commonest")
    own = {part for name in names for part in _parts(name)}
    if folded in own or _core(folded) in own:
        _refuse("a password is not a name")
    return password


@cache
def _common() -> frozenset[str]:
    listed = resources.files("saml_idp.crypto").joinpath("common_passwords.txt")
    return frozenset(listed.read_text("utf-8").split("\n")) - {""}


def _core(folded: str) -> str:
    """Return the password without figures and signs at its ends: ``password`` of ``Password1!``."""
    first = next((i for i, c in enumerate(folded) if c.isalpha()), len(folded))
    last = next((i for i, c in enumerate(reversed(folded)) if c.isalpha()), 0)
    return folded[first : len(folded) - last]


def _parts(name: str) -> Iterator[str]:
    """Yield *name*, its words and its words joined, as a password would be compared."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    words = "".join(c if c.isalnum() else " " for c in folded).split()
    for part in (folded, "".join(words), *words):
        if len(part) >= _SHORTEST_NAME:
            yield part


def _is_row(folded: str, row: str) -> bool:
    return folded in row or folded[::-1] in row


def _octets(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _unpadded(octets: int) -> str:
    return b64encode(secrets.token_bytes(octets)).rstrip(b"=").decode()


def _refuse(problem: str) -> None:
    raise Conflict(problem, reason="bad_password")
