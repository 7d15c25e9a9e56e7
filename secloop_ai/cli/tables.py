"""One way to print rows: a table for people, or the same rows as JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import typer

Rows = Sequence[Mapping[str, Any]]

KEPT_WHOLE = 20
"""A column no wider than this (ids, names, states) is never broken over lines."""
LEAST = 16
"""Characters that a column of running text needs; with less, rows are printed one below the other."""
GAP = 2
"""Characters between two columns: one of padding, one that rich puts there itself."""


def show(rows: Rows, *, as_json: bool, title: str, empty: str, columns: Mapping[str, str] | None = None) -> None:
    """Print rows.

    Args:
        rows: one mapping each; they all have the same keys.
        as_json: print every key of every row as JSON instead.
        title: stands above the table.
        empty: what to say where there is no row.
        columns: key → heading of what the table shows; by default every key.
    """
    if as_json:
        typer.echo(as_text(list(rows)))
        return
    if not rows:
        typer.echo(empty)
        return
    shown = columns or {name: name.replace("_", " ") for name in rows[0]}
    cells = [[text(row[name]) for name in shown] for row in rows]
    widths = [max(map(len, column)) for column in zip(shown.values(), *cells, strict=True)]
    needed = sum(w if w <= KEPT_WHOLE else LEAST for w in widths) + GAP * (len(widths) - 1)
    width = shutil.get_terminal_size().columns
    typer.echo(title)
    if needed > width:
        _blocks(list(shown.values()), cells)
    else:
        _table(list(shown.values()), cells, widths, width)


def text(value: Any) -> str:
    """A cell: times in UTC to the second, lists by commas, truth as yes or no."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(text, value))
    return "" if value is None else str(value)


def as_text(value: Any) -> str:
    """JSON for a program or a person."""
    return json.dumps(value, indent=2, default=_json)


def _json(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _blocks(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """For a narrow terminal: nothing is cut off."""
    pad = max(map(len, headings))
    for row in cells:
        typer.echo()
        for heading, cell in zip(headings, row, strict=True):
            typer.echo(f"{heading:{pad}}  {cell}".rstrip())


def _table(headings: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int], width: int) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold")
    for heading, longest in zip(headings, widths, strict=True):
        table.add_column(heading, no_wrap=longest <= KEPT_WHOLE, overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    Console(width=width).print(table)
