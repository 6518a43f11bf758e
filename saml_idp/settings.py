"""Reads the operator's settings once, checks all of them, returns a frozen ``Settings``.

From saml_idp.toml, and from the environment, which goes before it: ``server.port`` is
``SAML_IDP_SERVER_PORT``. All mistakes are told at once. A secret is given by the path of a file.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from saml_idp.domain.errors import ConfigurationError, Fault
from saml_idp.domain.ids import EntityId
from saml_idp.domain.limits import Limits
from saml_idp.toml import addresses, kinds, nearby
from saml_idp.toml.places import TomlText, read_toml, read_value
from saml_idp.toml.reading import Reading, Unsuitable

FILE_NAME: Final = "saml_idp.toml"
PREFIX: Final = "SAML_IDP_"
_PATH_VARIABLE: Final = "SAML_IDP_SETTINGS"
# Ours, but no settings: the second one is of `saml-idp device`.
_NO_SETTINGS: Final = frozenset({_PATH_VARIABLE, "SAML_IDP_DEVICE_STATE"})
# A container platform invents these for a service that is called saml-idp.
_PLATFORM: Final = re.compile(r"SAML_IDP_(?:PORT|SERVICE)(?:_|$)")


class LogLevel(StrEnum):
    """From the most to the least."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Language(StrEnum):
    """What the pages are written in."""

    EN = "en"
    DE = "de"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decided, checked. Every path is absolute.

    ``calls_per_minute``: of one address, to one worker (H06).
    ``base_url`` has no slash at its end and is https, or http to this machine in development.
    ``trusted_proxies``: networks ("10.0.0.0/8"). ``organisation_logo``: a data: URL, or "".
    ``organisation_colour``: "#rrggbb". Texts that were left out are "".
    """

    base_url: str
    entity_id: EntityId
    development: bool
    database_url: str = field(repr=False)  # it may hold the database's password
    keys_dir: Path
    metadata_dir: Path
    policies_dir: Path
    state_dir: Path
    node: str
    host: str
    port: int
    workers: int
    threads: int
    trusted_proxies: tuple[str, ...]
    calls_per_minute: int
    organisation_name: str
    organisation_logo: str
    organisation_colour: str
    languages: tuple[str, ...]
    contact_text: str
    contact_email: str
    help_url: str
    limits: Limits
    argon2_memory_kib: int
    argon2_time: int
    log_level: str
    file: Path | None  # where the settings were read, None: from the environment alone

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Return the values of the Host header that are ours."""
        parts = urlsplit(self.base_url)
        default = 443 if parts.scheme == "https" else 80
        if parts.port not in {None, default}:
            return (parts.netloc,)
        bare = parts.netloc.removesuffix(f":{default}")
        return bare, f"{bare}:{default}"


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings.

    Args:
        path: of saml_idp.toml. None: what ``SAML_IDP_SETTINGS`` names, else the one in the
            present folder, else the environment alone.
        environ: the process' environment.

    Raises:
        ConfigurationError: every mistake, with file, line, key and mend.
    """
    if path is None and (named := environ.get(_PATH_VARIABLE)):
        path = Path(named)
    if path is None and Path(FILE_NAME).is_file():
        path = Path(FILE_NAME)
    toml = TomlText("the environment", "", {}) if path is None else _read_file(path)
    base = Path.cwd() if path is None else path.resolve().parent
    overrides, unknown = _overrides(environ)
    reading = Reading(toml, overrides=overrides)
    settings = _take_all(reading, base, path)
    reading.faults.extend(unknown)
    reading.finish()
    return settings


def load_settings_here(path: Path | None) -> Settings:
    """Return the settings, by this process' own environment (``load_settings``)."""
    return load_settings(path, os.environ)


def hand_to_workers(settings: Settings) -> None:
    """Let the processes that this one starts read the same file as it did, and count together.

    Each worker counts in files of ``state/metrics``; whoever is asked adds them up.
    """
    if settings.file is not None:
        os.environ[_PATH_VARIABLE] = str(settings.file.resolve())
    metrics = settings.state_dir / "metrics"
    metrics.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in metrics.glob("*.db"):
        left.unlink()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
    # Pyramid 2.1 imports it; an operator can do nothing about that.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:pkg_resources is deprecated:UserWarning")


def variable_of(key: str) -> str:
    """Return the environment variable that goes before the dotted *key*."""
    return PREFIX + key.replace(".", "_").upper()


def _read_file(path: Path) -> TomlText:
    try:
        octets = path.read_bytes()
    except OSError as exc:
        raise ConfigurationError([
            Fault(str(path), 0, 0, "", f"the settings cannot be read: {exc.strerror}",
                  f"create it, or name another with {_PATH_VARIABLE}")
        ]) from None  # fmt: skip
    return read_toml(octets, file=str(path))


def _overrides(
    environ: Mapping[str, str],
) -> tuple[dict[str, tuple[object, str]], list[Fault]]:
    """Return the values of the environment by dotted key, and faults for unknown names."""
    keys = {variable_of(key): key for key in KEYS}
    found: dict[str, tuple[object, str]] = {}
    faults = []
    for name, text in sorted(environ.items()):
        if name in keys:
            found[keys[name]] = (read_value(text), name)
        elif name.startswith(PREFIX) and name not in _NO_SETTINGS and not _PLATFORM.match(name):
            faults.append(Fault(name, 0, 0, "", "no setting has this name",
                                "unset it, or correct its name"))  # fmt: skip
    return found, faults


KEYS: Final = (
    "base_url",
    "entity_id",
    "development",
    "database.url",
    "database.password_file",
    "paths.keys",
    "paths.metadata",
    "paths.policies",
    "paths.state",
    "server.node",
    "server.host",
    "server.port",
    "server.workers",
    "server.threads",
    "server.trusted_proxies",
    "server.calls_per_minute",
    "organisation.name",
    "organisation.logo",
    "organisation.colour",
    "organisation.languages",
    "contact.text",
    "contact.email",
    "contact.help_url",
    "login.lifetime_seconds",
    "login.max_open_attempts",
    "session.idle_seconds",
    "session.whole_seconds",
    "password.argon2_memory_kib",
    "password.argon2_time",
    "log.level",
)


def _take_all(reading: Reading, base: Path, path: Path | None) -> Settings:
    """Take every key; the bounds stand here (E04: a session of 1 h idle, 24 h whole at most)."""
    take, whole, text = reading.take, kinds.whole, kinds.text
    development = take("development", kinds.boolean, False)  # noqa: FBT003 - a key's default
    base_url = take("base_url", addresses.base_url(development=development), "")
    if not base_url and "base_url" not in {f.key for f in reading.faults}:
        reading.add_fault(("base_url",), "base_url is missing",
                          'add base_url = "https://…", as browsers reach it')  # fmt: skip

    def folder(name: str) -> Path:
        return base / take(f"paths.{name}", text(1000), name)

    idle = take("session.idle_seconds", whole(60, 3600), 3600)
    whole_life = take("session.whole_seconds", whole(60, 86400), 43200)
    if idle > whole_life:
        reading.add_fault(("session", "idle_seconds"), "an idle session outlives a whole one",
                          "make idle_seconds the smaller one")  # fmt: skip
    return Settings(
        base_url=base_url,
        entity_id=EntityId(take("entity_id", text(1024), f"{base_url}/saml/metadata")),
        development=development,
        database_url=_database_url(reading, base),
        keys_dir=folder("keys"),
        metadata_dir=folder("metadata"),
        policies_dir=folder("policies"),
        state_dir=base / take("paths.state", text(1000), "var"),
        node=take("server.node", addresses.node, "node-1"),
        host=take("server.host", text(255), "127.0.0.1"),
        port=take("server.port", whole(1, 65535), 8443),
        workers=take("server.workers", whole(1, 64), 2),
        threads=take("server.threads", whole(1, 256), 4),
        trusted_proxies=take("server.trusted_proxies", kinds.many(addresses.network, 50), ()),
        calls_per_minute=take("server.calls_per_minute", whole(10, 10_000_000), 120),
        organisation_name=take("organisation.name", text(100), "Sign in"),
        organisation_logo=take("organisation.logo", nearby.picture(base), ""),
        organisation_colour=take("organisation.colour", addresses.colour, "#1d5fbf"),
        languages=take("organisation.languages", _languages, tuple(Language)),
        contact_text=take("contact.text", text(500), ""),
        contact_email=take("contact.email", addresses.e_mail, ""),
        help_url=take("contact.help_url", addresses.web_address, ""),
        limits=Limits(
            login_lifetime=timedelta(seconds=take("login.lifetime_seconds", whole(60, 600), 600)),
            session_idle=timedelta(seconds=idle),
            session_whole=timedelta(seconds=whole_life),
            open_attempts=take("login.max_open_attempts", whole(10, 10_000_000), 100_000),
        ),
        argon2_memory_kib=take("password.argon2_memory_kib", whole(19 * 1024, 4 << 20), 19 * 1024),
        argon2_time=take("password.argon2_time", whole(2, 100), 2),
        log_level=take("log.level", kinds.one_of(LogLevel), LogLevel.INFO),
        file=path,
    )


def _database_url(reading: Reading, base: Path) -> str:
    url = reading.take("database.url", _database, "sqlite:///var/saml_idp.sqlite3")
    password = reading.take("database.password_file", nearby.secret(base), "")
    if url.startswith("sqlite:///"):
        return f"sqlite:///{base / url.removeprefix('sqlite:///')}"
    if password:
        parts = urlsplit(url)
        user, _, host = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()
    return url


def _database(value: object) -> str:
    url = kinds.text(1000)(value)
    if not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise Unsuitable("this is no database we know",
                         "write sqlite:///PATH or postgresql://USER@HOST/NAME")  # fmt: skip
    if urlsplit(url).password is not None or "password=" in urlsplit(url).query.lower():
        raise Unsuitable("a password stands in the address",
                         "put it in a file and name that in database.password_file")  # fmt: skip
    return url


def _languages(value: object) -> tuple[str, ...]:
    found = kinds.many(kinds.one_of(Language), 2)(value)
    if not found:
        raise Unsuitable("no language is left", f"choose from {', '.join(Language)}")
    return found
