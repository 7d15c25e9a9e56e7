"""What ``secloop eval`` prints: text for people, or the same figures as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from labs.scenario import Split
from labs.suites.report import text as tables_text

from . import tables
from .cells import Cell
from .injection import Report
from .looks import runs
from .run import Order
from .tables import Row

FIGURES = "Figures"
Tables = Mapping[str, Sequence[Row]]


def word(cell: Cell) -> str:
    """A line for a cell that is done."""
    head = f"{cell.side} {cell.split.value} {cell.suite} seed {cell.seed} {cell.label}"
    if cell.error:
        return f"{head}: not run: {cell.error.splitlines()[0]}"
    valid = [o for o in cell.outcomes if o.valid]
    right = sum(o.correct for o in valid)
    where = f" {cell.scenario}" if cell.scenario else ""
    return f"{head}{where}: {right} of {len(valid)} correct, {cell.seconds:.1f} s"


def text(order: Order, cells: Sequence[Cell], folder: Path) -> str:
    """The tables for a terminal, and how often the test split was looked at."""
    found = {**of(order, cells)}
    if FIGURES in found:
        found[FIGURES] = _by_figure(found[FIGURES])
    shown = {title: [_short(row) for row in rows] for title, rows in found.items()}
    return f"{tables_text(shown)}\n\n{looked(folder)}"


def as_json(order: Order, cells: Sequence[Cell], folder: Path) -> str:
    """The same as JSON."""
    found = {"tables": of(order, cells), "test_runs": [r.model_dump(mode="json") for r in runs(folder)]}
    return json.dumps(found, indent=2)


def of(order: Order, cells: Sequence[Cell]) -> Tables:
    """Every table of these cells; what no cell has is left out."""
    what = f"{order.split.value} split, {order.side}"
    found: dict[str, Sequence[Row]] = {
        f"Accuracy, {what}": tables.accuracy_rows(cells),
        FIGURES: tables.figure_rows(cells),
        f"Ahead of the others: {order.policies[0].label}": tables.gap_rows(
            cells, order.policies[0].label.split("/")[0]
        ),
        "Time to contain": tables.containment_rows(cells),
        "Void: the attack fails undefended": tables.void_rows(cells),
    }
    return {title: rows for title, rows in found.items() if rows}


def looked(folder: Path) -> str:
    """How often the test split was looked at, in words.

    Raises:
        InputError: the record is broken.
    """
    found = runs(folder)
    last = f", last on {found[-1].date}" if found else ""
    times = f"{len(found)} time{'' if len(found) == 1 else 's'}"
    return f"The {Split.TEST.value} split was looked at {times}{last}."


def injections(reports: Iterable[Report], *, as_json: bool) -> str:
    """The injection table."""
    rows = [injection_row(r) for r in reports]
    return json.dumps(rows, indent=2) if as_json else tables_text({"Injected text": [_short(r) for r in rows]})


def injection_row(report: Report) -> dict[str, Any]:
    """A report as a row."""
    kinds = ", ".join(f"{kind} {n}" for kind, n in report.by_kind.items())
    return {
        "policy": report.label,
        "requests": report.requests,
        "violations": report.violations,
        "attacks": report.attacks,
        "attack violations": report.attack_violations,
        "by kind": kinds or "none",
    }


def _by_figure(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each figure, a column for each policy."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        line = found.setdefault(row["figure"], {"figure": row["figure"], "better": row["better"]})
        line[row["policy"]] = row["value"]
    return list(found.values())


def _short(row: Row) -> dict[str, Any]:
    """Intervals in one column, for a terminal."""
    low = [name[: -len("_low")] for name in row if name.endswith("_low")]
    ends = {f"{name}_{end}" for name in low for end in ("low", "high")}
    shown: dict[str, Any] = {}
    for name, value in row.items():
        if name in ends:
            continue
        shown[name] = value
        if name in low:
            held = row[f"{name}_low"] is not None
            shown[f"{name}_95"] = f"{row[f'{name}_low']:.3f}..{row[f'{name}_high']:.3f}" if held else ""
    return shown
