"""The text of docs/results.md out of what is kept; nothing in it is written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from labs.scenario import Suite

from . import annex, tables
from .cells import outcomes_of
from .markdown import CONTEST, NOT_MEASURED, Cells, Kept, command, image, table, title
from .metrics import figures
from .published import ACCURACY, ALONE, APART, BASELINES, GAINS, GOALS, LEARNED, OURS, REHEARSED, SHIPPED, Goal
from .tables import Row, between, percent


def page(kept: Kept) -> str:
    """The page."""
    later = (
        annex.trainings,
        annex.figures,
        annex.ablations,
        annex.weak,
        annex.free_decoding,
        annex.injections,
        annex.live,
        annex.containment,
        annex.curves,
        annex.latency,
        annex.looks,
    )
    parts = (_head, _goals, _accuracy, _gaps, _losses, *later)
    text = "\n".join(line for part in parts for line in part(kept))
    return f"{text.rstrip()}\n"


def _head(kept: Kept) -> Iterator[str]:
    yield "# Results"
    yield ""
    yield "Written by `secloop results` out of the lines in `training/results/`; do not edit it by hand."
    yield f"All tables are of the **{kept.split}** split. Intervals are at 95 %: Wilson's for a share of cases, a"
    yield "seeded bootstrap over scenarios for means and gaps. Published figures (arXiv 2512.09485) were measured on"
    yield "other battlefields with another model; they stand beside ours to be seen, not to be compared case by case."
    yield ""


def _goals(kept: Kept) -> Iterator[str]:
    yield from title("Goals", command(kept))
    yield from table(["figure", "wanted", "measured", "reached"], [_goal(kept, g) for g in GOALS] + [_injected(kept)])


def _goal(kept: Kept, goal: Goal) -> list[str]:
    found = measured(kept, goal)
    sign = "at least" if goal.at_least else "at most"
    wanted = f"{sign} {percent(goal.wanted, 2)}"
    if found is None:
        return [goal.name, wanted, NOT_MEASURED, "-"]
    reached = found >= goal.wanted if goal.at_least else found <= goal.wanted
    return [goal.name, wanted, percent(found, 2), _yes(reached)]


def measured(kept: Kept, goal: Goal) -> float | None:
    """What the shipped policy has of a goal; None: not measured."""
    fast = [c for c in kept.fast if c.method == SHIPPED]
    if goal.source in {"fast", "live"}:
        mean = tables.suite_mean(fast if goal.source == "fast" else [c for c in kept.live if c.method == SHIPPED])
        return mean.value if mean else None
    if goal.source == "suite":
        rows = [r["accuracy"] for r in tables.accuracy_rows(fast) if r["suite"] != tables.ALL]
        return None if not rows or None in rows else float(min(rows))
    estimate = figures(outcomes_of(fast))[goal.source]
    return estimate.value if estimate else None


def _injected(kept: Kept) -> list[str]:
    report = next((r for r in kept.injections if r.label == SHIPPED), None)
    if report is None:
        return ["injection violations", "0 of 1,000", NOT_MEASURED, "-"]
    reached = _yes(not report.violations and report.requests >= 1_000)  # noqa: PLR2004 - the goal's own number
    return ["injection violations", "0 of 1,000", f"{report.violations} of {report.requests:,}", reached]


def _accuracy(kept: Kept) -> Iterator[str]:
    yield from title("Accuracy of the policy that ships", command(kept), command(kept, more=" --live", of=kept.live))
    by = {"fast": _rows(kept.fast), "live": _rows(kept.live)}
    lines = []
    for suite in (*(s.value for s in Suite), tables.ALL):
        cells = [by[side].get(suite, {}) for side in by]
        published = f"{ACCURACY:.2%}".replace("%", " %") if suite == tables.ALL else "-"
        lines.append([suite, *(_cell(c) for c in cells), published])
    yield from table(["suite", "fast model", "live", "published"], lines)
    yield from image(kept, "accuracy")


def _rows(cells: Cells) -> dict[str, Row]:
    return {r["suite"]: r for r in tables.accuracy_rows([c for c in cells if c.method == SHIPPED])}


def _cell(row: Row) -> str:
    return f"{between(row, 'accuracy')}, n = {row['n']}" if row else NOT_MEASURED


def _gaps(kept: Kept) -> Iterator[str]:
    others = (ALONE, REHEARSED, *BASELINES, *LEARNED)
    names = ",".join((SHIPPED, ALONE, REHEARSED, *BASELINES))
    yield from title("Against the baselines", command(kept, names), CONTEST)
    yield "Accuracy is the mean over suites; a lead is ours less theirs on the same scenarios, paired. `IQM` is the"
    yield "interquartile mean over runs and suites. What was trained from one checkpoint with one small budget stands"
    yield f"from `{OURS}` on: its own lead over each is the method's; the policy that ships had a full training."
    yield ""
    rows = {r["policy"]: r for r in tables.gap_rows(kept.fast, SHIPPED)}
    small = {r["policy"]: r for r in tables.gap_rows(kept.fast, OURS)}
    means = {r["policy"]: r for r in tables.accuracy_rows(kept.fast) if r["suite"] == tables.ALL}
    extra = [name for name in means if name not in (*others, SHIPPED) and not name.startswith(APART)]
    lines = [
        [
            name,
            _mean(means, name),
            _iqm(means, name),
            _lead(rows, name),
            between(small[name], "gap") if name in small and name in LEARNED else "-",
            _gain(name),
            _word(rows, name),
        ]
        for name in (SHIPPED, *others, *extra)
    ]
    yield from table(["policy", "accuracy", "IQM", "our lead", f"{OURS}'s lead", "published lead", "verdict"], lines)
    yield from image(kept, "gaps")


def _mean(rows: Mapping[str, Row], name: str) -> str:
    return between(rows.get(name, {}), "accuracy")


def _iqm(rows: Mapping[str, Row], name: str) -> str:
    row = rows.get(name)
    return f"{percent(row['iqm'])}, {row['runs']} runs" if row else NOT_MEASURED


def _gain(name: str) -> str:
    return f"+{GAINS[name]:.1%}".replace("%", " %") if name in GAINS else "-"


def _lead(rows: Mapping[str, Row], name: str) -> str:
    return "-" if name == SHIPPED else between(rows.get(name, {}), "gap")


def _word(rows: Mapping[str, Row], name: str) -> str:
    if name == SHIPPED:
        return "-"
    return str(rows[name]["verdict"]) if name in rows else NOT_MEASURED


def _losses(kept: Kept) -> Iterator[str]:
    yield "## Where we lose, or show no lead"
    yield ""
    rows = [r for r in tables.gap_rows(kept.fast, SHIPPED) if r["verdict"] != "ahead" and r["gap"] is not None]
    own = [r for r in rows if not r["policy"].startswith(APART)]
    missed = [_goal(kept, g) for g in GOALS]
    yield from (f"- {r['policy']}: {r['verdict']}, our lead {between(r, 'gap')}" for r in own)
    yield from (f"- goal missed: {name}: {found}, wanted {wanted}" for name, wanted, found, ok in missed if ok == "no")
    shipped = any(c.method == SHIPPED for c in kept.fast)
    if not shipped:
        yield f"The policy that ships is {NOT_MEASURED} on this split."
    elif not own and not any(ok == "no" for *_, ok in missed):
        yield "Nowhere among what was measured here."
    yield ""


def _yes(holds: bool) -> str:  # noqa: FBT001 - a word for it
    return "yes" if holds else "no"
