"""The import contracts of setup.cfg hold, and each of them can be broken.

The second half is shown on a small house of empty rooms: clean it keeps every contract; with one
bad import planted, the contract that forbids it breaks.
"""

import configparser
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source import ROOT

_SECTION: Final = "importlinter:contract:"
_ROOMS: Final = (
    "__main__",
    "adapters.db.attempts",
    "adapters.provider_files",
    "bootstrap",
    "cli.keys",
    "crypto.keys",
    "demo.provider",
    "device_sdk.device",
    "domain.attempt",
    "domain.chain",
    "domain.proof",
    "domain.request",
    "ports",
    "saml.bindings",
    "saml.issuer",
    "saml.refusals",
    "saml.toolkit",
    "saml.xml",
    "services.ask_approval",
    "services.finish_login",
    "settings",
    "web.login",
)
# contract → (who, imports what)
_PLANTED: Final = (
    ("floors", "domain.request", "saml_idp.crypto.keys"),
    ("floors", "services.ask_approval", "saml_idp.adapters.provider_files"),
    ("floors", "adapters.provider_files", "saml_idp.services.ask_approval"),
    ("floors", "crypto.keys", "saml_idp.saml.xml"),
    ("floors", "web.login", "saml_idp.cli.keys"),
    ("floors", "web.login", "saml_idp.demo.provider"),
    ("floors", "bootstrap", "saml_idp.web.login"),
    ("floors", "ports", "saml_idp.settings"),
    ("floors", "utilities", "saml_idp.domain.request"),
    ("no-circles", "domain.chain", "saml_idp.domain.attempt"),
    ("verbs", "services.ask_approval", "saml_idp.services.finish_login"),
    ("cli", "cli.keys", "saml_idp.web.login"),
    ("cli", "cli.keys", "saml_idp.adapters.provider_files"),
    ("cli", "cli.keys", "saml_idp.services.ask_approval"),
    ("cli", "cli.keys", "saml_idp.crypto.keys"),
    ("cli", "cli.keys", "saml_idp.saml.xml"),
    ("cli", "cli.keys", "pyramid"),
    ("web", "web.login", "saml_idp.adapters.db.attempts"),
    ("web", "web.login", "saml_idp.services.finish_login"),
    ("web", "web.login", "saml_idp.crypto.keys"),
    ("web", "web.login", "saml_idp.ports"),
    ("web-wire", "web.login", "saml_idp.saml.issuer"),
    ("below-ports", "saml.xml", "saml_idp.ports"),
    ("settings", "adapters.provider_files", "saml_idp.settings"),
    ("device-sdk", "web.login", "saml_idp.device_sdk.device"),
    ("proof", "services.ask_approval", "saml_idp.domain.proof"),
    ("proof", "web.login", "saml_idp.domain.proof"),
    ("chain", "web.login", "saml_idp.domain.chain"),
    ("issuer", "services.ask_approval", "saml_idp.saml.issuer"),
    ("libraries", "saml.xml", "saml2"),
    ("libraries", "adapters.provider_files", "sqlalchemy"),
    ("libraries", "services.ask_approval", "lxml"),
    ("libraries", "web.login", "xmlsec"),
    ("libraries", "saml.issuer", "cryptography"),
)
# What the house needs to be one in which something can go wrong.
_FURNITURE: Final = {
    "domain.attempt": "import saml_idp.domain.chain\n",
    "services.finish_login": "import saml_idp.domain.proof\nimport saml_idp.saml.issuer\n",
    "saml.issuer": "import lxml\nimport saml_idp.domain.proof\n",
    "saml.toolkit": "import saml2\n",
    "adapters.db.attempts": "import sqlalchemy\nimport saml_idp.domain.chain\n",
    "web.login": (
        "import pyramid\nimport saml_idp.bootstrap\nimport saml_idp.saml.bindings\n"
        "import saml_idp.saml.refusals\n"
    ),
    "cli.keys": (
        "import saml_idp.bootstrap\nimport saml_idp.settings\n"
        "import saml_idp.device_sdk.device\nimport saml_idp.demo.provider\n"
    ),
    "bootstrap": "import saml_idp.adapters.db.attempts\nimport saml_idp.services.finish_login\n",
}


def _lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(Path(sys.executable).parent / "lint-imports"),
            f"--config={ROOT / 'setup.cfg'}",
            "--no-cache",
            "--no-logo",
            *options,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def _build_house(folder: Path, planted: tuple[str, str] | None = None) -> None:
    files = dict.fromkeys(_ROOMS, "") | _FURNITURE
    if planted:
        who, what = planted
        files[who] = files.get(who, "") + f"import {what}\n"
    for name, text in files.items():
        path = folder / "saml_idp" / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        for package in path.relative_to(folder).parents:
            if package != Path():
                (folder / package / "__init__.py").touch()
        path.write_text(text, encoding="utf-8")


def test_the_project_keeps_its_contracts() -> None:
    result = _lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_clean_house_keeps_every_contract(tmp_path: Path) -> None:
    _build_house(tmp_path)
    result = _lint(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("contract", "who", "what"), _PLANTED)
def test_a_planted_import_breaks_its_contract(
    tmp_path: Path, contract: str, who: str, what: str
) -> None:
    _build_house(tmp_path, (who, what))
    result = _lint(tmp_path, f"--contract={contract}")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Contracts: 0 kept, 1 broken." in result.stdout


def test_every_contract_has_a_planted_import() -> None:
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    contracts = {
        section.removeprefix(_SECTION)
        for section in config.sections()
        if section.startswith(_SECTION)
    }
    assert {contract for contract, _, _ in _PLANTED} == contracts
