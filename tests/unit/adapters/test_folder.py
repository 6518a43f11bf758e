"""One folder: what is opened in it, and how a file is replaced."""

import os
from pathlib import Path
from typing import Final

import pytest

from saml_idp.adapters.folder import Folder
from saml_idp.domain.errors import ConfigurationError, Conflict

NAME: Final = "a.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, ".toml", 100)


def test_a_file_is_read_whole(folder: Folder) -> None:
    (folder.directory / NAME).write_bytes(b"x" * 100)
    assert folder.read(NAME) == b"x" * 100


def test_a_file_that_is_too_large_is_not_read(folder: Folder) -> None:
    (folder.directory / NAME).write_bytes(b"x" * 101)
    with pytest.raises(ConfigurationError, match="over 100 octets"):
        folder.read(NAME)


def test_a_file_that_changes_while_it_is_read_is_not_taken(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.directory / NAME
    path.write_bytes(b"first half ")
    read = os.read

    def another_writes_on(handle: int, size: int) -> bytes:
        octets = read(handle, size)
        if octets:
            with path.open("ab") as file:
                file.write(b"second half")
        return octets

    monkeypatch.setattr(os, "read", another_writes_on)
    with pytest.raises(ConfigurationError, match="is being written"):
        folder.read(NAME)


@pytest.mark.parametrize("name", ["../a.toml", "/etc/a.toml", "b/a.toml", "a.txt", ".a.toml", ""])
def test_nothing_is_written_under_another_kind_of_name(folder: Folder, name: str) -> None:
    with pytest.raises(ConfigurationError):
        folder.write(name, b"x", expected_before=None)
    assert list(folder.directory.iterdir()) == []


@pytest.mark.parametrize(("there", "expected"), [(b"a", None), (None, b"a"), (b"a", b"b")])
def test_what_another_hand_wrote_is_not_overwritten(
    folder: Folder, there: bytes | None, expected: bytes | None
) -> None:
    path = folder.directory / NAME
    if there is not None:
        path.write_bytes(there)
    with pytest.raises(Conflict):
        folder.write(NAME, b"mine", expected_before=expected)
    assert (path.read_bytes() if path.exists() else None) == there


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.directory / NAME).write_bytes(b"old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        folder.write(NAME, b"new", expected_before=b"old")
    assert [(p.name, p.read_bytes()) for p in folder.directory.iterdir()] == [(NAME, b"old")]


def test_a_linked_file_is_replaced_where_it_lies(folder: Folder) -> None:
    (folder.directory / "data").mkdir()
    (folder.directory / "data" / NAME).write_bytes(b"old")
    (folder.directory / NAME).symlink_to(f"data/{NAME}")
    folder.write(NAME, b"new", expected_before=b"old")
    assert (folder.directory / NAME).is_symlink()
    assert (folder.directory / "data" / NAME).read_bytes() == b"new"


def test_a_link_out_of_the_folder_is_not_written_through(folder: Folder, tmp_path: Path) -> None:
    inner = Folder(tmp_path / "inner", ".toml", 100)
    inner.directory.mkdir()
    (tmp_path / "outside.toml").write_bytes(b"old")
    (inner.directory / NAME).symlink_to(tmp_path / "outside.toml")
    with pytest.raises(ConfigurationError, match="out of the folder"):
        inner.write(NAME, b"new", expected_before=b"old")
    assert (tmp_path / "outside.toml").read_bytes() == b"old"


def test_a_written_file_is_never_writable_by_others(folder: Folder) -> None:
    path = folder.directory / NAME
    path.write_bytes(b"old")
    path.chmod(0o666)
    folder.write(NAME, b"new", expected_before=b"old")
    assert path.stat().st_mode & 0o777 == 0o644
