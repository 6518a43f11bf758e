"""``saml-idp serve``: run the identity provider."""

import multiprocessing
import resource
from typing import TYPE_CHECKING, Any, Final

import click

from saml_idp.cli.context import CliContext
from saml_idp.cli.output import examples

if TYPE_CHECKING:
    from saml_idp.settings import Settings

# A stop waits for what is under way, for so long; the service manager's patience is 30 s.
_STOP_SECONDS: Final = 25
_HEADER_MILLISECONDS: Final = 10_000
_HEADER_OCTETS: Final = 64 * 1024


@click.command(
    epilog=examples("saml-idp serve", "saml-idp --settings /etc/saml-idp/saml_idp.toml serve")
)
@click.pass_obj
def command(context: CliContext) -> None:
    """Run the identity provider until SIGTERM; address and workers stand in the settings.

    Put a reverse proxy that ends TLS in front. SIGTERM stops gracefully within 30 seconds,
    SIGHUP replaces the workers one by one.
    """
    from saml_idp.diagnosis import obstacles
    from saml_idp.logs import configure_logs
    from saml_idp.settings import hand_to_workers

    settings = context.settings
    found = obstacles(settings)
    if found:
        for finding in found:
            click.echo(f"saml-idp: {finding.check}: {finding.told}", err=True)
            click.echo(f"  {finding.mend}", err=True)
        raise click.exceptions.Exit(2)
    # K05: the memory of a server holds private keys
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    configure_logs(settings.log_level)
    hand_to_workers(settings)
    # A forked worker would share the parent's locks and connections.
    multiprocessing.set_start_method("spawn", force=True)
    make_server(settings).serve()


def make_server(settings: "Settings") -> Any:
    """Return the server. It writes no access log: query strings hold messages (rule 7)."""
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import MPServer

    return MPServer(
        "saml_idp.web.app:application",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEADER_MILLISECONDS, max_buffer_size=_HEADER_OCTETS
        ),
        websockets=False,
        log_access=False,
        log_level=LogLevels.info,
        log_dictconfig=_through_ours(),
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_SECONDS,
    )


def _through_ours() -> dict[str, Any]:
    """Return a logging configuration that hands the server's lines to our root handler."""
    return {
        "handlers": {},
        "formatters": {},
        "loggers": {"_granian": {"handlers": [], "propagate": True}},
    }
