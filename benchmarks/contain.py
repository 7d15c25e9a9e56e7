"""How soon an attack is contained when the policy answers in its middle: single-stage cases, one clone each.

    python -m benchmarks.contain [--cases 10] [--split validation] [--seed 0] [--policy expert-table] [--json]

The attacker goes on until the strategy is in place, and comes once more after that. Seconds: from the attack's start
to the first alert that was read; the decision alone; the strategy's application (a role on a host takes Ansible
seconds); from the first alert to the attacker's last success, where he was contained. A case whose attack raises
nothing is a row, too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Any

from benchmarks.table import show
from labs.battlefield.trial import LiveField
from labs.lab.requirements import explain
from labs.scenario import Kind, Scenario, Split, Suite, draw
from labs.scenario.draw import rng
from labs.suites import load_suite
from labs.validator import BASELINES, Measurement, baseline
from secloop_ai.contracts.errors import SecLoopError

FIGURES = ("first_alert_s", "decide_s", "apply_s", "contain_s")
CANDIDATES = 8


def single_stage(split: Split, seed: int) -> Iterator[tuple[Scenario, int]]:
    """Scenarios of one split whose case of a seed has one stage, in drawn order, each once a turn."""
    every = [
        s
        for suite in Suite
        for s in load_suite(suite)
        if s.split is split and s.kind is Kind.ATTACK and len(s.chain) == 1
    ]
    for turn in count(seed):
        for scenario in rng("contain", split, turn).sample(every, len(every)):
            yield scenario, turn


def measure(scenario: Scenario, seed: int, policy: str) -> dict[str, Any]:
    """One case; what could not be run says why in ``note``."""
    row: dict[str, Any] = {"scenario": scenario.name, "seed": seed, "means": draw(scenario, seed).stages[0].means}
    row |= dict.fromkeys(FIGURES) | {"contained": False, "attack_s": None, "note": ""}
    try:
        field = LiveField.of(scenario, seed)
        found = field.respond(baseline(policy), candidates=CANDIDATES, seed=seed)
    except SecLoopError as error:
        return row | {"note": " ".join(str(error).split())[:120]}
    phases = {name: found.phases_s.get(name) for name in (*FIGURES[:3], "attack_s")}
    contained = found.time_to_contain_s is not None
    note = "void" if not found.valid else str(field.health) if not field.health.alive else _why(found)
    return row | phases | {
        "contain_s": found.time_to_contain_s,
        "contained": contained,
        "note": "" if contained else note,
    }  # fmt: skip


def _why(found: Measurement) -> str:
    if not found.executed:
        return f"not executed: {'; '.join(found.refusals)[:100] or 'undone'}"
    return "nothing was done" if found.quiet_strategy else "it went on"


def summary(rows: Sequence[dict[str, Any]], policy: str) -> dict[str, Any]:
    """Medians over the cases that have the figure."""
    found: dict[str, Any] = {"policy": policy, "cases": len(rows), "contained": sum(r["contained"] for r in rows)}
    for name in FIGURES:
        values = [r[name] for r in rows if r[name] is not None]
        label = name.replace("_s", "_p50_s")
        found[label] = round(statistics.median(values), 4) if values else None
    return found | {"load": os.getloadavg()[0]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 where it could be run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10)
    parser.add_argument("--split", choices=[s.value for s in Split], default=Split.VALIDATION.value)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--policy", choices=BASELINES, default="expert-table")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if lacking := explain():
        print(f"contain: cannot run: {lacking}", file=sys.stderr)
        return 1
    rows = []
    for scenario, seed in islice(single_stage(Split(options.split), options.seed), options.cases):
        rows.append(measure(scenario, seed, options.policy))
        print(f"{len(rows)}/{options.cases} {scenario.name}: {rows[-1]['note'] or 'contained'}", file=sys.stderr)
    show(rows, as_json=options.json, title=f"response in mid-attack, split {options.split}")
    show([summary(rows, options.policy)], as_json=options.json, title="medians")
    return 0


if __name__ == "__main__":
    sys.exit(main())
