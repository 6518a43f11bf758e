"""What setup.cfg promises and what the lock files hold fit what the code imports."""

import configparser
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source import ROOT, Module, modules_below

_LOCKS: Final = ("requirements.lock", "requirements-dev.lock")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
# An index, a folder or a host in a lock file would bind every user to one machine.
_PLACE: Final = re.compile(r"://|^\s*-(-index|-extra|-find|-trusted|f|i)\b|# via .*/", re.MULTILINE)


def _setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def _requirements(section: str, key: str) -> list[str]:
    lines = _setup()[section][key].splitlines()
    return [line for line in map(str.strip, lines) if line and not line.startswith("#")]


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def _locked(lock: str) -> dict[str, str]:
    """Return name → the whole entry of each package in *lock*."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)
    return {_name(entry): entry for entry in entries}


def _undeclared(modules: list[Module], declared: set[str]) -> list[str]:
    homes = packages_distributions()
    return [
        f"{module.path}:{line}: {imported}"
        for module in modules
        for line, imported in module.imports()
        if (top := imported.partition(".")[0])
        not in {*sys.stdlib_module_names, "saml_idp", "tests"}
        and not declared & set(map(_name, homes.get(top, [top])))
    ]


def test_every_library_that_is_imported_is_declared() -> None:
    runs = set(map(_name, _requirements("options", "install_requires")))
    shows = runs | set(map(_name, _requirements("options.extras_require", "demo")))
    tests = shows | set(map(_name, _requirements("options.extras_require", "dev")))
    product = modules_below("saml_idp")
    assert _undeclared([m for m in product if not m.lies_in("saml_idp/demo/")], runs) == []
    assert _undeclared(product, shows) == []
    assert _undeclared(modules_below("tests"), tests) == []


def test_a_library_that_is_not_declared_is_seen() -> None:
    assert _undeclared([Module("saml_idp/cli/main.py", "import ldap3.core\n")], {"click"})


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("options", "install_requires"),
        ("options.extras_require", "demo"),
        ("options.extras_require", "dev"),
    ],
)
def test_every_requirement_has_a_floor_and_a_ceiling(section: str, key: str) -> None:
    unbounded = [
        line
        for line in _requirements(section, key)
        if "==" not in line and not (">=" in line and "<" in line)
    ]
    assert unbounded == []


@pytest.mark.parametrize("library", ["lxml", "xmlsec"])
def test_the_two_wheels_that_share_libxml2_are_pinned_exactly(library: str) -> None:
    assert any(
        line.startswith(f"{library}==") for line in _requirements("options", "install_requires")
    )


@pytest.mark.parametrize("lock", _LOCKS)
def test_every_locked_package_has_hashes(lock: str) -> None:
    entries = _locked(lock)
    assert len(entries) > 20
    assert [name for name, entry in entries.items() if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", _LOCKS)
def test_a_lock_file_names_no_place(lock: str) -> None:
    assert _PLACE.search("--find-links wheels/\n")
    assert _PLACE.findall((ROOT / lock).read_text(encoding="utf-8")) == []


def test_what_runs_is_locked_alike_for_tests() -> None:
    runs, tests = (_locked(lock) for lock in _LOCKS)
    versions = {name: entry.split()[0] for name, entry in runs.items()}
    assert {name: tests.get(name, "missing").split()[0] for name in versions} == versions


@pytest.mark.parametrize(
    ("lock", "section", "key"),
    [
        ("requirements.lock", "options", "install_requires"),
        ("requirements-dev.lock", "options.extras_require", "dev"),
    ],
)
def test_every_requirement_is_locked(lock: str, section: str, key: str) -> None:
    locked = _locked(lock)
    assert [line for line in _requirements(section, key) if _name(line) not in locked] == []


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "saml_idp", source / "saml_idp", ignore=unwanted)
    build = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, f"--wheel-dir={tmp_path}", str(source)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    shutil.rmtree(source / "build", ignore_errors=True)
    files = {
        path.relative_to(source).as_posix()
        for path in (source / "saml_idp").rglob("*")
        if path.is_file()
    }
    assert files - packed == set()
