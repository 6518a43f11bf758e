"""X23: a backup made while it runs is a whole installation, on another machine too."""

import shutil
import sqlite3
from pathlib import Path

from saml_idp.device_sdk.client import DeviceClient, Result
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.ids import AssertionId
from tests.flows.site import BASE, TWO_STEP, Phone, Site


def backup(site: Site, folder: Path) -> Path:
    """Do what the operator guide says: database by its own means, the rest by copying."""
    folder.mkdir(mode=0o700)
    for name in ("keys", "metadata", "policies"):
        shutil.copytree(site.folder / name, folder / name)
    shutil.copy2(site.folder / "saml_idp.toml", folder)
    source = sqlite3.connect(site.folder / "idp.sqlite3")
    target = sqlite3.connect(folder / "idp.sqlite3")
    with target:
        source.backup(target)
    source.close()
    target.close()
    (folder / "idp.sqlite3").chmod(0o600)
    return folder


def moved(phone: Phone, to: Site) -> Phone:
    """Return the same phone, speaking with the restored installation."""
    client = DeviceClient(
        BASE,
        to.idp.settings.entity_id,
        transport=to.transport,
        clock=lambda: to.clock.now().timestamp(),
    )
    return Phone(client, phone.own)


def test_a_backup_made_during_a_login_restores_to_a_working_idp(site: Site, tmp_path: Path) -> None:
    phone, browser = site.phone(), site.browser()
    browser.start()
    browser.sign_in()
    phone.answer(browser.symbols)
    browser.submit("finish")
    second = site.browser()
    second.start()
    second.sign_in()  # under way while the backup is made
    restored = Site.opened(backup(site, tmp_path / "restored"))
    restored.clock.advance(hours=1)
    assert list(restored.idp.store.check()) == []
    issued = restored.trail(AuditEvent.ASSERTION_ISSUED)[-1].record.details["assertion"]
    assert restored.idp.verify_receipt(AssertionId(str(issued))).ok
    fresh = restored.browser()
    fresh.start(TWO_STEP)
    fresh.sign_in()
    assert moved(phone, restored).answer(fresh.symbols) is Result.GRANTED
    assert "respond" in fresh.submit("finish").forms
    assert (site.receipts(), restored.receipts()) == (1, 2)
    restored.close()
