"""Accuracy of the baselines: live, on the fast model with the same cases, and on all cases of a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from labs.scenario import Split, Suite
from labs.simulator import FastField
from labs.simulator.oracle import ORACLE
from labs.validator import BASELINES, baseline
from labs.validator.agreement import wilson
from labs.validator.harness import evaluate_on

from .cases import cases
from .measured import CANDIDATES, Row, first_runs

Line = Mapping[str, str | int | float | None]
Tally = tuple[int, int]
"""Correct, of how many valid ones."""
FAST_SEEDS = 3
"""Seeds of every scenario for the fast model's figures over a whole split."""
ALL = "all"


def accuracy(rows: Sequence[Row], split: Split, seeds: int = FAST_SEEDS) -> Iterator[Line]:
    """One line per suite and policy, and for all suites together.

    Args:
        rows: of the measured file.
        split: whose cases are counted.
        seeds: of the fast model on all cases; 0 leaves that out, being the only part that takes long.
    """
    own = first_runs(r for r in rows if r.split is split)
    whole = whole_split(split, seeds) if seeds else {}
    for suite in (*(s.value for s in Suite), ALL):
        for policy in (*BASELINES, ORACLE):
            chosen = [r for r in own if suite in {r.trial.suite, ALL} and r.trial.policy == policy]
            yield _line(suite, policy, chosen, whole.get((suite, policy)))


def _line(suite: str, policy: str, rows: Sequence[Row], whole: Tally | None) -> Line:
    ran = [r for r in rows if r.live]
    live = [r.live for r in ran if r.live and r.live.valid]
    same = [r.alone for r in ran if r.alone and r.alone.valid]
    return {
        "suite": suite,
        "policy": policy,
        "asked": len(rows),
        "not_run": len(rows) - len(ran),
        "void": len(ran) - len(live),
        "refused": sum(r.refused for r in ran),
        **_shares("live", (sum(m.correct for m in live), len(live))),
        **_shares("fast_same", (sum(a.correct for a in same), len(same))),
        **_shares("fast_all", whole),
    }


def _shares(name: str, found: Tally | None) -> dict[str, str | int | float | None]:
    """Cases, share and 95 % interval (Wilson)."""
    if not found or not found[1]:
        return {f"{name}_n": 0, name: None, f"{name}_95": ""}
    low, high = wilson(*found)
    return {f"{name}_n": found[1], name: round(found[0] / found[1], 3), f"{name}_95": f"{low:.2f}..{high:.2f}"}


def whole_split(split: Split, seeds: int) -> dict[tuple[str, str], Tally]:
    """The baselines on the fast model, with every scenario of the split and the first seeds."""
    right, valid = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for suite in Suite:
        for number, case in enumerate(cases(suite, split, range(seeds))):
            field = FastField(case)
            for policy in BASELINES:
                found = evaluate_on(baseline(policy), field, candidates=CANDIDATES, seed=number).measurement
                for key in ((suite.value, policy), (ALL, policy)):
                    right[key] += found.correct and found.valid
                    valid[key] += found.valid
    return {key: (right[key], valid[key]) for key in valid}


def left_out(rows: Iterable[Row]) -> Iterator[Line]:
    """Cases that gave no live verdict, each with the reason and how many trials that cost."""
    why: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        if row.error:
            why[row.trial.suite, row.case_id, f"not run: {row.error}"] += 1
        elif row.live and not row.live.valid:
            why[row.trial.suite, row.case_id, f"void: {_failed(row)}"] += 1
    for (suite, case, reason), trials in sorted(why.items()):
        yield {"suite": suite, "case": case, "trials": trials, "why": reason[:160]}


def _failed(row: Row) -> str:
    """What is known of a live twin that failed: what was seen of it in an undefended or a refused run."""
    if row.live and (row.refused or row.live.quiet_strategy):
        failed = [f"{s.means}: {s.detail or 'no loot'}" for s in row.live.stages if not s.succeeded]
        return "undefended, " + ("; ".join(failed) or "a stage fails at times")
    return "undefended, a stage of the attack fails"


def how(rows: Sequence[Row], split: Split) -> Line:
    """When the rows were measured, and the command that measures more."""
    own = [r for r in rows if r.split is split]
    dates = sorted({r.date for r in own if r.date})
    seeds = " ".join(map(str, sorted({r.trial.seed for r in own})))
    return {
        "split": split.value,
        "trials": len(first_runs(own)),
        "repeats": len(own) - len(first_runs(own)),
        "cases": len({r.trial.case_key for r in first_runs(own)}),
        "seeds": seeds or "-",
        "measured": f"{dates[0]} to {dates[-1]}" if dates else "never",
        "command": f"python -m labs.suites --measure --split {split.value} --seeds {seeds or 100}",
    }
