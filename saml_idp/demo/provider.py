"""A service that behaves like Jira Data Center: entity ID = base URL, python3-saml in strict mode.

Run as a process of its own: ``python -m saml_idp.demo.provider --port 8081 …``.
"""

import argparse
import base64
import html
import secrets
import ssl
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from socketserver import ThreadingMixIn
from string import Template
from typing import Any, Final
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from onelogin.saml2.auth import OneLogin_Saml2_Auth

ACS_PATH: Final = "/plugins/servlet/samlconsumer"
LOGIN_PATH: Final = "/plugins/servlet/external-login"
_LARGEST_FORM: Final = 512 * 1024

StartResponse = Callable[[str, list[tuple[str, str]]], Any]

_PAGE: Final = Template(
    resources.files("saml_idp.demo").joinpath("page.html").read_text(encoding="utf-8")
)


class DemoProvider:
    """The service as a WSGI application. Sessions live in memory."""

    def __init__(
        self, *, base_url: str, idp_entity_id: str, idp_sso_url: str, idp_certificate: str
    ) -> None:
        self._base_url = base_url
        self._sessions: dict[str, dict[str, Any]] = {}
        self._requests: set[str] = set()
        self._settings = {
            "strict": True,
            "sp": {
                "entityId": base_url,
                "assertionConsumerService": {
                    "url": base_url + ACS_PATH,
                    "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
                },
                "NameIDFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
            },
            "idp": {
                "entityId": idp_entity_id,
                "singleSignOnService": {
                    "url": idp_sso_url,
                    "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
                },
                "x509cert": idp_certificate,
            },
            "security": {
                "wantAssertionsSigned": True,
                "wantMessagesSigned": True,
                "requestedAuthnContext": False,
                "rejectDeprecatedAlgorithm": True,
            },
        }

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        route = (environ["REQUEST_METHOD"], environ["PATH_INFO"])
        session = self._sessions.get(_cookie(environ))
        if route == ("GET", "/"):
            return _answer(start_response, "200 OK", self._home(session))
        if route == ("GET", LOGIN_PATH):
            auth = self._auth(environ, {})
            location = auth.login(return_to=self._base_url + "/")
            self._requests.add(auth.get_last_request_id())
            start_response("302 Found", [("Location", location), ("Content-Length", "0")])
            return []
        if route == ("POST", ACS_PATH):
            return self._consume(environ, start_response)
        return _answer(start_response, "404 Not Found", ("Not found", "<h1>Not found</h1>"))

    def _auth(self, environ: dict[str, Any], form: dict[str, str]) -> Any:
        scheme, _, host = self._base_url.partition("://")
        data = {
            "https": "on" if scheme == "https" else "off",
            "http_host": host,
            "script_name": environ["PATH_INFO"],
            "get_data": dict(parse_qsl(environ.get("QUERY_STRING", ""))),
            "post_data": form,
        }
        return OneLogin_Saml2_Auth(data, self._settings)

    def _consume(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        length = min(int(environ.get("CONTENT_LENGTH") or 0), _LARGEST_FORM)
        form = dict(parse_qsl(environ["wsgi.input"].read(length).decode(), keep_blank_values=True))
        auth = self._auth(environ, form)
        wanted = next((r for r in self._requests if r in _text_of(form)), None)
        auth.process_response(request_id=wanted)
        if auth.get_errors() or wanted is None:
            why = html.escape(auth.get_last_error_reason() or "this service did not ask for it")
            body = f'<h1>Sign-in failed</h1><p class="bad">{why}</p><p><a href="/">Back</a></p>'
            return _answer(start_response, "403 Forbidden", ("Sign-in failed", body))
        self._requests.discard(wanted)
        cookie = secrets.token_urlsafe(24)
        self._sessions[cookie] = {
            "NameID": auth.get_nameid(),
            "AuthnContext": ", ".join(auth.get_last_authn_contexts()),
            **{name: ", ".join(values) for name, values in auth.get_attributes().items()},
        }
        headers = [
            ("Location", "/"),
            ("Set-Cookie", f"demo-session={cookie}; Path=/; HttpOnly; SameSite=Lax"),
            ("Content-Length", "0"),
        ]
        start_response("303 See Other", headers)
        return []

    def _home(self, session: dict[str, Any] | None) -> tuple[str, str]:
        if session is None:
            body = "<h1>Demo service</h1><p>It behaves like Jira: people come in by SAML only.</p>"
            return "Demo service", f'{body}<a class="go" href="{LOGIN_PATH}">Sign in</a>'
        rows = "".join(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>"
            for name, value in session.items()
        )
        who = html.escape(session["NameID"])
        body = f"<h1>Welcome, {who}</h1><p>You are signed in.</p><dl>{rows}</dl>"
        return "Signed in", f'{body}<a class="go" href="{LOGIN_PATH}">Sign in again</a>'


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Keep the terminal for the tour."""


def serve(provider: DemoProvider, *, port: int, host: str = "127.0.0.1") -> WSGIServer:
    """Return a server of *provider* that listens; call ``serve_forever`` on it."""
    return make_server(host, port, provider, server_class=_Server, handler_class=_Quiet)


def main() -> None:
    """Run the service until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--base-url", default="http://localhost:8081")
    parser.add_argument("--idp-entity-id", required=True)
    parser.add_argument("--idp-sso-url", required=True)
    parser.add_argument("--idp-certificate", type=Path, required=True, help="PEM file")
    args = parser.parse_args()
    pem = args.idp_certificate.read_text(encoding="ascii")
    provider = DemoProvider(
        base_url=args.base_url,
        idp_entity_id=args.idp_entity_id,
        idp_sso_url=args.idp_sso_url,
        idp_certificate=base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode(),
    )
    serve(provider, port=args.port).serve_forever()


def _cookie(environ: dict[str, Any]) -> str:
    for part in environ.get("HTTP_COOKIE", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "demo-session":
            return str(value)
    return ""


def _text_of(form: dict[str, str]) -> str:
    """Return the text of the response: the ID we asked with has to stand in it."""
    octets = base64.b64decode(form.get("SAMLResponse", ""), validate=False)
    return octets.decode(errors="replace")


def _answer(start_response: StartResponse, status: str, page: tuple[str, str]) -> Iterable[bytes]:
    body = _PAGE.substitute(title=page[0], body=page[1]).encode()
    start_response(
        status,
        [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))],
    )
    return [body]


if __name__ == "__main__":
    main()
