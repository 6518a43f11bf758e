"""Shows every page in every state before, or without, a running IdP.

    python tests/live/preview_pages.py serve [PORT]      look at http://localhost:PORT/
    python tests/live/preview_pages.py shoot DIRECTORY   pictures: phone and desk, light and dark

The pages are served with the same Content-Security-Policy as the product's, so what a policy
would block is blocked here too. The device calls are answered by a peer that checks the phone web
app's signatures (``device_peer.py``).
"""

import json
import mimetypes
import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from saml_idp.web.symbols import row_of
from saml_idp.web.texts.table import LANGUAGES, translator
from tests.live.device_peer import DevicePeer, Problem

WEB = Path(__file__).resolve().parents[2] / "saml_idp" / "web"
STATIC = WEB / "static"
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; manifest-src 'self'; "
    "worker-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
LOGIN = {
    "provider_name": "Jira",
    "provider_logo": None,
    "username": "alice",
    "action": "/post",
    "cancel_action": "/post",
}
APPROVAL = LOGIN | {
    "view": "asked",
    "two_step": True,
    "symbols": "K3QA",
    "seconds_left": 105,
    "lifetime": 120,
    "poll_url": "/poll",
    "poll_seconds": 2,
    "finish_action": "/post",
    "retry_action": "/post",
    "restart_action": "/post",
    "qr_svg": "",
    "device_link": "/device/#approval=ap1&symbols=K3QA",
}
ENDED = {"provider_name": "Jira", "back_action": "/post", "restart_url": None, "reference": None}
HOSTILE = '"><script>alert(1)</script>'

PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "password": ("login/password.jinja2", LOGIN | {"username": "", "error": None}),
    "password-known": (
        "login/password.jinja2",
        LOGIN | {"error": None, "remember": True, "provider_logo": "/static/icon.svg"},
    ),
    "password-wrong": ("login/password.jinja2", LOGIN | {"error": "wrong_name_or_password"}),
    "password-throttled": (
        "login/password.jinja2",
        LOGIN | {"error": "throttled", "retry_after": 16},
    ),
    "name": ("login/name.jinja2", LOGIN | {"username": "", "error": None}),
    "name-missing": ("login/name.jinja2", LOGIN | {"username": "", "error": "missing"}),
    "approval": ("login/approval.jinja2", APPROVAL),
    "approval-one": ("login/approval.jinja2", APPROVAL | {"symbols": "W", "qr_svg": None}),
    "approval-six": ("login/approval.jinja2", APPROVAL | {"symbols": "XQ7GIZ", "two_step": False}),
    "approval-31-seconds": ("login/approval.jinja2", APPROVAL | {"seconds_left": 31}),
    "approval-2-seconds": ("login/approval.jinja2", APPROVAL | {"seconds_left": 2}),
    **{
        f"approval-{view}": ("login/approval.jinja2", APPROVAL | {"view": view, "poll_url": None})
        for view in ("waiting_other", "failed", "expired", "limited")
    },
    **{
        f"ended-{reason}": ("login/ended.jinja2", ENDED | {"reason": reason})
        for reason in (
            "denied",
            "not_me",
            "expired",
            "cancelled",
            "no_identity",
            "no_device",
            "not_in_groups",
            "policy_changed",
            "policy_fault",
            "no_authn_context",
            "refused",
        )
    },
    "ended-no-way-back": (
        "login/ended.jinja2",
        ENDED | {"reason": "refused", "back_action": None, "reference": "7KQ2-MX4D"},
    ),
    "respond": (
        "login/respond.jinja2",
        {
            "action": "/sink",
            "SAMLResponse": "PHNhbWw+",
            "RelayState": "/browse/X-1",
            "provider_name": "Jira",
            "granted": True,
        },
    ),
    "respond-hostile": (
        "login/respond.jinja2",
        {
            "action": "/sink?a=" + HOSTILE,
            "SAMLResponse": HOSTILE,
            "RelayState": HOSTILE,
            "provider_name": HOSTILE,
            "granted": False,
        },
    ),
    "moved": ("login/moved.jinja2", {"provider_name": "Jira", "provider_url": "https://jira.test"}),
    **{
        f"error-{kind}": ("error.jinja2", {"kind": kind, "reference": "7KQ2-MX4D"})
        for kind in (
            "internal",
            "request_rejected",
            "unknown_service",
            "configuration_error",
            "no_login",
            "forbidden",
            "not_allowed",
            "not_found",
            "throttled",
            "busy",
            "store_unavailable",
        )
    },
    "home": (
        "home.jinja2",
        {
            "services": [{"name": n, "url": "/post"} for n in ("Confluence", "Jira")],
            "device_url": "/device/",
            "admin_url": "/admin/",
        },
    ),
    "home-plain": ("home.jinja2", {"services": [], "device_url": "/device/", "admin_url": None}),
    "device": ("device/app.jinja2", {}),
}
OPTIONAL: dict[str, Any] = dict.fromkeys(
    (
        "two_step",
        "restart_action",
        "poll_url",
        "reference",
        "remember",
        "error",
        "title",
        "explanation",
        "what_to_do",
        "provider_logo",
        "language_links",
    )
)

TEMPLATES = Environment(
    loader=FileSystemLoader(WEB / "templates"), autoescape=True, undefined=StrictUndefined
)


@dataclass
class Preview:
    """A running preview. ``posts``: paths and bodies that were posted, oldest first."""

    peer: DevicePeer
    brand: str = "Example Organisation"
    poll_status: str = "pending"
    posts: list[tuple[str, str]] = field(default_factory=list)
    base: str = ""

    def names(self, language: str, nonce: str) -> dict[str, Any]:
        """Return what every template may use."""
        return {
            "t": translator(language),
            "lang": language,
            "brand": SimpleNamespace(name=self.brand, logo_url=None),
            "csp_nonce": nonce,
            "csrf_token": "token",
            "static": lambda path: f"/static/{path}?v=1",
            "entity_id": self.peer.entity_id,
            "base_url": self.base,
            "language_links": [
                {"language": "de", "name": "Deutsch", "url": "?lang=de"},
                {"language": "en", "name": "English", "url": "?lang=en"},
            ],
        }

    def page(self, name: str, language: str, nonce: str) -> str:
        """Return page *name* as HTML."""
        template, values = PAGES[name]
        values = dict(values)
        if isinstance(values.get("symbols"), str):
            values["symbols"] = [
                {"character": symbol.character, "name": symbol.name(language)}
                for symbol in row_of(values["symbols"])
            ]
        if values.get("qr_svg") == "":
            link = f"{self.base}{values['device_link']}-{'x' * 20}"
            values["qr_svg"] = segno.make(link, micro=False).svg_inline(
                border=0, omitsize=True, svgclass=None, lineclass=None
            )
        return self.render(template, language, nonce, **values)

    def render(self, template: str, language: str, nonce: str, **values: Any) -> str:
        """Return *template* with the names every template has, and *values*."""
        names = OPTIONAL | self.names(language, nonce) | values
        return TEMPLATES.get_template(template).render(names)


class _Handler(BaseHTTPRequestHandler):
    """Answers one request of the preview."""

    protocol_version = "HTTP/1.1"
    preview: Preview

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - base class's name
        """Stay quiet."""

    def _send(self, status: int, kind: str, body: str | bytes, **headers: str) -> None:
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, status: int, value: object, kind: str = "application/json") -> None:
        self._send(status, kind, json.dumps(value))

    def do_GET(self) -> None:
        """Answer GET."""
        url = urlsplit(self.path)
        language = parse_qs(url.query).get("lang", ["en"])[0]
        language = language if language in LANGUAGES else "en"
        nonce = secrets.token_urlsafe(12)
        html = {"Content_Security_Policy": POLICY.format(nonce=nonce)}
        if url.path == "/":
            rows = "".join(
                f'<li><a href="/p/{n}">{n}</a> <a href="/p/{n}?lang=de">de</a>' for n in PAGES
            )
            self._send(200, "text/html; charset=utf-8", f"<ul>{rows}</ul>")
        elif url.path.startswith("/p/") and url.path[3:] in PAGES:
            page = self.preview.page(url.path[3:], language, nonce)
            self._send(200, "text/html; charset=utf-8", page, **html)
        elif url.path == "/device/":
            page = self.preview.page("device", language, nonce)
            self._send(200, "text/html; charset=utf-8", page, **html)
        elif url.path == "/device/sw.js":
            self._static("device/sw.js")
        elif url.path == "/device/manifest.webmanifest":
            manifest = self.preview.render("device/manifest.jinja2", language, nonce)
            self._send(200, "application/manifest+json", manifest)
        elif url.path == "/poll":
            self._json(200, {"status": self.preview.poll_status, "interval": 1})
        elif url.path.startswith("/static/"):
            self._static(url.path.removeprefix("/static/"))
        else:
            self._device_call(url.path)

    def _static(self, path: str) -> None:
        file = (STATIC / path).resolve()
        if STATIC not in file.parents or not file.is_file():
            self._send(404, "text/plain", "nothing here")
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        self._send(200, kind, file.read_bytes())

    def do_POST(self) -> None:
        """Answer POST."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.preview.posts.append((self.path, body))
        if self.path.startswith("/device/"):
            self._device_call(self.path, body)
        else:
            self._send(
                200, "text/html; charset=utf-8", "<!doctype html><title>posted</title>posted"
            )

    def do_DELETE(self) -> None:
        """Answer DELETE."""
        self._device_call(self.path)

    def _device_call(self, path: str, body: str = "") -> None:
        try:
            status, value = self.preview.peer.call(
                self.command, path, self.headers.get("Authorization", ""), body, self.preview.base
            )
        except Problem as problem:
            self._json(problem.status, problem.value, "application/problem+json")
            return
        self._json(status, value) if value is not None else self._send(status, "text/plain", "")


class _Server(ThreadingHTTPServer):
    """Does not mind a browser that goes away in the middle of an answer."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell what went wrong, unless the browser has just left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def previewing(port: int = 0) -> Iterator[Preview]:
    """Serve the pages on loopback until the block ends; port 0 takes a free one."""
    preview = Preview(peer=DevicePeer())
    handler = type("Handler", (_Handler,), {"preview": preview})
    server = _Server(("127.0.0.1", port), handler)
    preview.base = f"http://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield preview
    finally:
        server.shutdown()
        server.server_close()


def _device_states(page: Any, preview: Preview, language: str) -> Iterator[str]:
    """Lead the phone web app through its screens; yield the name of each as it is shown."""
    preview.peer = DevicePeer()
    address = f"{preview.base}/device/?lang={language}"
    yield from _enrolment_states(page, preview.peer, address)
    yield from _question_states(page, preview.peer)
    yield from _scan_states(page, preview.peer, address)


def _until(page: Any, screen: str) -> None:
    page.locator(f"[data-screen={screen}]").wait_for()
    page.wait_for_timeout(120)


def _enrolment_states(page: Any, peer: DevicePeer, address: str) -> Iterator[str]:
    page.goto(address)
    _until(page, "welcome")
    yield "welcome"
    page.goto(f"{address}#enrol={peer.code}")
    _until(page, "enrol")
    yield "enrol"
    page.fill("#enrol-password", "wrong")
    page.click("#enrol-form .primary")
    page.locator("#enrol-error").wait_for()
    yield "enrol-wrong"
    page.fill("#enrol-password", peer.password)
    page.click("#enrol-form .primary")
    _until(page, "approval")
    yield "trial"
    page.click("#approve")
    _until(page, "result")
    yield "trial-granted"
    page.click("#result-done")
    _until(page, "home")
    yield "home"
    page.click("#ids button")
    yield "remove"
    page.keyboard.press("Escape")


def _question_states(page: Any, peer: DevicePeer) -> Iterator[str]:
    asked = peer.ask()
    _until(page, "approval")
    yield "asked"
    page.keyboard.type("k3")
    yield "entering"
    page.click("#entry-type")
    yield "typing"
    page.keyboard.type("QA")
    asked["other_browser_waiting"] = True
    page.locator("#approval-other").wait_for()
    yield "other-browser"
    page.click("#approval-not-me")
    page.wait_for_timeout(120)
    yield "not-me"
    page.keyboard.press("Escape")
    page.click("#deny")
    _until(page, "result")
    yield "denied"
    page.click("#result-done")
    _until(page, "home")


def _scan_states(page: Any, peer: DevicePeer, address: str) -> Iterator[str]:
    asked = peer.ask(provider_name="Confluence – Wissen der ganzen Organisation")
    page.goto(f"{address}#approval={asked['approval']}&symbols=K3QA")
    page.locator("#entry-slots li:has(svg)").first.wait_for()
    yield "scanned"
    peer.online = False
    page.click("#approve")
    page.locator("#approval-error").wait_for()
    yield "offline"
    peer.online = True
    peer.symbols = "WRON"
    page.click("#approve")
    _until(page, "result")
    yield "failed"


def shoot(directory: Path, only: str = "", language: str = "en") -> None:
    """Write pictures of every page whose name starts with *only*; tell what a browser refused."""
    from playwright.sync_api import sync_playwright

    from tests.chromium import FLAGS, find_chromium

    directory.mkdir(parents=True, exist_ok=True)
    with previewing() as preview, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        for place, width, height in (("phone", 390, 844), ("desk", 1280, 800)):
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                page = context.new_page()
                page.on("console", lambda message: print("  console:", message.text))
                for name in PAGES:
                    if (
                        not name.startswith(only)
                        or name.startswith(("respond", "device"))
                        or "secon" in name
                    ):
                        continue
                    page.goto(f"{preview.base}/p/{name}?lang={language}")
                    page.wait_for_timeout(150)
                    page.screenshot(path=directory / f"{name}-{place}-{scheme}.png")
                if "device".startswith(only) or only.startswith("device"):
                    for name in _device_states(page, preview, language):
                        page.screenshot(path=directory / f"device-{name}-{place}-{scheme}.png")
                context.close()
        browser.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", *rest]:
            with previewing(int(rest[0]) if rest else 8700) as running:
                print(running.base)
                threading.Event().wait()
        case ["shoot", directory, *rest]:
            shoot(Path(directory), *rest)
        case _:
            sys.exit(__doc__)
