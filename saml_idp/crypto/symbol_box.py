"""Keeps the access symbols of one approval closed in the database.

The login page shows them again on a reload, so a hash would not do. Sealed with AES-256-GCM under
a key made of the seal key, for one approval alone: a box put into another row does not open.
"""

import base64
import binascii
import secrets
from functools import lru_cache
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from saml_idp.domain.errors import EvidenceForged
from saml_idp.domain.ids import ApprovalId

_LABEL: Final = b"saml-idp access symbols v1"
_NONCE_OCTETS: Final = 12


class _Secret(Protocol):
    """The seal key, without the chain that it seals: ``secret`` has 32 random bytes."""

    @property
    def secret(self) -> bytes: ...


def seal_symbols(key: _Secret, approval_id: ApprovalId, symbols: str) -> str:
    """Return *symbols* sealed for *approval_id*, base64url without padding.

    Args:
        key: the ``SealKey``.
        symbols: characters of ``domain.approval.ALPHABET``.
    """
    nonce = secrets.token_bytes(_NONCE_OCTETS)
    return _text(nonce + _cipher(key.secret).encrypt(nonce, symbols.encode(), approval_id.encode()))


def open_symbols(key: _Secret, approval_id: ApprovalId, sealed: str) -> str:
    """Return the symbols that ``seal_symbols`` sealed for *approval_id*.

    Raises:
        EvidenceForged: sealed for another approval, under another key, or changed.
    """
    try:
        octets = base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
        if _text(octets) != sealed:
            raise ValueError("not the one spelling of these octets")
        nonce, box = octets[:_NONCE_OCTETS], octets[_NONCE_OCTETS:]
        return _cipher(key.secret).decrypt(nonce, box, approval_id.encode()).decode()
    except (InvalidTag, ValueError, binascii.Error):
        raise EvidenceForged("the access symbols are not ours", reason="symbols_seal") from None


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


@lru_cache(maxsize=8)
def _cipher(secret: bytes) -> AESGCM:
    # A key of its own: nothing sealed here can be taken for a link of a chain, nor the reverse.
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_LABEL).derive(secret))
