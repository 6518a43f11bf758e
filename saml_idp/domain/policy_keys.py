"""The keys of a policy as an operator writes them, and its values as plain ones."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from saml_idp.domain.policy import Policy

# Dotted key → field of Policy, in the order of docs/policy-reference.md.
FIELDS: Final[Mapping[str, str]] = {
    "login.two_step": "two_step",
    "login.step_max_age_seconds": "step_max_age",
    "login.access_symbols": "access_symbols",
    "login.methods": "methods",
    "login.user_verification": "user_verification",
    "login.approval_seconds": "approval_lifetime",
    "login.groups": "groups",
    "assertion.name_id_format": "name_id_format",
    "assertion.name_id_attribute": "name_id_attribute",
    "assertion.sign": "sign",
    "assertion.encrypt": "encrypt",
    "assertion.lifetime_seconds": "assertion_lifetime",
    "assertion.unsolicited": "unsolicited",
    "assertion.require_signed_requests": "require_signed_requests",
    "logout.accept_unsigned": "accept_unsigned_logout",
    "compatibility.deflated_post": "deflated_post",
    "attributes": "attributes",
}


def plain_values(policy: Policy) -> dict[str, object]:
    """Return every value of *policy* by dotted key, as a policy file would hold it:
    bool, int (seconds), str, list of str, or for ``attributes`` a dict of str.
    """
    return {key: _plain(getattr(policy, field)) for key, field in FIELDS.items()}


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, tuple):
        return [str(item) for item in value]
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):
        return str(value)
    return value
