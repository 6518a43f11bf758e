"""Our own keys: strong, private, and never written over."""

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from saml_idp.crypto.certificates import verified_octets
from saml_idp.crypto.keys import (
    KeyAlgorithm,
    SigningKey,
    find_named_key,
    load_named_key,
    load_secret,
    load_signing_key,
    new_secret,
    new_signing_key,
    write_key,
)
from saml_idp.domain.errors import ConfigurationError, Fault

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def pem_of(key: Any, passphrase: bytes | None = None) -> bytes:
    return bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase)
            if passphrase
            else serialization.NoEncryption(),
        )
    )


def put(directory: Path, algorithm: KeyAlgorithm = "p-256", name: str = "k") -> Path:
    pair = new_signing_key(algorithm, common_name="IdP", days=365, now=NOW)
    write_key(directory / f"{name}.key", pair.key)
    (directory / f"{name}.crt").write_bytes(pair.certificate)
    return directory / f"{name}.key"


def fault_of(act: Callable[..., object], *given: Any, **named: Any) -> Fault:
    with pytest.raises(ConfigurationError) as caught:
        act(*given, **named)
    (fault,) = caught.value.faults
    assert fault.mend
    return fault


@pytest.mark.parametrize(
    ("algorithm", "kind", "hash_name", "is_weak"),
    [
        ("rsa-2048", "rsa", "sha256", True),
        ("rsa-3072", "rsa", "sha256", False),
        ("p-256", "ec", "sha256", False),
        ("p-384", "ec", "sha384", False),
    ],
)
def test_k01_a_new_key_is_loaded_as_it_was_made(
    algorithm: KeyAlgorithm,
    kind: str,
    hash_name: str,
    is_weak: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    put(tmp_path, algorithm)
    key = load_named_key(tmp_path, "k")
    assert (key.kind, key.hash_name, key.is_weak) == (kind, hash_name, is_weak)
    assert key.algorithm == algorithm
    assert len(key.key_id) == 16
    assert key.certificate.not_after.startswith("2027-05-04")
    signature = key.sign(b"octets")
    assert key.sign(b"octets") == signature
    assert verified_octets(
        b"octets",
        signature=signature,
        kind=key.kind,
        hash_name=key.hash_name,
        certificate=key.certificate,
    )


def test_a_new_certificate_is_self_signed_and_begins_in_the_past() -> None:
    pair = new_signing_key("p-256", common_name="IdP", days=10, now=NOW)
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_before_utc < NOW
    assert (certificate.not_valid_after_utc - NOW).days == 10


def test_k05_no_secret_is_in_a_repr(tmp_path: Path) -> None:
    pair = new_signing_key("p-256", common_name="IdP", days=10, now=NOW)
    assert "PRIVATE" not in repr(pair)
    put(tmp_path)
    assert "private" not in repr(load_named_key(tmp_path, "k"))


def test_k02_a_key_is_written_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_key(tmp_path / "k", b"one")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600
    assert "exists already" in fault_of(write_key, tmp_path / "k", b"two").problem
    assert (tmp_path / "k").read_bytes() == b"one"


def test_a_key_is_on_the_disk_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append((tmp_path / "k").read_bytes()))
    write_key(tmp_path / "k", b"one")
    assert synced == [b"one"]


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    put(tmp_path)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(10):
        load_named_key(tmp_path, "k")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_k02_a_key_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert fault_of(write_key, tmp_path / "link", b"x").file == str(tmp_path / "link")
    assert not (tmp_path / "target").exists()


def test_a_key_in_no_directory_is_a_fault(tmp_path: Path) -> None:
    assert "cannot be written" in fault_of(write_key, tmp_path / "none" / "k", b"x").problem


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601, 0o610])
def test_k02_a_key_that_others_can_touch_is_refused(mode: int, tmp_path: Path) -> None:
    path = put(tmp_path)
    path.chmod(mode)
    fault = fault_of(load_named_key, tmp_path, "k")
    assert "others can read" in fault.problem
    assert "chmod 600" in fault.mend


def test_k02_a_certificate_that_others_can_write_is_refused(tmp_path: Path) -> None:
    put(tmp_path).with_suffix(".crt").chmod(0o666)
    assert "others can write" in fault_of(load_named_key, tmp_path, "k").problem


def test_k02_a_key_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path)
    genuine = os.fstat

    def of_another(descriptor: int) -> os.stat_result:
        values = list(genuine(descriptor))
        values[4] = os.geteuid() + 4711
        return os.stat_result(values)

    monkeypatch.setattr(os, "fstat", of_another)
    assert "another user" in fault_of(load_named_key, tmp_path, "k").problem


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path)
    path.unlink()
    assert "cannot be opened" in fault_of(load_named_key, tmp_path, "k").problem
    os.mkfifo(path, 0o600)
    assert "not a regular file" in fault_of(load_named_key, tmp_path, "k").problem  # at once
    path.unlink()
    path.mkdir(0o700)
    assert "regular" in fault_of(load_named_key, tmp_path, "k").problem


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "1024 bits"),
        (lambda: ec.generate_private_key(ec.SECP224R1()), "neither"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "neither"),
        (ed25519.Ed25519PrivateKey.generate, "neither"),
    ],
)
def test_k01_a_weak_or_other_key_is_refused(
    make: Callable[[], Any], words: str, tmp_path: Path
) -> None:
    path = put(tmp_path)
    path.unlink()
    write_key(path, pem_of(make()))
    assert words in fault_of(load_named_key, tmp_path, "k").problem


@pytest.mark.parametrize("content", [b"", b"x", b"\xff", b"-----BEGIN PRIVATE KEY-----\nAAAA"])
def test_a_file_that_is_no_key_is_refused(content: bytes, tmp_path: Path) -> None:
    path = put(tmp_path)
    path.unlink()
    write_key(path, content)
    assert "PEM private key" in fault_of(load_named_key, tmp_path, "k").problem


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    put(tmp_path).with_suffix(".crt").write_bytes(b"x")
    assert "PEM certificate" in fault_of(load_named_key, tmp_path, "k").problem


def test_a_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    path, other = put(tmp_path), put(tmp_path, name="other")
    fault = fault_of(load_signing_key, path, other.with_suffix(".crt"))
    assert "not that of k.key" in fault.problem


def test_k02_a_passphrase_opens_a_locked_key_and_no_other(tmp_path: Path) -> None:
    path = put(tmp_path)
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    path.unlink()
    write_key(path, pem_of(private, b"word"))
    certificate = path.with_suffix(".crt")
    assert isinstance(load_signing_key(path, certificate, passphrase=b"word"), SigningKey)
    assert "locked" in fault_of(load_signing_key, path, certificate).problem
    fault = fault_of(load_signing_key, path, certificate, passphrase=b"wrong")
    assert "passphrase is wrong" in fault.problem
    assert "word" not in str(fault)


def test_a_next_key_may_be_absent_but_not_broken(tmp_path: Path) -> None:
    assert find_named_key(tmp_path, "k") is None
    path = put(tmp_path)
    assert find_named_key(tmp_path, "k") is not None
    path.chmod(0o644)
    fault_of(find_named_key, tmp_path, "k")


def test_a_secret_is_read_as_it_was_made(tmp_path: Path) -> None:
    write_key(tmp_path / "seal.key", new_secret())
    write_key(tmp_path / "cookie.key", new_secret())
    one, two = (load_secret(tmp_path / f"{name}.key") for name in ("seal", "cookie"))
    assert (len(one), len(two), one != two) == (32, 32, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "0 bytes"), (b"ab" * 31, "31 bytes"), (b"ab" * 33, "33 bytes"), (b"zz", "hex"),
     (b"\xff", "hex")],
)  # fmt: skip
def test_a_crooked_secret_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    write_key(tmp_path / "k", content)
    assert words in fault_of(load_secret, tmp_path / "k").problem


def test_k02_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    write_key(tmp_path / "k", new_secret())
    (tmp_path / "k").chmod(0o644)
    assert "others" in fault_of(load_secret, tmp_path / "k").problem


def test_a_name_that_is_too_long_for_a_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match="64"):
        new_signing_key("p-256", common_name="a" * 65, days=1, now=NOW)
