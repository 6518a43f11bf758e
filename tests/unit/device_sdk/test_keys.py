"""A device's key: made, kept with mode 0600, never shown."""

import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from saml_idp.crypto.device_keys import public_key_of
from saml_idp.device_sdk.errors import KeyUnreadable
from saml_idp.device_sdk.keys import DeviceKey


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_key_is_the_same_after_the_disk(algorithm: Any, tmp_path: Path) -> None:
    key = DeviceKey.generate(algorithm)
    file = tmp_path / "key.pem"
    key.save(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    loaded = DeviceKey.load(file)
    assert loaded.public_jwk() == key.public_jwk()
    assert loaded.algorithm == algorithm
    public_key_of(key.public_jwk()).verify(loaded.sign(b"octets"), b"octets")


def test_a_key_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    DeviceKey.generate().save(file)
    before = file.read_bytes()
    with pytest.raises(KeyUnreadable):
        DeviceKey.generate().save(file)
    assert file.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610])
def test_a_key_that_others_may_read_is_refused(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    DeviceKey.generate().save(file)
    file.chmod(mode)
    with pytest.raises(KeyUnreadable, match="chmod 600"):
        DeviceKey.load(file)


def test_a_key_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyUnreadable, match="cannot read"):
        DeviceKey.load(tmp_path / "none.pem")
    with pytest.raises(KeyUnreadable, match="cannot write"):
        DeviceKey.generate().save(tmp_path / "no" / "folder.pem")


def _pem(key: Any, encryption: Any = None) -> bytes:
    octets: bytes = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()
    )
    return octets


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"text",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        _pem(rsa.generate_private_key(65537, 2048)),
        _pem(ec.generate_private_key(ec.SECP384R1())),
        _pem(ec.generate_private_key(ec.SECP256K1())),
        _pem(ed448.Ed448PrivateKey.generate()),
        _pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"password")),
    ],
)
def test_another_kind_of_key_is_refused(pem: bytes) -> None:
    with pytest.raises(KeyUnreadable):
        DeviceKey.from_pem(pem)


def test_the_public_half_has_its_required_members_only() -> None:
    assert set(DeviceKey.generate().public_jwk()) == {"kty", "crv", "x", "y"}
    assert set(DeviceKey.generate("EdDSA").public_jwk()) == {"kty", "crv", "x"}


def test_a_coordinate_keeps_its_leading_zeros() -> None:
    """1 key in 128 has one: RFC 7518 6.2.1.2 wants the full length."""
    for _ in range(600):
        jwk = DeviceKey.generate().public_jwk()
        assert len(jwk["x"]) == len(jwk["y"]) == 43


def test_a_key_does_not_show_in_a_repr() -> None:
    assert repr(DeviceKey.generate()) == "DeviceKey()"
