"""What an operator does before there is a running product: keys and database."""

from collections.abc import Sequence

from saml_idp.adapters.db import schema
from saml_idp.adapters.db.store import open_store, parsed_url
from saml_idp.adapters.system import SystemClock
from saml_idp.domain.audit import Origin
from saml_idp.domain.keys import KeyDescription
from saml_idp.services.make_keys import MakeKeys
from saml_idp.services.make_keys import list_keys as described_keys
from saml_idp.settings import Settings


def upgrade_database(settings: Settings) -> None:
    """Bring the database to the present schema; make it where there is none."""
    schema.upgrade(parsed_url(settings.database_url))


def check_database(settings: Settings) -> Sequence[str]:
    """Return what is wrong with the database; empty when nothing is."""
    url = parsed_url(settings.database_url)
    return (*schema.faults_of(url), *schema.schema_differences(url))


def make_keys(settings: Settings, algorithm: str, origin: Origin) -> tuple[KeyDescription, ...]:
    """Make every key that is missing and return the new ones; works before there is a database."""
    store = None
    if not schema.faults_of(parsed_url(settings.database_url)):
        store = open_store(settings.database_url, node=settings.node, pool_size=1)
    name = settings.organisation_name
    return MakeKeys(settings.keys_dir, name, SystemClock(), store)(algorithm, origin=origin)


def list_keys(settings: Settings) -> tuple[KeyDescription, ...]:
    """Return the keys of the installation, as they may be shown."""
    return described_keys(settings.keys_dir)
