"""Sealed links: open a chain, extend it, walk it.

Every link carries a MAC over its body and the seal of the link before, under a key the
database never sees. The first link is the opening: this login, this request, this plan. A
row that was added, dropped, moved, changed or taken from another login breaks the walk.

Storage carries links; it cannot write them.
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from saml_idp.domain.canonical import canonical_json
from saml_idp.domain.errors import EvidenceForged
from saml_idp.domain.evidence import Evidence, Method, Step
from saml_idp.domain.ids import AttemptId, DeviceId, UserId
from saml_idp.domain.request import AuthnRequest, request_values

_LABEL: Final = b"saml-idp login chain v1\x00"
_SESSION_LABEL: Final = b"saml-idp session evidence v1\x00"
_START: Final = b"\x00" * 32


@dataclass(frozen=True, slots=True)
class SealKey:
    """The key that links are sealed with. ``secret``: 32 random bytes, from a file."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < 32:
            raise ValueError("a seal key has at least 32 bytes")


@dataclass(frozen=True, slots=True)
class Link:
    """One sealed link. ``body``: canonical JSON. ``seal``: lower-case hex, 64 digits."""

    body: str
    seal: str


Chain = tuple[Link, ...]


def _seal(key: SealKey, label: bytes, before: bytes, body: str) -> str:
    octets = body.encode()
    message = label + before + len(octets).to_bytes(4, "big") + octets
    return hmac.digest(key.secret, message, "sha256").hex()


def opening_of(attempt_id: AttemptId, request: AuthnRequest, steps: Sequence[Step]) -> str:
    """Return the body of the first link: this login, this request, this plan."""
    steps_done = [step.value for step in steps]
    return canonical_json(
        {"attempt": attempt_id, "request": request_values(request), "steps": steps_done}
    ).decode()


def open_chain(
    attempt_id: AttemptId, request: AuthnRequest, steps: Sequence[Step], key: SealKey
) -> Chain:
    """Return a chain of one link, the opening."""
    body = opening_of(attempt_id, request, steps)
    return (Link(body, _seal(key, _LABEL, _START, body)),)


def extend(chain: Chain, evidence: Evidence, key: SealKey) -> Chain:
    """Return *chain* with one more link that holds *evidence*.

    Raises:
        EvidenceForged: *chain* does not walk; nothing is built on a forged chain.
    """
    _walk_seals(chain, key)
    body = evidence_body(evidence)
    before = bytes.fromhex(chain[-1].seal)
    return (*chain, Link(body, _seal(key, _LABEL, before, body)))


def walk(
    chain: Chain,
    key: SealKey,
    *,
    expected_attempt: AttemptId,
    expected_request: AuthnRequest,
    expected_steps: Sequence[Step],
) -> tuple[Evidence, ...]:
    """Return the evidence of *chain* in order, after checking every seal.

    Raises:
        EvidenceForged: a seal is wrong, or the opening speaks of another login, request
            or plan than expected.
    """
    _walk_seals(chain, key)
    expected = opening_of(expected_attempt, expected_request, expected_steps)
    if not hmac.compare_digest(chain[0].body.encode(), expected.encode()):
        raise EvidenceForged("the chain was opened for another login", reason="opening_differs")
    return tuple(_evidence_from(link.body) for link in chain[1:])


def restarted(chain: Chain) -> Chain:
    """Return *chain* without any evidence: its opening alone."""
    return chain[:1]


def seal_for_session(session: str, evidence: Evidence, key: SealKey) -> Link:
    """Return *evidence* sealed for the session named *session*."""
    body = evidence_body(evidence)
    return Link(body, _seal(key, _SESSION_LABEL, session.encode() + b"\x00", body))


def open_from_session(session: str, link: Link, key: SealKey) -> Evidence:
    """Return the evidence that *link* holds for the session named *session*.

    Raises:
        EvidenceForged: the link was not sealed for that session.
    """
    expected = _seal(key, _SESSION_LABEL, session.encode() + b"\x00", link.body)
    if not _is_seal(link.seal, expected):
        raise EvidenceForged("session evidence is not ours", reason="session_seal_differs")
    return _evidence_from(link.body)


def evidence_body(evidence: Evidence) -> str:
    """Return the canonical JSON of *evidence*."""
    return canonical_json(
        {
            "step": evidence.step.value,
            "user_id": evidence.user_id,
            "at": evidence.at.isoformat(),
            "reference": evidence.reference,
            "method": evidence.method.value,
            "symbols": evidence.symbols,
            "user_verified": evidence.user_verified,
            "device_id": evidence.device_id,
            "session": evidence.session,
        }
    ).decode()


def _walk_seals(chain: Chain, key: SealKey) -> None:
    if not chain:
        raise EvidenceForged("the chain is empty", reason="chain_empty")
    before = _START
    for link in chain:
        if not _is_seal(link.seal, _seal(key, _LABEL, before, link.body)):
            raise EvidenceForged("a link of the chain is not ours", reason="seal_differs")
        before = bytes.fromhex(link.seal)


def _is_seal(given: str, expected: str) -> bool:
    # Octets: compare_digest refuses to look at text that is not ASCII.
    return hmac.compare_digest(given.encode(), expected.encode())


def _evidence_from(body: str) -> Evidence:
    values: dict[str, Any] = json.loads(body)
    device = values["device_id"]
    return Evidence(
        step=Step(values["step"]),
        user_id=UserId(values["user_id"]),
        at=datetime.fromisoformat(values["at"]),
        reference=values["reference"],
        method=Method(values["method"]),
        symbols=values["symbols"],
        user_verified=values["user_verified"],
        device_id=DeviceId(device) if device is not None else None,
        session=values["session"],
    )
