"""Bad input: the right person is told what to do. One test for each row of the table in docs/."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from saml_idp.cli.main import main
from saml_idp.domain.audit import AuditEvent
from saml_idp.domain.errors import StoreUnavailable
from tests.flows.site import BASE, PASSWORD, TWO_STEP, Site, status_of

TABLE = Path(__file__).parents[2] / "docs" / "when-something-is-wrong.md"


def run_cli(site: Site, *arguments: str) -> tuple[int, str]:
    """Run the product's command line on the site; return exit code and what it printed."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = main(["--settings", str(site.folder / "saml_idp.toml"), *arguments])
    return code, told.getvalue()


def rejected_for(site: Site) -> str:
    """Return the reason of the newest rejected request."""
    return site.trail(AuditEvent.REQUEST_REJECTED)[-1].record.reason


def reference_on(page_text: str) -> str:
    """Return the reference number that the page shows."""
    found = re.search(r"<dd>([\w-]{14})</dd>", page_text)
    assert found, page_text
    return found[1]


def test_a_broken_request_is_a_page_with_a_reference_that_the_trail_resolves(site: Site) -> None:
    page = site.browser().get("/saml/sso?SAMLRequest=AAAA")
    assert page.status_int == 400
    assert "AAAA" not in page.text
    record = site.trail(AuditEvent.REQUEST_REJECTED)[-1].record
    assert record.origin.reference == reference_on(page.text)


def test_an_unknown_service_is_named_as_such(site: Site) -> None:
    page = site.browser().start("https://nobody.example.test")
    assert page.status_int == 400
    assert "respond" not in page.forms
    assert rejected_for(site) == "issuer_unknown"


def test_an_unregistered_reply_address_is_never_sent_to(site: Site) -> None:
    page = site.browser().start(
        TWO_STEP, attributes='AssertionConsumerServiceURL="https://evil.example.test/acs"'
    )
    assert page.status_int == 400
    assert "evil.example.test" not in page.text
    assert rejected_for(site) == "acs_unknown"


def test_an_expired_login_says_so_and_leads_back(site: Site) -> None:
    browser = site.browser()
    browser.start()
    site.clock.advance(seconds=601)
    page = browser.submit("login", username="alice", password=PASSWORD)
    assert "/ended" in page.request.path
    assert "took too long" in page.text
    assert status_of(browser.submit_first()) == "AuthnFailed"


def test_a_wrong_password_and_an_unknown_user_read_the_same(site: Site) -> None:
    pages = []
    for name in ("alice", "nobody-of-that-name"):
        browser = site.browser()
        browser.start()
        pages.append(browser.sign_in(name, "not the password at all"))
    texts = [re.sub(r'(value|action|nonce)="[^"]*"', "", page.text) for page in pages]
    assert [page.status_int for page in pages] == [401, 401]
    assert texts[0] == texts[1]


def test_a_user_without_an_id_is_sent_to_the_administrator(site: Site) -> None:
    site.add_user("carol", with_identity=False)
    browser = site.browser()
    browser.start()
    page = browser.sign_in("carol")
    assert "administrator" in page.text
    assert site.trail(AuditEvent.LOGIN_REFUSED)[-1].record.reason == "no_identity"


def test_a_broken_policy_file_is_told_with_line_and_mend(site: Site) -> None:
    site.write_policy(TWO_STEP, "[login]\ntwo_stepp = false\n")
    code, told = run_cli(site, "policy", "check")
    assert code == 2
    assert "example-test.toml:3" in told
    assert "two_step" in told


def test_a_policy_file_that_breaks_while_running_weakens_nothing(site: Site) -> None:
    site.write_policy(TWO_STEP, "[login]\ntwo_step = flase\n")
    browser = site.browser()
    browser.start()
    assert "password" in browser.page.request.path
    assert site.idp.policies.faults()


def test_a_service_whose_policy_never_was_good_is_refused(site: Site) -> None:
    site.write_policy(TWO_STEP, "[login]\ntwo_step = flase\n")
    restarted = Site.opened(site.folder)
    page = restarted.browser().start()
    restarted.close()
    assert page.status_int == 403
    assert "respond" not in page.forms


def test_a_broken_metadata_file_is_told_with_line_and_mend(site: Site) -> None:
    (site.folder / "metadata" / "broken.xml").write_text("<md:EntityDescriptor")
    code, told = run_cli(site, "sp", "check")
    assert code == 2
    assert "broken.xml" in told


def test_a_key_that_others_may_read_stops_the_start(site: Site) -> None:
    (site.folder / "keys" / "assertion-active.key").chmod(0o644)
    code, told = run_cli(site, "doctor")
    assert code == 2
    assert "chmod 600" in told


def test_a_weak_key_stops_the_start(site: Site) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    weak = rsa.generate_private_key(65537, 1024)
    file = site.folder / "keys" / "assertion-active.key"
    file.write_bytes(weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    code, told = run_cli(site, "doctor")
    assert code == 2
    assert "1024" in told


def test_a_database_that_is_down_gives_503_and_no_assertion(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = site.folder / "idp.sqlite3"
    site.idp.store.close()
    for file in site.folder.glob("idp.sqlite3*"):
        file.rename(file.with_name(file.name + ".away"))
    database.mkdir()
    page = site.browser().start()
    ready = site.browser().get("/readyz")
    assert page.status_int == 503
    assert page.headers["Retry-After"]
    assert (ready.status_int, "database" in ready.text) == (503, True)
    assert StoreUnavailable.code not in page.text


def test_broken_settings_are_told_all_at_once(site: Site) -> None:
    (site.folder / "saml_idp.toml").write_text('base_url = "ftp://x"\n[server]\nport = 0\n')
    code, told = run_cli(site, "user", "list")
    assert code == 2
    assert "base_url" in told
    assert "port" in told


def test_every_row_of_the_table_names_a_test_of_this_file() -> None:
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")][1:]
    named = {name for row in rows for name in re.findall(r"`(test_\w+)`", row)}
    here = {name for name in globals() if name.startswith("test_")}
    assert named == here - {"test_every_row_of_the_table_names_a_test_of_this_file"}
    assert BASE
