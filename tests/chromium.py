"""Which Chromium the browser tests drive: the system's, else the one playwright has installed."""

import shutil
import sys
from pathlib import Path
from typing import Final

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MISSING: Final = (
    "no Chromium: install one (Debian: apt-get install chromium; "
    "else: .venv/bin/playwright install chromium)"
)

# For `chromium.launch(executable_path=find_chromium(), args=FLAGS)`: no sandbox, so that it starts
# in containers; nothing that talks to the network by itself.
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return the path of a Chromium's executable, or None where there is none."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


if __name__ == "__main__":
    sys.exit(None if find_chromium() else _MISSING)
