"""Does the fast model say what packets say? Verdicts of both on the same strategies, side by side.

    python -m benchmarks.agreement [--pairs 12] [--split validation] [--seed 0] [--out pairs.jsonl] [--json]

Cases are drawn from the five suites' scenarios of one split, in an order that the seed gives; each meets a few of the
baselines in turn, so that strategies range from right to harmful. A policy sees the alerts that the live sensor raised
in the undefended twin; the guard's first allowed candidate is put on a fresh clone and, the same strategy, into the
fast model. Nothing is drawn again: what the guard refuses, what is void since the attack failed without any defence,
and what could not be run are counted and told. Refused pairs agree by nature: they are counted apart.

With --out every pair is a line of a file, kept at once; a later run with the same file goes on where it ended and
tries again what could not be run. No verdict is ever taken twice.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmarks.table import show
from labs.battlefield.trial import LiveField
from labs.lab.requirements import explain
from labs.scenario import Case, Split, Suite
from labs.scenario.draw import rng
from labs.simulator import FastField
from labs.suites import load_suite
from labs.suites.cases import case_of
from labs.validator import BASELINES, Measurement, baseline, refused
from labs.validator.agreement import agree, disagreements
from secloop_ai.contracts import Decision, GuardRefusal
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import SecLoopError
from secloop_ai.loop.decide import build_request, decide

PER_CASE = 3
"""Policies that one case meets."""
CANDIDATES = 8


class Job(Frozen):
    """What one pair is of."""

    suite: str
    scenario: str
    seed: int
    policy: str


class Row(Frozen):
    """One pair, or why there is none.

    Attributes:
        actions: kinds of the strategy's actions.
        refused: the guard's word; both sides then say the same by nature.
        error: why it could not be run; live and fast are None then.
    """

    job: Job
    split: str
    case_id: str = ""
    actions: tuple[str, ...] = ()
    refused: bool = False
    live: Measurement | None = None
    fast: Measurement | None = None
    error: str = ""

    @property
    def pair(self) -> tuple[Measurement, Measurement] | None:
        """Live and fast, where both are there."""
        return (self.live, self.fast) if self.live and self.fast else None


def jobs(split: Split, seed: int) -> Iterator[Job]:
    """Without end: every scenario of the split once, in drawn order, then all again with the next seed."""
    scenarios = [s for suite in Suite for s in load_suite(suite) if s.split is split]
    for turn in count():
        order = rng("agreement", split, seed, turn).sample(scenarios, len(scenarios))
        for number, scenario in enumerate(order):
            for k in range(PER_CASE):
                policy = BASELINES[(turn + number + k) % len(BASELINES)]
                yield Job(suite=scenario.suite.value, scenario=scenario.name, seed=seed + turn, policy=policy)


class Bench:
    """Runs jobs; the battlefields of the last case stay ready for its next policy."""

    def __init__(self, split: Split) -> None:
        self._split = split
        self._of: tuple[str, str, int] | None = None
        self._live: LiveField
        self._fast: FastField

    def run(self, job: Job) -> Row:
        """One pair; a case that cannot be run is told in the row."""
        try:
            return self._pair(job)
        except SecLoopError as error:
            return Row(job=job, split=self._split, error=str(error))

    def _ready(self, job: Job) -> Case:
        wanted = (job.suite, job.scenario, job.seed)
        if wanted != self._of:
            scenario = next(s for s in load_suite(job.suite) if s.name == job.scenario)
            case = case_of(scenario, job.seed)
            self._live, self._fast = LiveField.of(scenario, case.seed), FastField(case)
            self._of = wanted
        return self._live.case

    def _pair(self, job: Job) -> Row:
        case = self._ready(job)
        request = build_request(self._live.alerts(), case.environment)
        try:
            decision = decide(request, baseline(job.policy), candidates=CANDIDATES, seed=job.seed)
        except GuardRefusal as refusal:
            return self._refused(job, case, refusal.verdict)
        strategy = decision.strategy
        live, fast = self._live.evaluate(strategy), self._fast.evaluate(strategy)
        actions = tuple(a.kind for a in strategy.actions)
        return Row(job=job, split=self._split, case_id=case.case_id, actions=actions, live=live, fast=fast)

    def _refused(self, job: Job, case: Case, decision: Decision | None) -> Row:
        found = decision.verdict.refusals if decision else ()
        live, fast = (refused(side.undefended(), found) for side in (self._live, self._fast))
        return Row(job=job, split=self._split, case_id=case.case_id, refused=True, live=live, fast=fast)


def kept(path: Path | None) -> list[Row]:
    """The rows of an earlier run.

    A last line that was cut off in writing is left out, and taken off the file.
    """
    if path is None or not path.exists():
        return []
    rows = []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines):
        try:
            rows.append(Row.model_validate_json(line))
        except ValidationError as error:
            if number + 1 < len(lines):
                raise SystemExit(f"{path}: line {number + 1}: {error.errors()[0]['msg']}") from None
            path.write_text("".join(lines[:number]), encoding="utf-8")
    return rows


def collect(split: Split, seed: int, pairs: int, out: Path | None) -> list[Row]:
    """The rows of the first `pairs` jobs; those of the file are not run again."""
    done = {row.job: row for row in kept(out) if row.split == split and not row.error}
    bench = Bench(split)
    rows = []
    for number, job in enumerate(islice(jobs(split, seed), pairs), 1):
        row = done.get(job)
        if row is None:
            row = bench.run(job)
            if out is not None:
                with out.open("a", encoding="utf-8") as file:
                    file.write(row.model_dump_json() + "\n")
            print(f"{number}/{pairs} {job.scenario} {job.policy}: {_word(row)}", file=sys.stderr, flush=True)
        rows.append(row)
    return rows


def _word(row: Row) -> str:
    if row.pair is None:
        return row.error[:200]
    live, fast = row.pair
    void = "" if live.valid and fast.valid else ", void"
    return f"live {_say(live)}, fast {_say(fast)}{' (refused)' if row.refused else ''}{void}, {live.seconds:.1f} s"


def _say(side: Measurement) -> str:
    return "correct" if side.correct else f"attack {side.rs_attack:.2f} service {side.rs_service:.2f}"


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """The table's one row: pairs that the guard refused are in `all`, and told apart in `refused`."""
    pairs = [r.pair for r in rows if r.pair]
    valid = [(a, b) for a, b in pairs if a.valid and b.valid]
    head = {"asked": len(rows), "not run": len(rows) - len(pairs), "refused": sum(r.refused for r in rows)}
    if not valid:
        return head | {"void": len(pairs)}
    found = agree(pairs)
    live_correct = found.both + found.live_only
    return head | {
        "void": found.void,
        "pairs": found.pairs,
        "agreement": found.agreement,
        "95 %": f"{found.low:.3f}..{found.high:.3f}",
        "balanced": found.balanced,
        "kappa": found.kappa,
        "both": found.both,
        "neither": found.neither,
        "live only": found.live_only,
        "fast only": found.fast_only,
        "live-correct": live_correct,
        "service-breaking": found.live_breaks,
        "same service": sum(a.served == b.served for a, b in valid),
        "rolled back exactly": f"{sum(a.rollback_exact is True for a, _ in valid)}"
        f" of {sum(a.rollback_exact is not None for a, _ in valid)}",
    }


def explained(rows: Iterable[Row]) -> Iterator[str]:
    """Every disagreement, void pair and failure in a line or a few."""
    for row in rows:
        name = f"{row.job.suite} {row.case_id or row.job.scenario} {row.job.policy}"
        if row.pair is None:
            yield f"not run: {name}: {row.error}"
        elif not all(side.valid for side in row.pair):
            sides = " and ".join(s.backend for s in row.pair if not s.valid)
            yield f"void: {name}: undefended, the attack fails {sides}"
        elif disagreements([row.pair]):
            live, fast = row.pair
            yield f"differs: {name}: {', '.join(row.actions)}: live {_say(live)}, fast {_say(fast)}"
            yield from (f"  {side.backend}: {_detail(side)}" for side in row.pair)


def _detail(side: Measurement) -> str:
    stages = ", ".join(f"{s.means} {'succeeds' if s.succeeded else s.detail[:60] or 'fails'}" for s in side.stages)
    lost = ", ".join(f"{name} {share:.2f}" for name, share in side.collateral.items())
    done = "executed" if side.executed else "not executed"
    return f"{done}; {stages}; lost: {lost or 'nothing'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print; 0 where it could be run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--split", choices=[s.value for s in Split], default=Split.VALIDATION.value)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON lines, one a pair; a run goes on where the file ends")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if lacking := explain():
        print(f"the live side cannot run: {lacking}", file=sys.stderr)
        return 1
    rows = collect(Split(options.split), options.seed, options.pairs, options.out)
    found, notes = summary(rows), list(explained(rows))
    if options.json:
        print(json.dumps({**found, "notes": notes, "policies": Counter(r.job.policy for r in rows)}, indent=2))
        return 0
    title = f"fast model and live battlefield, split {options.split} (load {os.getloadavg()[0]:.1f})"
    show([{"what": key, "value": value} for key, value in found.items()], as_json=False, title=title)
    print("\n" + "\n".join(notes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
