"""Strategy evaluations of the fast model, per second and core.

A case with two gateways, ten hosts and a chain of three stages meets many different strategies: as a learner would
send them (drawn at random within the closed schema, resolved beforehand) and as the guard would let them through. The
first time an action is met its effect is worked out, later it is remembered; both are shown, and what making a case
ready costs.

    python -m benchmarks.fast_model [--json] [--strategies N] [--seconds S]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from typing import Any, ClassVar

from benchmarks.table import show
from labs.attacks.base import Exchange, Means, Observable, Receipt, Red, Tactic
from labs.scenario import Case, Scenario, Stage, draw
from labs.simulator import FastField
from labs.validator import baseline
from secloop_ai.contracts import Strategy
from secloop_ai.loop.decide import build_request
from secloop_ai.policies import resolve

FLOOR_PER_S = 2_000
SCENARIO: dict[str, Any] = {
    "name": "bench", "suite": "autoattack", "family": "bench", "split": "train",
    "zones": [
        {"name": "outside", "outside": True}, {"name": "dmz"}, {"name": "office", "switched": True},
        {"name": "servers"},
    ],
    "gateways": [
        {"name": "edge", "zones": ["dmz", "office"]}, {"name": "core", "zones": ["servers"], "uplink": "edge"},
    ],
    "hosts": [
        {"name": "web", "zone": "dmz", "services": [
            {"name": "http", "kind": "http", "port": 80, "clients": ["partner", "desk"], "weaknesses": ["bench-flow"]},
            {"name": "ssh", "kind": "ssh", "port": 22, "clients": ["desk"], "weaknesses": ["bench-flow"]},
        ]},
        {"name": "files", "zone": "servers", "services": [
            {"name": "smb", "kind": "smb", "port": 445, "clients": ["desk"]},
        ]},
        {"name": "db", "zone": "servers", "services": [
            {"name": "redis", "kind": "redis", "port": 6379, "clients": ["web"], "weaknesses": ["bench-flow"]},
        ]},
        {"name": "desk", "zone": "office", "role": "client", "count": 5},
        {"name": "partner", "zone": "outside", "role": "client", "count": 2},
    ],
    "flows": [{"service": s} for s in ("web/http", "web/ssh", "files/smb", "db/redis")],
    "chain": [
        {"means": "bench-flow", "target": "web/http"},
        {"means": "bench-flow", "target": "web/ssh"},
        {"means": "bench-flow", "source": "web", "target": "db/redis"},
    ],
}  # fmt: skip


class BenchFlow(Means):
    """One TCP exchange with the target, limited by its bytes."""

    id = "bench-flow"
    about = "one exchange"
    tactic: ClassVar[Tactic] = Tactic(id="TA0001", name="Initial Access")
    technique = "T1190"
    service_kinds = ("http", "ssh", "redis")

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """Fifty kilobytes at that rate a second."""
        ends = {"initiator": stage.source, "responder": stage.target, "port": stage.port}
        return (Exchange.model_validate({**ends, "bytes_needed": 50_000, "bytes_per_s": 50_000}),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:  # noqa: ARG002 - the port is all there is
        """One alert that a sensor raises on it."""
        return (Observable(sid=9001999, classification="web-application-attack", severity=1, app_protocol="http"),)

    def run(self, red: Red, stage: Stage) -> Receipt:
        """Nothing to run: the benchmark has no packets."""
        raise NotImplementedError


def strategies(case: Case, field: FastField, count: int) -> Iterator[Strategy]:
    """Different strategies that resolve in this case."""
    request = build_request(field.alerts(), case.environment)
    policy = baseline("random-valid")
    for candidate in policy.propose(request, n=count, seed=1):
        yield resolve(candidate, request, policy.name).strategy


def per_second(field: FastField, chosen: list[Strategy], seconds: float) -> float:
    """Evaluations per second of processor time, over and over the same list."""
    done = 0
    start = time.process_time()
    while (spent := time.process_time() - start) < seconds or not done:
        for strategy in chosen:
            field.evaluate(strategy)
        done += len(chosen)
    return done / spent


def measure(seed: int, count: int, seconds: float) -> dict[str, float]:
    """One case, from cold to warm."""
    case = draw(Scenario.model_validate(SCENARIO), seed)
    start = time.process_time()
    field = FastField(case, {"bench-flow": BenchFlow()}.__getitem__)
    field.undefended()
    ready_s = time.process_time() - start
    chosen = list(strategies(case, field, count))
    start = time.process_time()
    verdicts = [field.evaluate(s) for s in chosen]
    cold_s = time.process_time() - start
    return {
        "seed": seed,
        "hosts": len(case.environment.hosts),
        "stages": len(case.stages),
        "flows": len(case.flows),
        "strategies": len(chosen),
        "actions": statistics.mean(len(s.actions) for s in chosen),
        "correct": statistics.mean(v.correct for v in verdicts),
        "case_ready_ms": ready_s * 1e3,
        "first_time_per_s": len(chosen) / cold_s,
        "per_s": per_second(field, chosen, seconds),
        "floor_per_s": FLOOR_PER_S,
    }


def main() -> None:
    """Measure on one core, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategies", type=int, default=500, help="different strategies per case")
    parser.add_argument("--seconds", type=float, default=2.0, help="processor seconds per case")
    parser.add_argument("--cases", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = [measure(seed, args.strategies, args.seconds) for seed in range(args.cases)]
    show(rows, as_json=args.json, title="Fast model: strategy evaluations per second, one core")


if __name__ == "__main__":
    main()
