"""The pages of this project as tests read them: code blocks, commands, links, headings."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def text(self) -> str:
        """Return the text."""
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """Return the text without code blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[str]:
        """Return the code blocks in *language*."""
        return [body for found, body in _FENCE.findall(self.text) if found == language]

    def commands(self) -> list[list[str]]:
        """Return the arguments of each ``saml-idp`` command in a block, in order."""
        typed = [*self.blocks("sh")]
        for block in self.blocks("console"):
            lines = block.replace("\\\n", " ").splitlines()
            typed.append("\n".join(line[2:] for line in lines if line.startswith("$ ")))
        return [arguments for block in typed for arguments in commands_in(block)]

    def links(self) -> list[str]:
        """Return where its links lead, those to other sites aside."""
        return [link for link in _LINK.findall(self.prose) if "://" not in link]

    def anchors(self) -> set[str]:
        """Return the anchors of its headings, as GitHub makes them."""
        return {_slug(heading) for heading in _HEADING.findall(self.prose)}


def pages() -> list[Page]:
    """Return every page of the project."""
    hidden = (path for path in ROOT.rglob("*.md") if not _is_hidden(path))
    return [Page(path) for path in sorted(hidden)]


def page(name: str) -> Page:
    """Return one page by its path from the root."""
    return Page(ROOT / name)


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each ``saml-idp`` command in *text*, also behind a pipe."""
    for line in text.replace("\\\n", " ").splitlines():
        command = line.rpartition(" | ")[2].strip()
        if command.startswith("saml-idp "):
            arguments = shlex.split(command, comments=True)[1:]
            yield arguments[: arguments.index(">")] if ">" in arguments else arguments


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(ROOT).parts)


def _slug(heading: str) -> str:
    plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return plain.strip().replace(" ", "-")
