"""A browser as we know it again: a signed, long-lived mark.

The mark binds login attempts to the browser that began them (L03) and tells a browser in
which a user completed a login before from a stranger's (W08, D10). It proves nothing about
a user and lets nobody in.
"""

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import Final

from saml_idp.domain.ids import Digest, UserId

_LABEL: Final = b"saml-idp browser mark v1\x00"
_MOST_USERS: Final = 8  # known users a browser is remembered for; the oldest falls out
_MARK_LENGTH: Final = 27  # 160 bits as base64url without padding


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser. ``mark``: 160 random bits, base64url. ``users``: 16 hex digits each,
    a hash of mark and user id, oldest first.
    """

    mark: str = field(repr=False)
    users: tuple[str, ...] = ()

    @property
    def digest(self) -> Digest:
        """The stored form of the mark."""
        return Digest(hashlib.sha256(b"mark\x00" + self.mark.encode()).hexdigest())

    def knows(self, user_id: UserId) -> bool:
        """True when *user_id* completed a login in this browser before."""
        return self._short(user_id) in self.users

    def after_login(self, user_id: UserId) -> "Browser":
        """Return the browser as one in which *user_id* completed a login."""
        short = self._short(user_id)
        rest = tuple(user for user in self.users if user != short)
        return replace(self, users=(*rest, short)[-_MOST_USERS:])

    def _short(self, user_id: UserId) -> str:
        return hashlib.sha256(f"{self.mark}\x00{user_id}".encode()).hexdigest()[:16]


def written(browser: Browser, key: bytes) -> str:
    """Return the cookie value of *browser*, signed with the cookie *key*."""
    body = ".".join((browser.mark, *browser.users))
    return f"{body}.{_mac(body, key)}"


def read(value: str, key: bytes) -> Browser | None:
    """Return the browser of a cookie *value*, None when it is not ours or malformed."""
    body, _, mac = value.rpartition(".")
    if not body or len(value) > 512 or not value.isascii():
        return None
    if not hmac.compare_digest(mac.encode(), _mac(body, key).encode()):
        return None
    mark, *users = body.split(".")
    if len(mark) != _MARK_LENGTH:
        return None
    return Browser(mark, tuple(users))


def form_token(browser: Browser, key: bytes) -> str:
    """Return the anti-forgery token for the forms of *browser* (L06)."""
    return hmac.new(key, b"saml-idp form v1\x00" + browser.mark.encode(), "sha256").hexdigest()


def _mac(body: str, key: bytes) -> str:
    return hmac.new(key, _LABEL + body.encode(), hashlib.sha256).hexdigest()
