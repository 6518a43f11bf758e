"""Policy: what one provider demands of a login. Pure values; the files are read elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from saml_idp.domain.evidence import Method
from saml_idp.domain.ids import EntityId
from saml_idp.domain.service_provider import Source

BUILT_IN: Final = Source("built-in default", 0)


class NameIdFormat(StrEnum):
    """Name identifier formats a policy may choose (Core 8.3), by their short name."""

    UNSPECIFIED = "unspecified"
    EMAIL = "emailAddress"
    PERSISTENT = "persistent"
    TRANSIENT = "transient"


class Signing(StrEnum):
    """What is signed."""

    BOTH = "both"
    ASSERTION = "assertion"
    RESPONSE = "response"


class Encryption(StrEnum):
    """When an assertion is encrypted."""

    ALWAYS = "always"
    WHEN_POSSIBLE = "when-possible"
    NEVER = "never"


class UserVerification(StrEnum):
    """Whether the device must prove fingerprint, face or PIN at each answer."""

    PREFERRED = "preferred"
    REQUIRED = "required"


class UnsignedLogout(StrEnum):
    """Which unsigned logout requests are accepted."""

    OWN_SESSION = "own-session"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Policy:
    """What one provider demands of a login, complete: every value is set.

    ``sources``: dotted key ("login.two_step") → where the value in force stands. A key that
    is absent there comes from the built-in default. ``attributes``: name in the assertion →
    attribute of the user, in file order.
    """

    entity_id: EntityId | None = None  # None: default.toml or the built-in default
    two_step: bool = True
    step_max_age: timedelta = timedelta(hours=8)
    access_symbols: int = 4
    methods: frozenset[Method] = frozenset({Method.DEVICE, Method.PASSKEY})
    user_verification: UserVerification = UserVerification.PREFERRED
    approval_lifetime: timedelta = timedelta(seconds=120)
    groups: tuple[str, ...] = ()
    name_id_format: NameIdFormat = NameIdFormat.UNSPECIFIED
    name_id_attribute: str = "username"
    sign: Signing = Signing.BOTH
    encrypt: Encryption = Encryption.WHEN_POSSIBLE
    assertion_lifetime: timedelta = timedelta(minutes=5)
    unsolicited: bool = False
    require_signed_requests: bool = False
    accept_unsigned_logout: UnsignedLogout = UnsignedLogout.OWN_SESSION
    deflated_post: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)

    def source(self, key: str) -> Source:
        """Return where the value of the dotted *key* stands."""
        return self.sources.get(key, BUILT_IN)


STRICTEST: Final = Policy()  # the built-in default: 2SA on, four symbols, nothing released
