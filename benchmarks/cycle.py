"""A full evaluation live: clone, apply, attack, probe, judge, destroy; how long, and how many an hour.

    python -m benchmarks.cycle [--scenarios 10] [--seed 0] [--workers 1 2] [--policies NAME ...] [--json]

Single-stage attacks of the suites, each by another means, drawn by the seed. Each case meets the policies after its
undefended twin, a clone for each, built, used and removed (what the guard refuses needs none). The phases are what
the live field tells of itself, of the run with the first number of workers; `judge_s` is what is left of the whole. The
same jobs run with each other number of workers, and once more with clones built ahead: the wall clock says whether that
helps. Memory is the proportional set size of every process of a clone that stands with its sensor, and of the worker
that holds it. Times are seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks.battlefield_boot import MIB, memory_mib, pss_bytes
from benchmarks.table import show
from labs.executor import Job, Result, open_executor, progress
from labs.lab.requirements import explain
from labs.scenario import Kind, Scenario, Suite
from labs.scenario.draw import rng
from labs.suites import load_suite

POLICIES = ("expert-table", "no-op")
PHASES = ("clone_s", "apply_s", "probe_s", "attack_s", "undo_s", "destroy_s")
WEIGHED = 3
PLACES = 64
"""So many battlefields may stand before this one waits: what others do here costs time, and the load is told."""
HOUR_S = 3600.0


class Place(NamedTuple):
    """A case by name."""

    scenario: Scenario
    seed: int

    @property
    def arguments(self) -> dict[str, Any]:
        """Of a job on it."""
        return {"suite": self.scenario.suite.value, "scenario": self.scenario.name, "seed": self.seed}


def chosen(count: int, seed: int) -> list[Place]:
    """Single-stage attacks, each by another means."""
    found = [s for suite in Suite for s in load_suite(suite) if s.kind is Kind.ATTACK and len(s.chain) == 1]
    by_means = {s.chain[0].means: s for s in rng("cycle", seed).sample(found, len(found))}
    return [Place(s, seed) for s in list(by_means.values())[:count]]


def jobs(places: Iterable[Place], policies: Sequence[str], *, warm: bool) -> Iterator[Job]:
    """Each policy on each case."""
    from labs.executor.evaluate import evaluation

    for place in places:
        for policy in policies:
            yield evaluation("live", **place.arguments, policy=policy, warm=warm)


def weigh(suite: str, scenario: str, seed: int) -> dict[str, float]:
    """What a clone and its worker weigh, in MiB."""
    from labs.battlefield import Battlefield
    from labs.suites.cases import case_of

    found = next(s for s in load_suite(suite) if s.name == scenario)
    with Battlefield.clone(found, case_of(found, seed).seed) as field:
        bare = memory_mib(field)
        field.start_sensor()
        return {
            "hosts": len(field.case.environment.hosts),
            "clone_mib": bare,
            "clone_with_sensor_mib": memory_mib(field),
            "worker_mib": pss_bytes(os.getpid()) / MIB,
        }


def ran(
    places: Sequence[Place], policies: Sequence[str], workers: int, *, warm: bool
) -> tuple[dict[str, Any], list[Result]]:
    """All jobs through the local executor: the throughput, and the results."""
    todo = list(jobs(places, policies, warm=warm))
    began = time.perf_counter()
    with open_executor("local", workers, limit=PLACES) as executor:
        title = f"{workers} worker(s){', clones built ahead' if warm else ''}"
        results = list(progress(executor.run(todo), len(todo), title=title))
    wall_s = time.perf_counter() - began
    good = [r for r in results if r.ok]
    clones = len(good) + len({j.group for j in todo})
    row = {
        "workers": workers,
        "clones_built_ahead": warm,
        "evaluations": len(good),
        "failed": len(results) - len(good),
        "clones": clones,
        "wall_s": wall_s,
        "cycles_per_hour": clones / wall_s * HOUR_S,
        "cycles_per_hour_per_core": clones / wall_s * HOUR_S / min(workers, len(os.sched_getaffinity(0))),
        "clone_p50_s": middle(r.value["phases_s"].get("clone_s", 0.0) for r in good),
        "cycle_p50_s": middle(r.value["seconds"] for r in good),
        "load": os.getloadavg()[0],
    }
    return row, results


def middle(values: Iterable[float]) -> float:
    """The median; 0 of nothing."""
    found = list(values)
    return statistics.median(found) if found else 0.0


def phases(places: Sequence[Place], policies: Sequence[str], results: Iterable[Result]) -> list[dict[str, Any]]:
    """A row for each evaluation that ran, and one with the medians for each policy."""
    found = {r.key: r.value for r in results if r.ok}
    rows = []
    asked = [(place, policy) for place in places for policy in policies]
    for (place, policy), job in zip(asked, jobs(places, policies, warm=False), strict=True):
        if job.key not in found:
            continue
        value = found[job.key]
        parts = {name: value["phases_s"].get(name, 0.0) for name in PHASES}
        rest = {"judge_s": max(0.0, value["seconds"] - sum(parts.values())), "cycle_s": value["seconds"]}
        head = {"scenario": place.scenario.name, "means": place.scenario.chain[0].means, "policy": policy}
        rows.append({**head, **parts, **rest, "rs_attack": value["rs_attack"], "valid": value["valid"]})
    return [*rows, *(_medians(rows, policy) for policy in policies)] if rows else []


def _medians(rows: Sequence[dict[str, Any]], policy: str) -> dict[str, Any]:
    own = [r for r in rows if r["policy"] == policy]
    head = {"scenario": f"p50 of {len(own)}", "means": "", "policy": policy}
    times = {name: middle(r[name] for r in own) for name in (*PHASES, "judge_s", "cycle_s")}
    return {**head, **times, "rs_attack": "", "valid": ""}


def weighed(places: Sequence[Place]) -> list[dict[str, Any]]:
    """Memory of a few clones."""
    todo = [Job(key=p.scenario.name, call="benchmarks.cycle:weigh", arguments=p.arguments) for p in places]
    with open_executor("local", 1, limit=PLACES) as executor:
        return [{"scenario": r.key, **r.value} for r in executor.run(todo) if r.ok]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where nothing can be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--policies", nargs="+", default=list(POLICIES), help="each case meets each of them")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if lacking := explain():
        print(f"nothing can be measured: {lacking}", file=sys.stderr)
        return 1
    places = chosen(options.scenarios, options.seed)
    memory = weighed(places[:WEIGHED])
    runs = [*((n, False) for n in options.workers), (options.workers[0], True)]
    done = [ran(places, options.policies, workers, warm=warm) for workers, warm in runs]
    rows, throughput = phases(places, options.policies, done[0][1]), [row for row, _ in done]
    failed = [{"job": r.key, "error": r.error} for _, results in done for r in results if not r.ok]
    if options.json:
        print(json.dumps({"phases": rows, "throughput": throughput, "memory": memory, "failed": failed}, indent=2))
        return 0
    show(rows, as_json=False, title=f"one evaluation, in parts ({options.workers[0]} worker(s))")
    show(throughput, as_json=False, title=f"throughput ({os.cpu_count()} cores)")
    show(memory, as_json=False, title="memory of a clone")
    if failed:
        show(failed, as_json=False, title="not run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
