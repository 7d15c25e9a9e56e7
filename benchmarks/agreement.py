"""Does the fast model say what packets say? Verdicts of both on the same strategies, side by side.

    python -m benchmarks.agreement [--split test] [--seeds 100] [--pairs N] [--out FILE] [--json]

The pairs are the committed trials of labs/suites/measured.jsonl: cases of one split, drawn from seeds at which nobody
looked while the fast model was made. Each meets the baselines, strategies drawn at random that do something, and the
best answer that the fast model knows. A policy sees the alerts that the live sensor raised in the undefended twin; the
guard's first allowed candidate is put on a fresh clone and, the same strategy, into the fast model. Nothing is drawn
again: what the guard refused, what is void since the attack failed without any defence, and what could not be run are
counted and told. Refused pairs agree by nature, so they stand apart. The noise floor is how often the live side agrees
with itself when everything is done once more.

With --pairs so many more trials are run first (root, the lab), in an order that no result has part in.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.table import show
from labs.lab.requirements import explain
from labs.scenario import Split
from labs.suites.measured import MEASURED, Row, first_runs, load_rows, repeats
from labs.validator import Measurement
from labs.validator.agreement import Pair, agree, intervals, wilson
from secloop_ai.contracts.errors import SecLoopError

FIRST_SEED = 100
ENOUGH = 0.95
"""The balanced agreement that is asked for."""


def judged(rows: Iterable[Row]) -> list[Row]:
    """Rows that count: both sides valid, and the guard let something be done."""
    return [r for r in rows if r.valid and not r.refused]


def pairs_of(rows: Iterable[Row]) -> list[Pair]:
    """The rows' pairs."""
    return [r.pair for r in rows if r.pair]


def by_case(rows: Iterable[Row]) -> list[list[Pair]]:
    """The pairs, those of one case together."""
    groups: dict[str, list[Pair]] = {}
    for row in rows:
        groups.setdefault(row.trial.case_key, []).extend(pairs_of([row]))
    return list(groups.values())


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """The table, one name and value a line."""
    own, kept = first_runs(rows), judged(first_runs(rows))
    head = {
        "trials": len(own),
        "cases": len({r.trial.case_key for r in own}),
        "not_run": sum(r.pair is None for r in own),
        "void": sum(r.pair is not None and not r.valid for r in own),
        "refused": sum(r.valid and r.refused for r in own),
        "pairs": len(kept),
    }
    return head | (_figures(kept) | _noise(rows) if kept else {})


def _figures(kept: Sequence[Row]) -> dict[str, Any]:
    found = agree(pairs_of(kept))
    balanced, kappa = intervals(by_case(kept))
    correct = found.both + found.live_only
    return {
        "live_correct": correct,
        "live_correct_share": correct / found.pairs,
        "service_breaking": found.live_breaks,
        "service_breaking_share": found.live_breaks / found.pairs,
        "both": found.both,
        "neither": found.neither,
        "live_only": found.live_only,
        "fast_only": found.fast_only,
        "agreement": found.agreement,
        "agreement_95": _span(found.low, found.high),
        "balanced": found.balanced,
        "balanced_95": _span(*balanced),
        "kappa": found.kappa,
        "kappa_95": _span(*kappa),
        "same_attack": sum(a.rs_attack == b.rs_attack for a, b in pairs_of(kept)) / found.pairs,
        "same_service": sum(a.served == b.served for a, b in pairs_of(kept)) / found.pairs,
        "rs_service_apart_mean": sum(abs(a.rs_service - b.rs_service) for a, b in pairs_of(kept)) / found.pairs,
        "rolled_back_exactly": sum(a.rollback_exact is True for a, _ in pairs_of(kept)) / found.pairs,
    }


def _noise(rows: Sequence[Row]) -> dict[str, Any]:
    """Live against live: the same case and policy, everything from the beginning."""
    twice = [(a, b) for a, b in repeats(rows) if a.valid and b.valid and not (a.refused or b.refused)]
    same = [(a.live, b.live) for a, b in twice if a.actions == b.actions and a.live and b.live]
    if not same:
        return {"repeats": 0}
    hits = sum(a.correct == b.correct for a, b in same)
    return {
        "repeats": len(twice),
        "repeats_same_strategy": len(same),
        "noise_floor_agreement": hits / len(same),
        "noise_floor_95": _span(*wilson(hits, len(same))),
    }


def _span(low: float, high: float) -> str:
    return f"{low:.3f}..{high:.3f}"


def shares(rows: Sequence[Row], field: str) -> Iterator[dict[str, Any]]:
    """Agreement by policy or by suite."""
    kept = judged(first_runs(rows))
    for name in sorted({getattr(r.trial, field) for r in kept}):
        found = agree(pairs_of(r for r in kept if getattr(r.trial, field) == name))
        yield {
            field: name,
            "pairs": found.pairs,
            "agreement": found.agreement,
            "95": _span(found.low, found.high),
            "live_correct": found.both + found.live_only,
            "service_breaking": found.live_breaks,
            "live_only": found.live_only,
            "fast_only": found.fast_only,
        }


def explained(rows: Iterable[Row]) -> Iterator[str]:
    """Every disagreement with what both sides saw, and what could not be run."""
    for row in rows:
        name = row.trial.key
        if row.pair is None:
            yield f"not run: {name}: {row.error}"
            continue
        if row.valid and not row.refused and row.pair[0].correct != row.pair[1].correct:
            yield f"differs: {name} ({row.case_id}): {'; '.join(row.words)}: {_why(*row.pair)}"
            yield from (f"  {side.backend}: {_detail(side)}" for side in row.pair)


def _why(live: Measurement, fast: Measurement) -> str:
    """In which of the verdict's parts the two sides differ."""
    parts = []
    for one, other in zip(live.stages, fast.stages, strict=False):
        if one.succeeded != other.succeeded:
            parts.append(f"{one.means} {'succeeds' if one.succeeded else 'fails'} live only")
    if live.served != fast.served:
        gone = sorted(live.collateral.keys() ^ fast.collateral.keys())
        parts.append(f"clients are {'served' if live.served else 'hurt'} live only ({', '.join(gone) or 'at times'})")
    if live.executed != fast.executed:
        where, fault = ("live", fast.fault) if live.executed else ("by the fast model", live.fault)
        parts.append(f"it is executed {where} only ({fault or 'no word why'})")
    if not live.sensor_alive:
        parts.append("the live sensor died")
    return ", ".join(parts) or "in nothing that is kept"


def _detail(side: Measurement) -> str:
    stages = ", ".join(f"{s.means} {'succeeds' if s.succeeded else s.detail or 'fails'}" for s in side.stages)
    lost = ", ".join(f"{name} {share:.2f}" for name, share in side.collateral.items())
    done = "executed" if side.executed else "not executed"
    return f"{done}; {stages or 'no attack'}; lost: {lost or 'nothing'}; service {side.rs_service:.3f}"


def measure_more(options: argparse.Namespace) -> None:
    """Run so many trials that the file does not hold.

    Raises:
        SecLoopError: they cannot be run here.
    """
    from labs.suites.measure import plan, run

    known = {r.trial for r in load_rows(options.out) if not r.error}
    todo = islice((t for t in plan(options.split, options.seeds) if t not in known), options.pairs)
    for row in run(todo, options.out, workers=options.workers):
        print(f"{row.trial.key}: {row.error or 'done'}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, print; 0 where it could be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=0, help="trials to run first")
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.TEST)
    parser.add_argument("--seeds", type=int, nargs="+", default=[FIRST_SEED])
    parser.add_argument("--workers", type=int, help="trials side by side")
    parser.add_argument("--out", type=Path, default=MEASURED)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.pairs and (lacking := explain()):
        print(f"the live side cannot run: {lacking}", file=sys.stderr)
        return 1
    try:
        if options.pairs:
            measure_more(options)
        rows = load_rows(options.out, split=options.split)
    except SecLoopError as error:
        print(error, file=sys.stderr)
        return 1
    _print(options.split, rows, as_json=options.json)
    return 0


def _print(split: Split, rows: Sequence[Row], *, as_json: bool) -> None:
    found, notes = summary(rows), list(explained(first_runs(rows)))
    tables = {field: list(shares(rows, field)) for field in ("policy", "suite")}
    if as_json:
        print(json.dumps({"split": split.value, **found, **tables, "notes": notes}, indent=2))
        return
    title = f"fast model and live battlefield, {split.value} split"
    show([{"what": k.replace("_", " "), "value": v} for k, v in found.items()], as_json=False, title=title)
    for field, table in tables.items():
        show(table, as_json=False, title=f"by {field}")
    print("\n" + "\n".join(notes))


if __name__ == "__main__":
    sys.exit(main())
