"""One call of the application as a server makes it: raw, and in any thread."""

import io
from typing import Any, Final

from tests.flows.site import Site

FORM: Final = "application/x-www-form-urlencoded"


def called(site: Site, body: bytes = b"", **environ: str) -> tuple[int, dict[str, str], bytes]:
    """Call the application with a raw WSGI environment; values are Latin-1, as on the wire."""
    given: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "192.0.2.7",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    begun_with: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        begun_with.append((status, headers))

    answer = site.app(given | environ, start)
    octets = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()  # PEP 3333; a file
    ((status, headers),) = begun_with
    return int(status[:3]), dict(headers), octets
