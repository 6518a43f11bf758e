"""Keys for the tests of the wire: made once a session, strong enough, thrown away."""

from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest
from lxml import etree

from saml_idp.crypto.keys import KeyAlgorithm, SigningKey, load_signing_key, new_signing_key
from tests.unit.saml.messages import MakeKey

MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def make_key(tmp_path_factory: pytest.TempPathFactory) -> MakeKey:
    """Return a maker of keys; the same name gives the same key."""
    directory: Path = tmp_path_factory.mktemp("keys")
    made: dict[tuple[str, str], SigningKey] = {}

    def make(name: str, algorithm: KeyAlgorithm = "rsa-2048") -> SigningKey:
        if (name, algorithm) not in made:
            pair = new_signing_key(algorithm, common_name=name, days=30, now=MADE_AT)
            key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
            key.write_bytes(pair.key)
            key.chmod(0o600)
            certificate.write_bytes(pair.certificate)
            made[name, algorithm] = load_signing_key(key, certificate)
        return made[name, algorithm]

    return make


@pytest.fixture(scope="session")
def provider_key(make_key: MakeKey) -> SigningKey:
    return make_key("provider")


@pytest.fixture(scope="session")
def other_key(make_key: MakeKey) -> SigningKey:
    return make_key("other")


@pytest.fixture(scope="session")
def protocol_schema() -> etree.XMLSchema:
    """Return the schema of SAML 2.0 messages, from files that python3-saml brings along."""
    folder = resources.files("onelogin.saml2") / "schemas"
    with resources.as_file(folder) as path:
        return etree.XMLSchema(etree.parse(path / "saml-schema-protocol-2.0.xsd"))
