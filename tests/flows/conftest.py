"""Whole logins in process: WebTest as browser, the device SDK as phone, our own provider."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.site import Site, make_template


@pytest.fixture(scope="session")
def site_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys, settings and an empty database, made once."""
    return make_template(tmp_path_factory.mktemp("site"))


@pytest.fixture
def site(site_template: Path, tmp_path: Path) -> Iterator[Site]:
    """A fresh installation with one two-step and one approval-alone provider, and alice."""
    folder = tmp_path / "site"
    shutil.copytree(site_template, folder)
    made = Site.opened(folder)
    made.populate()
    yield made
    made.close()
