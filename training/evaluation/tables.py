"""Rows of the results' tables out of cells: what ``secloop eval`` prints and docs/results.md holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labs.scenario import Suite
from labs.validator.agreement import wilson

from .cells import Cell, by_scenario, outcomes_of, paired
from .metrics import ABOUT, accuracies, containment_s, figures
from .stats import Estimate, gap, iqm_interval, mean_over, share

Row = Mapping[str, Any]
ALL = "all"
PERCENT = 100.0


def methods(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """Method → the cells of all its runs, in order of first appearance."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.method, []).append(cell)
    return found


def accuracy_rows(cells: Sequence[Cell]) -> list[Row]:
    """A row for each method and suite, and for the mean over suites.

    A suite's interval is Wilson's, over its cases. That of the mean over suites is a stratified bootstrap's, which
    draws whole scenarios: one scenario's cases hang together. `iqm` is the interquartile mean over runs (a run is one
    seed, of cases and policy, on one suite), with a stratified bootstrap interval.
    """
    rows: list[Row] = []
    for method, own in methods(cells).items():
        rows += [_suite_row(method, s.value, [c for c in own if c.suite == s.value]) for s in Suite]
        rows.append(_mean_row(method, own))
    return rows


def _suite_row(method: str, suite: str, cells: Sequence[Cell]) -> Row:
    right = accuracies(outcomes_of(cells))
    found = share(int(sum(right)), len(right))
    return {"policy": method, "suite": suite, "n": len(right), **_columns("accuracy", found), **_runs(cells)}


def _mean_row(method: str, cells: Sequence[Cell]) -> Row:
    """The mean over the suites, each of which counts the same."""
    found = suite_mean(cells)
    return {
        "policy": method,
        "suite": ALL,
        "n": len(accuracies(outcomes_of(cells))),
        **_columns("accuracy", found),
        **_runs(cells),
    }


def suite_mean(cells: Sequence[Cell]) -> Estimate | None:
    """Accuracy, the mean over the suites: each counts the same."""
    by_suite: dict[str, list[float]] = {}
    for (suite, _), right in by_scenario(cells).items():
        by_suite.setdefault(suite, []).append(right)
    found = mean_over(list(by_suite.values()))
    if found is None or found.low < found.high:
        return found
    # where all scenarios came out alike a bootstrap knows no doubt: what so few of them can tell is Wilson's to say
    low, high = wilson(round(found.value * found.n), found.n)
    return found._replace(low=min(low, found.value), high=max(high, found.value))


def _runs(cells: Sequence[Cell]) -> Row:
    groups: dict[str, dict[tuple[str, int], list[float]]] = {}
    for cell in cells:
        groups.setdefault(cell.suite, {}).setdefault((cell.label, cell.seed), []).extend(accuracies(cell.outcomes))
    scores = [[sum(r) / len(r) for r in runs.values() if r] for runs in groups.values()]
    return {"runs": max(map(len, scores), default=0), **_columns("iqm", iqm_interval(scores))}


def gap_rows(cells: Sequence[Cell], ours: str) -> list[Row]:
    """How far a method is ahead of each other one on what both were asked, with a paired bootstrap interval.

    It is the mean over suites, each of which counts the same.
    """
    found = methods(cells)
    mine = found.get(ours, [])
    rows: list[Row] = []
    for method, theirs in found.items():
        if method != ours and mine:
            pairs = paired(mine, theirs)
            ahead = gap(list(pairs.values()))
            asked = sum(map(len, pairs.values()))
            row = {"policy": method, "scenarios": asked, **_columns("gap", ahead), "verdict": _verdict(ahead)}
            rows.append(row)
    return rows


def _verdict(ahead: Estimate | None) -> str:
    if ahead is None:
        return "not measured"
    if ahead.low > 0:
        return "ahead"
    return "behind" if ahead.high < 0 else "no difference shown"


def figure_rows(cells: Sequence[Cell]) -> list[Row]:
    """Every figure of every method, one row each: value, interval, what it counts."""
    rows: list[Row] = []
    for method, own in methods(cells).items():
        found = figures(outcomes_of(own))
        for about in ABOUT:
            estimate = found[about.name]
            head = {"policy": method, "figure": about.name, "n": estimate.n if estimate else 0}
            rows.append({**head, **_columns("value", estimate), "better": about.better})
    return rows


def containment_rows(cells: Sequence[Cell]) -> list[Row]:
    """Seconds to contain, of runs in mid-attack."""
    rows: list[Row] = []
    for method, own in methods(cells).items():
        median_s, ended, of = containment_s(outcomes_of(own))
        if of:
            rows.append({"policy": method, "attacks": of, "contained": ended, "median_s": median_s})
    return rows


def void_rows(cells: Sequence[Cell]) -> list[Row]:
    """Cases that proved nothing, by suite: their attack failed undefended."""
    rows: list[Row] = []
    for suite in Suite:
        own = outcomes_of(c for c in cells if c.suite == suite.value)
        void = sorted({o.scenario for o in own if not o.valid})
        if void:
            trials = sum(not o.valid for o in own)
            rows.append({"suite": suite.value, "void": trials, "of": len(own), "scenarios": ", ".join(void)})
    return rows


def _columns(name: str, found: Estimate | None) -> dict[str, float | None]:
    if found is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: round(found.value, 4), f"{name}_low": round(found.low, 4), f"{name}_high": round(found.high, 4)}


def percent(value: float | None, digits: int = 1) -> str:
    """A share in per cent, or that there is none."""
    return "not measured" if value is None else f"{value * PERCENT:.{digits}f} %"


def between(row: Row, name: str, digits: int = 1) -> str:
    """An estimate's columns as ``value (low to high)``, in per cent."""
    if row.get(name) is None:
        return "not measured"
    low, high = (f"{row[f'{name}_{end}'] * PERCENT:.{digits}f}" for end in ("low", "high"))
    return f"{row[name] * PERCENT:.{digits}f} % ({low} to {high})"
