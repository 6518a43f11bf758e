"""Small files that a setting names, relative to its own folder: acceptors of their content."""

import base64
from pathlib import Path
from typing import Final

from saml_idp.toml import kinds
from saml_idp.toml.reading import Accept, Unsuitable

_PICTURES: Final = {
    ".png": "png",
    ".svg": "svg+xml",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
}
_LARGEST_PICTURE: Final = 48 * 1024


def secret(base: Path) -> Accept[str]:
    """Accept the path of a file; return the text in it, without outer blanks."""

    def accept(value: object) -> str:
        path = base / kinds.text(1000)(value)
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            reason = getattr(exc, "strerror", None) or "not text"
            problem = f"the file cannot be read: {reason}"
            raise Unsuitable(problem, "let the server's user read it") from None

    return accept


def picture(base: Path) -> Accept[str]:
    """Accept the path of a picture; return a data: URL: our pages ask no third party."""

    def accept(value: object) -> str:
        path = base / kinds.text(1000)(value)
        kind = _PICTURES.get(path.suffix.lower())
        if kind is None:
            raise Unsuitable("no picture format we show", f"use {', '.join(_PICTURES)}")
        try:
            octets = path.read_bytes()
        except OSError as exc:
            problem = f"the picture cannot be read: {exc.strerror}"
            raise Unsuitable(problem, "correct the path") from None
        if len(octets) > _LARGEST_PICTURE:
            raise Unsuitable(f"the picture has {len(octets)} octets", f"at most {_LARGEST_PICTURE}")
        return f"data:image/{kind};base64,{base64.b64encode(octets).decode()}"

    return accept
