"""The results' figures as SVG: the same cells give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labs.scenario import Suite
from secloop_ai.contracts.errors import InputError

from .published import ACCURACY
from .tables import PERCENT, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLE: Any = {
    "svg.hashsalt": "secloop",
    "svg.fonttype": "path",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
OURS, THEIRS, LINE = "#1f5fa8", "#9aa5b1", "#b4412c"
RUNNING = 15
"""Steps that a learning curve's line is the mean of."""


def bars(rows: Sequence[Row], path: Path, *, title: str) -> Path:
    """Accuracy by suite with intervals, beside the published mean.

    Args:
        rows: of :func:`training.evaluation.tables.accuracy_rows`, of one method.
        path: of the SVG.
        title: of the figure.

    Raises:
        InputError: matplotlib is not installed.
    """
    found = {row["suite"]: row for row in rows if row["accuracy"] is not None}
    names = [s for s in (*(s.value for s in Suite), "all") if s in found]
    with _axes(path, title) as axes:
        for place, name in enumerate(names):
            row = found[name]
            axes.bar(place, row["accuracy"] * PERCENT, color=OURS if name != "all" else LINE, width=0.6)
            _whisker(axes, place, row, "accuracy", upright=True)
        axes.axhline(ACCURACY * PERCENT, color="black", linewidth=0.8, linestyle="--")
        axes.text(len(names) - 0.5, ACCURACY * PERCENT, " published", va="center", fontsize=7)
        axes.set_xticks(range(len(names)), names, rotation=20, ha="right")
        axes.set_ylabel("accuracy, %")
        axes.set_ylim(0, 104)
    return path


def forest(rows: Sequence[Row], published: Mapping[str, float], path: Path, *, title: str, sign: int = 1) -> Path:
    """Gaps with intervals, one line each; a cross where one was published.

    Args:
        rows: of :func:`training.evaluation.tables.gap_rows`.
        published: label → gap.
        path: of the SVG.
        title: of the figure.
        sign: -1 shows the others' difference to us instead of our lead.

    Raises:
        InputError: matplotlib is not installed.
    """
    shown = [row for row in rows if row["gap"] is not None]
    with _axes(path, title, height=1.2 + 0.28 * len(shown)) as axes:
        for place, row in enumerate(reversed(shown)):
            axes.plot(sign * row["gap"] * PERCENT, place, "o", color=OURS)
            axes.plot([sign * row[f"gap_{e}"] * PERCENT for e in ("low", "high")], [place, place], color=OURS)
            if (other := published.get(row["policy"])) is not None:
                axes.plot(sign * other * PERCENT, place, "x", color=LINE)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_yticks(range(len(shown)), [row["policy"] for row in reversed(shown)])
        axes.set_xlabel("difference in accuracy, percentage points (x: published)")
    return path


def learning(logs: Mapping[str, Sequence[Mapping[str, Any]]], key: str, path: Path, *, title: str) -> Path:
    """Learning curves of a key: every point pale, the running mean on top.

    Raises:
        InputError: matplotlib is not installed.
    """
    with _axes(path, title) as axes:
        for number, (name, log) in enumerate(logs.items()):
            points = [(line["step"], line[key]) for line in log if isinstance(line.get(key), int | float)]
            steps, values = [p[0] for p in points], [float(p[1]) for p in points]
            axes.plot(steps, values, color=f"C{number % 10}", alpha=0.25, linewidth=0.6)
            axes.plot(steps, running(values), color=f"C{number % 10}", linewidth=1.4, label=name)
        axes.set_xlabel("step")
        axes.set_ylabel(key)
        axes.legend(fontsize=7, frameon=False)
    return path


def running(values: Sequence[float], width: int = RUNNING) -> list[float]:
    """Mean over each value and up to `width` - 1 before it."""
    parts = (values[max(0, n + 1 - width) : n + 1] for n in range(len(values)))
    return [sum(part) / len(part) for part in parts]


def _whisker(axes: Axes, place: float, row: Row, name: str, *, upright: bool) -> None:
    ends, at = [row[f"{name}_{e}"] * PERCENT for e in ("low", "high")], [place, place]
    axes.plot(*((at, ends) if upright else (ends, at)), color="black", linewidth=1.2)


@contextmanager
def _axes(path: Path, title: str, *, width: float = 7.0, height: float = 3.2) -> Iterator[Axes]:
    """Axes to draw on; the file is written when the block ends."""
    try:
        from matplotlib import rc_context  # noqa: PLC0415 - only who draws needs it
        from matplotlib.figure import Figure  # noqa: PLC0415 - the same
    except ImportError:
        raise InputError("figures need matplotlib: pip install 'secloop[train]'") from None
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        axes.set_title(title, fontsize=10, loc="left")
        yield axes
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})
