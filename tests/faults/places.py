"""Copies of one installation with alice and her phone, on SQLite or PostgreSQL."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from saml_idp.bootstrap import build
from saml_idp.device_sdk.client import DeviceClient, EnrolledId
from saml_idp.settings import load_settings
from saml_idp.web.app import make_application
from tests.fakes import FakeClock
from tests.flows.site import BASE, Phone, Site, make_template
from tests.postgres import PostgresServer

_SQLITE = "sqlite:///idp.sqlite3"


@dataclass(frozen=True)
class Prepared:
    """An installation that is copied for each test. ``site``: closed."""

    site: Site
    own: EnrolledId
    url: str  # of its database

    def copied(self, folder: Path, *, url: str = "") -> tuple[Site, Phone]:
        """Return a copy in *folder* that nobody serves yet, and alice's phone there.

        Args:
            url: of the copy's database on PostgreSQL; "" for SQLite.
        """
        shutil.copytree(self.site.folder, folder)
        settings = folder / "saml_idp.toml"
        if url:
            settings.write_text(settings.read_text().replace(self.url, url))
        clock = FakeClock(self.site.clock.now())
        copy = replace(self.site, folder=folder, clock=clock, app=_nobody)
        client = DeviceClient(
            BASE,
            self.own.entity_id,
            transport=copy.transport,
            clock=lambda: clock.now().timestamp(),
        )
        return copy, Phone(client, self.own)

    @contextmanager
    def served(self, folder: Path, *, url: str = "") -> Iterator[tuple[Site, Phone]]:
        """Yield a copy that this process serves, and alice's phone there."""
        site, phone = self.copied(folder, url=url)
        site.idp = build(load_settings(folder / "saml_idp.toml", {}), clock=site.clock)
        site.app = make_application(site.idp)
        yield site, phone
        site.close()


def _nobody(_environ: object, _start_response: object) -> Any:
    raise ConnectionResetError("nobody serves this")


def prepared(folder: Path, *, url: str = _SQLITE) -> Prepared:
    """Return an installation in *folder* with two providers and alice, who has a phone.

    Args:
        url: of a migrated PostgreSQL database; without it a new SQLite file.
    """
    folder.mkdir(exist_ok=True)
    make_template(folder)
    settings = folder / "saml_idp.toml"
    settings.write_text(settings.read_text().replace(_SQLITE, url))
    site = Site.opened(folder)
    site.populate()
    own = site.phone().own
    site.close()
    return Prepared(site, own, url)


def url_of(folder: Path) -> str:
    """Return the URL of the SQLite database of the installation in *folder*."""
    return f"sqlite:///{folder / 'idp.sqlite3'}"


@contextmanager
def database_like(server: PostgresServer, template: Prepared) -> Iterator[str]:
    """Yield the URL of a copy of the PostgreSQL database of *template*."""
    name = template.url.partition("@/")[2].partition("?")[0]
    with server.database(template=name) as url:
        yield url
