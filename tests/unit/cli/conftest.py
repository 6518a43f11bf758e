"""A fresh installation for each test, copied from one that is made once."""

from pathlib import Path

import pytest

from tests.unit.cli.installation import Installation, copied, make_installation, write_settings


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return make_installation(tmp_path_factory.mktemp("made") / "idp")


@pytest.fixture
def installation(made_once: Installation, tmp_path: Path) -> Installation:
    return copied(made_once, tmp_path / "idp")


@pytest.fixture
def bare(tmp_path: Path) -> Installation:
    """Settings alone: no keys, no database."""
    return write_settings(tmp_path / "idp")
