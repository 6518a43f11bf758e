"""Tables and small forms that every command shows alike."""

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

json_option: Final[Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for programs."
)
NONE: Final = "–"
_PIPE_WIDTH: Final = 10_000  # columns


def examples(*lines: str) -> str:
    """Return an epilog that lists *lines*, kept as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def show_table(
    headings: Sequence[str], rows: Iterable[Sequence[str | Text]], *, empty: str
) -> None:
    """Print a table; the sentence *empty* when there are no rows.

    What users and peers chose is shown as text: control characters and markup do nothing.
    """
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(shown(cell)) for cell in row))
    if table.row_count:
        console().print(table)
    else:
        click.echo(empty)


def show_fields(fields: Iterable[tuple[str, str | Text]]) -> None:
    """Print names and values below each other."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in fields:
        table.add_row(name, value if isinstance(value, Text) else Text(shown(value)))
    console().print(table)


def console() -> Console:
    """Return a console on standard output as it is now (tests replace it).

    Into a pipe nothing is folded: `grep` has to find what a terminal would show whole.
    """
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(highlight=False, markup=False, soft_wrap=False, width=width)


def shown(text: str) -> str:
    """Return *text* with control characters made visible: a terminal obeys them (U03)."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


def instant(at: datetime | None) -> str:
    """Return *at* as a person reads it, UTC, to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at is not None else NONE
