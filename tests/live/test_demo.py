"""The demonstration that ``make run`` starts, followed word by word as its tour and README say."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from saml_idp.demo.site import PASSWORD
from tests.live.peer import BrowserPeer, Page
from tests.live.serving import free_port, within

ROOT = Path(__file__).parents[2]
SAML_IDP = ".venv/bin/saml-idp "


@dataclass
class Demo:
    """The running demonstration and what it printed."""

    folder: Path
    process: "subprocess.Popen[str]"
    tour: dict[int, str]
    service: str

    def command(self, step: int, *more: str, stdin: str = "", **words: str) -> str:
        """Run the command that *step* of the tour prints; return what it printed.

        *words*: what stands in capitals in it, and by what it is replaced. *more* goes on.
        """
        printed = self.tour[step]
        found = re.search(rf"{re.escape(SAML_IDP)}([^()]*)", printed)
        assert found is not None, printed
        text = found[1]
        for name, value in words.items():
            assert f" {name}" in text, printed
            text = text.replace(name, value)
        done = subprocess.run(
            [sys.executable, "-m", "saml_idp", *shlex.split(text), *more],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "SAML_IDP_DEVICE_STATE": str(self.folder / "device"),
            },
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def link(self, step: int) -> str:
        """Return the first link in *step*."""
        found = re.search(r"http://\S+", self.tour[step])
        assert found is not None
        return found.group()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    port, service_port = free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "saml_idp.demo",
         "--port", str(port), "--service-port", str(service_port)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    tour = {int(found[1]): line for line in lines if (found := re.match(r"  (\d)\. ", line))}
    assert sorted(tour) == [1, 2, 3, 4, 5], "".join(lines)
    yield Demo(tmp_path, process, tour, f"http://localhost:{service_port}")
    process.kill()
    process.stdout.close()
    process.wait()


def opened(browser: BrowserPeer, service: str) -> Page:
    """Open the service and press "Sign in"."""
    home = browser.get(service)
    assert "Demo service" in home.text
    (link,) = home.tree.xpath('//a[@class="go"]/@href')
    return browser.get(service + link)


def test_the_tour_works_as_printed(demo: Demo) -> None:
    assert demo.link(2) == demo.service
    assert PASSWORD in demo.tour[3]
    enrolled = demo.command(
        1, "--password-file", "-", stdin=PASSWORD + "\n", LINK=shlex.quote(demo.link(1))
    )
    assert "tried: it works" in enrolled

    browser = BrowserPeer(demo.link(1).partition("/device")[0])
    opened(browser, demo.link(2))
    page = browser.sign_in("alice", PASSWORD)
    assert len(page.symbols) == 4
    assert "granted" in demo.command(4, SYMBOLS=page.symbols)
    browser.submit("finish")
    welcome = browser.submit("respond")
    assert "Welcome, alice" in welcome.text
    assert "alice@example.test" in welcome.text
    assert "Welcome, alice" in browser.get(demo.service).text

    trail = demo.command(5, "--event", "assertion_issued", "--json")
    (issued,) = [json.loads(line) for line in trail.splitlines()]
    assert "assertion_issued" in demo.command(5)
    assertion = issued["details"]["assertion"]
    demo.tour[5] = demo.tour[5].replace("audit show", "audit receipt")
    receipt = demo.command(5, assertion)
    assert "DOES NOT HOLD" not in receipt
    assert assertion in receipt

    policy = demo.folder / "var" / "demo" / "policies" / "demo.toml"
    text = policy.read_text()
    assert "two_step = true" in text
    policy.write_text(text.replace("two_step = true", "two_step = false"))
    within(2.0, lambda: "name" in opened(BrowserPeer(browser.base_url), demo.service).url)
    fresh = BrowserPeer(browser.base_url)
    opened(fresh, demo.service)
    page = fresh.submit("login", username="alice")
    assert "granted" in demo.command(4, SYMBOLS=page.symbols)
    fresh.submit("finish")
    assert "Welcome, alice" in fresh.submit("respond").text


def test_sigterm_stops_both(demo: Demo) -> None:
    demo.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert demo.process.wait(45) == 0
    assert time.monotonic() - began < 30
    for url in (demo.service, demo.link(1).partition("#")[0]):
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)


def test_a_second_start_says_what_to_do_about_the_port(demo: Demo) -> None:
    port = demo.service.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "saml_idp.demo", "--port", str(free_port()), "--service-port", port],
        cwd=demo.folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        f"port {port} is taken: stop what listens there, or run "
        "python -m saml_idp.demo --service-port OTHER\n"
    )
