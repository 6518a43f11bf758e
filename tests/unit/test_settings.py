"""The settings: read once, all faults at once, no bound loosened."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from saml_idp.domain.errors import ConfigurationError
from saml_idp.settings import KEYS, Settings, load_settings, load_settings_here, variable_of

BASE: Final = 'base_url = "https://login.example.com"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "saml_idp.toml"


def load(file: Path, text: str, **environ: str) -> Settings:
    file.write_text(text)
    return load_settings(file, environ)


def told(file: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(file, text, **environ)
    return str(caught.value)


def test_the_address_alone_is_enough(file: Path) -> None:
    settings = load(file, BASE)
    folder = file.parent
    assert settings.entity_id == "https://login.example.com/saml/metadata"
    assert settings.database_url == f"sqlite:///{folder}/var/saml_idp.sqlite3"
    assert settings.keys_dir == folder / "keys"
    assert settings.metadata_dir == folder / "metadata"
    assert settings.policies_dir == folder / "policies"
    assert settings.state_dir == folder / "var"
    assert settings.limits.login_lifetime == timedelta(minutes=10)
    assert settings.limits.session_idle == timedelta(hours=1)
    assert settings.limits.session_whole == timedelta(hours=12)
    assert settings.limits.open_attempts == 100_000
    assert (settings.argon2_memory_kib, settings.argon2_time) == (19456, 2)
    assert settings.host == "127.0.0.1"
    assert not settings.development
    assert settings.file == file


def test_every_key_can_be_set(file: Path) -> None:
    (file.parent / "logo.svg").write_text("<svg/>")
    (file.parent / "db.password").write_text("p@ss/word\n")
    settings = load(
        file,
        """
base_url = "https://Login.Example.com/"
entity_id = "urn:example:idp"
development = true
[database]
url = "postgresql://idp@db.example.com:5432/idp"
password_file = "db.password"
[paths]
keys = "/etc/idp/keys"
metadata = "m"
policies = "p"
state = "s"
[server]
node = "idp-2"
host = "::1"
port = 443
workers = 4
threads = 16
trusted_proxies = ["10.0.0.7", "10.1.2.3/16"]
calls_per_minute = 50
[organisation]
name = "Example & Söhne"
logo = "logo.svg"
colour = "#aB0102"
languages = ["de"]
[contact]
text = "Call 4711."
email = "help@example.com"
help_url = "https://help.example.com/login?x=1"
[login]
lifetime_seconds = 300
max_open_attempts = 10
[session]
idle_seconds = 900
whole_seconds = 3600
[password]
argon2_memory_kib = 65536
argon2_time = 3
[log]
level = "debug"
""",
    )
    assert settings.base_url == "https://login.example.com"
    assert settings.entity_id == "urn:example:idp"
    assert settings.database_url == "postgresql://idp:p%40ss%2Fword@db.example.com:5432/idp"
    assert settings.keys_dir == Path("/etc/idp/keys")
    assert settings.metadata_dir == file.parent / "m"
    assert settings.trusted_proxies == ("10.0.0.7/32", "10.1.0.0/16")
    assert settings.organisation_logo == "data:image/svg+xml;base64,PHN2Zy8+"
    assert settings.languages == ("de",)
    assert settings.limits.session_idle == timedelta(minutes=15)
    assert (settings.workers, settings.threads, settings.port) == (4, 16, 443)
    assert settings.log_level == "debug"
    text = file.read_text()
    assert [key for key in KEYS if key.rpartition(".")[2] not in text] == []


def test_a_secret_is_not_in_what_is_printed(file: Path) -> None:
    (file.parent / "pw").write_text("hunter2")
    database = 'database.url = "postgresql://u@h/d"\ndatabase.password_file = "pw"\n'
    settings = load(file, BASE + database)
    assert "hunter2" in settings.database_url
    assert "hunter2" not in repr(settings)


def test_all_faults_are_told_at_once_each_with_its_place(file: Path) -> None:
    said = told(
        file,
        'base_url = "http://login.example.com"\n[server]\nprot = 1\nport = 0\n'
        '[session]\nidle_seconds = "60"\nwhole_seconds = 86401\n[login]\nlifetime_seconds = 601\n',
        SAML_IDP_LOG_LEVEL="loud",
    ).splitlines()
    assert [line.removeprefix(str(file)).split("]")[0] for line in said] == [
        "SAML_IDP_LOG_LEVEL: [log.level",
        ":1:1: [base_url",
        ":3:1: [server.prot",
        ":4:1: [server.port",
        ":6:1: [session.idle_seconds",
        ":7:1: [session.whole_seconds",
        ":9:1: [login.lifetime_seconds",
    ]
    assert "did you mean port?" in said[2]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        # E04, W03: what may be tightened and never loosened
        ("session.idle_seconds = 3601", "out of bounds"),
        ("session.whole_seconds = 86401", "out of bounds"),
        ("session.whole_seconds = 600", "outlives a whole one"),
        ("login.lifetime_seconds = 601", "out of bounds"),
        ("password.argon2_memory_kib = 19455", "out of bounds"),
        ("password.argon2_time = 1", "out of bounds"),
        ('entity_id = ""', "empty"),
        ("development = 1", "not true or false"),
        ('server.node = "a b"', "not the right form"),
        ('server.node = "../x"', "not the right form"),
        ('server.trusted_proxies = ["proxy.example.com"]', "no address or network"),
        ('server.trusted_proxies = "10.0.0.1"', "not a list"),
        ('organisation.colour = "red"', "not the right form"),
        ('organisation.colour = "#fff; } body {"', "not the right form"),
        ('organisation.languages = ["fr"]', "not known here"),
        ("organisation.languages = []", "no language is left"),
        ('organisation.logo = "none.png"', "cannot be read"),
        ('organisation.logo = "saml_idp.toml"', "no picture format"),
        ('contact.help_url = "javascript:alert(1)"', "no web address"),
        ('contact.help_url = "http://help.example.com"', "not https"),
        ('contact.email = "nobody"', "not the right form"),
        ('database.url = "mysql://h/d"', "no database we know"),
        ('database.url = "postgresql://u:secret@h/d"', "a password stands in the address"),
        ('database.url = "postgresql://u@h/d?password=secret"', "a password stands"),
        ('database.password_file = "none"', "cannot be read"),
        ('log.level = "loud"', "not known here"),
    ],
)
def test_a_value_that_cannot_be_is_refused(file: Path, line: str, problem: str) -> None:
    said = told(file, BASE + line)
    assert problem in said
    assert f"{file}:2" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "url",
    ["http://login.example.com", "ftp://x", "login.example.com", "https://", "https://u@h",
     "https://h/path", "https://h?x=1", "https://h#x", "https://h:0", "https://h:99999",
     "https://[::1", "https://bücher.example", "http://127.0.0.1:8443", "https://h\\@evil"],
)  # fmt: skip
def test_the_address_is_https_and_nothing_but_a_host(file: Path, url: str) -> None:
    assert "[base_url]" in told(file, f"base_url = '{url}'")


def test_http_is_for_this_machine_in_development(file: Path) -> None:
    for host in ("127.0.0.1:8080", "localhost", "[::1]:8443", "idp.localhost:8443"):
        settings = load(file, f'development = true\nbase_url = "http://{host}"')
        assert settings.base_url == f"http://{host}"
    assert "[base_url]" in told(file, 'development = true\nbase_url = "http://10.0.0.1"')


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://login.example.com", ("login.example.com", "login.example.com:443")),
        ("https://login.example.com:443", ("login.example.com", "login.example.com:443")),
        ("https://login.example.com:8443", ("login.example.com:8443",)),
        ("https://LOGIN.example.com", ("login.example.com", "login.example.com:443")),
    ],
)
def test_the_hosts_that_are_ours(file: Path, url: str, hosts: tuple[str, ...]) -> None:
    assert load(file, f'base_url = "{url}"').allowed_hosts == hosts


def test_without_an_address_it_says_so(file: Path) -> None:
    assert "base_url is missing" in told(file, "")
    assert "base_url is missing" in told(file, "[server]\nport = 443")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path / "none.toml", {})


def test_no_toml_is_told_with_its_place(file: Path) -> None:
    assert f"{file}:2:8" in told(file, f"{BASE}port = ]")


# ---- The environment


def test_the_environment_goes_before_the_file(file: Path) -> None:
    settings = load(
        file,
        f"{BASE}[server]\nport = 1\n",
        SAML_IDP_SERVER_PORT="8000",
        SAML_IDP_SERVER_TRUSTED_PROXIES='["10.0.0.0/8"]',
        SAML_IDP_DEVELOPMENT="true",
        SAML_IDP_ORGANISATION_NAME="Example Ltd",
        SAML_IDP_PATHS_KEYS="k",
    )
    assert settings.port == 8000
    assert settings.trusted_proxies == ("10.0.0.0/8",)
    assert settings.development
    assert settings.organisation_name == "Example Ltd"
    assert settings.keys_dir == file.parent / "k"


def test_a_wrong_value_of_the_environment_names_its_variable(file: Path) -> None:
    said = told(file, BASE, SAML_IDP_SERVER_PORT="many")
    assert said.startswith("SAML_IDP_SERVER_PORT: [server.port]")


def test_an_unknown_name_is_a_fault(file: Path) -> None:
    assert "SAML_IDP_DEVELOPMNT" in told(file, BASE, SAML_IDP_DEVELOPMNT="false")


def test_names_that_a_platform_invents_are_passed_over(file: Path) -> None:
    environ = {
        "SAML_IDP_PORT": "tcp://10.0.0.1:443",
        "SAML_IDP_PORT_443_TCP": "tcp://10.0.0.1:443",
        "SAML_IDP_SERVICE_HOST": "10.0.0.1",
        "SAML_IDP_SETTINGS": "elsewhere",
        "PATH": "/bin",
    }
    assert load(file, BASE, **environ).port == 8443


def test_two_keys_never_share_a_variable() -> None:
    assert len({variable_of(key) for key in KEYS}) == len(KEYS)


def test_the_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    only_environment = {"SAML_IDP_BASE_URL": "https://env.example.com"}
    found = load_settings(None, only_environment)
    assert (found.file, found.keys_dir) == (None, tmp_path / "keys")
    (tmp_path / "saml_idp.toml").write_text('base_url = "https://here.example.com"')
    assert load_settings(None, {}).base_url == "https://here.example.com"
    other = tmp_path / "other.toml"
    other.write_text('base_url = "https://other.example.com"')
    named: dict[str, Any] = {"SAML_IDP_SETTINGS": str(other)}
    assert load_settings(None, named).base_url == "https://other.example.com"


def test_here_means_this_process(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SAML_IDP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SAML_IDP_SERVER_PORT", "9000")
    file.write_text(BASE)
    assert load_settings_here(file).port == 9000
