"""The table of all means: what each is, and what was measured of it live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Any

from .base import Means
from .measure import Measured
from .registry import missing_tools

WANTED = 0.95
"""Share of undefended runs in which a means must succeed."""
Row = dict[str, Any]
SHOWN = {
    "means": "means",
    "tactic": "tactic",
    "technique": "technique",
    "runs": "runs",
    "succeeded": "undefended",
    "alerted": "alerts",
    "signatures": "signatures",
    "latency_p50_s": "latency p50 s",
    "blocked": "blocked",
    "refused": "refused",
    "kept": "service kept",
}
"""Columns of the text, in order: name in a row → heading."""


def rows(plugins: Iterable[Means], measured: Iterable[Measured]) -> list[Row]:
    """A row for every means, measured or not.

    ``succeeded``, ``alerted``, ``tested``, ``refused``, ``blocked`` and ``kept`` count runs: of ``runs`` those in which
    the means succeeded undefended and those with an alert that names it; of the runs that succeeded those put to the
    test with the expert table's strategy, those where the guard refused it, and of the tested ones those in which the
    means failed and those in which every legitimate try was served.
    """
    by_means: dict[str, list[Measured]] = {}
    for one in measured:
        by_means.setdefault(one.means, []).append(one)
    return [_row(plugin, by_means.get(plugin.id, [])) for plugin in plugins]


def _row(plugin: Means, runs: Sequence[Measured]) -> Row:
    valid = [r for r in runs if r.succeeded]
    tested = [r for r in valid if r.blocked is not None]
    return {
        **_about(plugin),
        "runs": len(runs),
        "succeeded": len(valid),
        "alerted": sum(bool(r.alerts) for r in runs),
        "signatures": sorted({sid for r in runs for sid in r.alerts}),
        "latency_p50_s": _median(r.latency_s for r in runs),
        "seconds_p50": _median(r.seconds for r in runs),
        "tested": len(tested),
        "refused": sum(r.refused for r in valid),
        "blocked": sum(r.blocked is True for r in tested),
        "kept": sum(r.kept is True for r in tested),
        "actions": [" + ".join(kinds) for kinds, _ in Counter(r.actions for r in tested).most_common()],
    }


def _about(plugin: Means) -> Row:
    return {
        "means": plugin.id,
        "tactic": plugin.tactic.name,
        "tactic_id": plugin.tactic.id,
        "technique": plugin.technique,
        "against": list(plugin.service_kinds),
        "tools": [tool.program for tool in plugin.tools],
        "lacks": [tool.package for tool in missing_tools(plugin)],
        "blind": plugin.blind,
    }


def _median(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return round(median(known), 3) if known else None


def text(found: Sequence[Row]) -> str:
    """The table and what it amounts to, for a terminal."""
    cells = [list(SHOWN.values()), *([_cell(row, name) for name in SHOWN] for row in found)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)
    return "\n".join([*lines, "", *footer(found)])


def _cell(row: Row, name: str) -> str:
    of = {"succeeded": "runs", "alerted": "runs", "blocked": "tested", "kept": "tested"}
    value = row[name]
    if name in of:
        return f"{value}/{row[of[name]]}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)


def footer(found: Sequence[Row]) -> Iterator[str]:
    """Totals, and everything that falls short."""
    total = Counter[str]()
    for row in found:
        total.update({name: row[name] for name in ("runs", "succeeded", "alerted", "tested", "blocked", "kept")})
    yield (
        f"{len(found)} means over {len({r['tactic'] for r in found})} tactics, {total['runs']} runs: "
        f"{total['succeeded']} succeed undefended, {total['alerted']} with an alert that names them; "
        f"of {total['tested']} tested against the expert table {total['blocked']} were blocked, "
        f"and in {total['kept']} everybody was served"
    )
    yield from _named("not measured", [r["means"] for r in found if not r["runs"]])
    short = [r for r in found if r["runs"] and r["succeeded"] < WANTED * r["runs"]]
    yield from _named(f"succeed undefended in less than {WANTED:.0%}", [r["means"] for r in short], always=True)
    tactics = Counter(r["tactic"] for r in found)
    yield from _named("tactics with fewer than two means", [t for t, n in tactics.items() if n < 2], always=True)  # noqa: PLR2004 - two
    unseen = [r["means"] for r in found if r["blind"] or (r["runs"] and not r["alerted"])]
    yield from _named("blind: no sensor sees them", unseen, always=True)
    unnamed = [r["means"] for r in found if 0 in r["signatures"]]
    yield from _named("seen without a signature", unnamed)
    lacking = [f"{r['means']} ({', '.join(r['lacks'])})" for r in found if r["lacks"]]
    yield from _named("this machine lacks the tools of", lacking)


def _named(what: str, names: Sequence[str], *, always: bool = False) -> Iterator[str]:
    if names or always:
        yield f"{what}: {len(names)}{': ' if names else ''}{', '.join(names)}"
