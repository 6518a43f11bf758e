"""The source files of this project, read once, as the architecture's rules look at them."""

import ast
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Module:
    """One Python file. ``path``: from the project's root, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @property
    def is_package(self) -> bool:
        return self.path.endswith("__init__.py")

    def lies_in(self, *places: str) -> bool:
        """Tell whether this is one of *places*: files, or folders that end in a slash."""
        return any(
            self.path.startswith(place) if place.endswith("/") else self.path == place
            for place in places
        )

    def imports(self) -> list[tuple[int, str]]:
        """Return (line, dotted name) of every import; ``from a import b`` is ``a.b``."""
        found: list[tuple[int, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(node.lineno, name.name) for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                start = "." * node.level + (node.module or "")
                found += [(node.lineno, f"{start}.{name.name}") for name in node.names]
        return found


def modules_below(folder: str) -> list[Module]:
    """Return every Python file below *folder*, in order of path."""
    return [
        Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def tracked_texts() -> list[tuple[str, str]]:
    """Return (path, text) of every text file that belongs to the project.

    What git tracks and what it would track; without git, every file that is not hidden.
    """
    texts = []
    for path in _tracked_by_git() or _visible():
        try:
            texts.append((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # a picture, or a file that is gone
    return texts


def _tracked_by_git() -> list[Path]:
    if not (git := shutil.which("git")):
        return []
    listing = subprocess.run(
        [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    return sorted(ROOT / name for name in listing.stdout.decode().split("\0") if name)


def _visible() -> list[Path]:
    return sorted(
        path
        for path in ROOT.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    )


def dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` for such an expression; of others, what follows the last call."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""
