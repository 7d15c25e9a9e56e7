"""How long a battlefield takes to stand, one alone and sixteen side by side, and what it weighs.

    python -m benchmarks.battlefield_boot [--rounds 20] [--clones 16] [--json]

The case: two gateways with NETCONF server and applier, five hosts with an SSH daemon, the attacker's node. Host
services and the sensor are counted apart. Times are seconds by the wall clock; the machine's load is printed with them.
Memory is the proportional set size of every process of the clone, in MiB; the appliers are threads of the controller.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.table import show
from labs.battlefield import Battlefield
from labs.lab.processes import members
from labs.scenario import Scenario, draw, load_scenario

SCENARIO = Path(__file__).resolve().parents[1] / "tests/scenario/office.yaml"
HOSTS = 5
BUILDERS = 4
MIB = 1 << 20


def timed(action: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def seeds(scenario: Scenario) -> Iterator[int]:
    """Seeds whose case has five hosts."""
    return (n for n in range(10_000) if len(draw(scenario, n).environment.hosts) == HOSTS)


def memory_mib(field: Battlefield) -> float:
    """Proportional set size of all processes of a clone."""
    names = tuple(field.netns(node) for node in field.atlas.nodes)
    return sum(map(pss_bytes, members(names, field.run_dir))) / MIB


def pss_bytes(pid: int) -> int:
    """Proportional set size of a process; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def alone(scenario: Scenario, rounds: int, *, services: bool) -> dict[str, Any]:
    """One clone after another."""
    ups, downs, weights, sensors, heavy = [], [], [], [], []
    for seed in islice(seeds(scenario), rounds):
        field = Battlefield.clone(scenario, seed, host_services=services)
        ups.append(timed(field.up))
        weights.append(memory_mib(field))
        if services:
            sensors.append(timed(field.start_sensor))
            heavy.append(memory_mib(field))
        downs.append(timed(field.down))
    return {
        "what": f"one clone, host services {'on' if services else 'off'}",
        "up_p50_s": statistics.median(ups),
        "up_p90_s": statistics.quantiles(ups, n=10)[-1],
        "down_p50_s": statistics.median(downs),
        "memory_mib": statistics.median(weights),
        "sensor_p50_s": statistics.median(sensors) if sensors else "",
        "memory_with_sensor_mib": statistics.median(heavy) if heavy else "",
        "load": os.getloadavg()[0],
    }


def side_by_side(scenario: Scenario, clones: int, *, services: bool) -> dict[str, Any]:
    """Many clones, built by a few threads; all of them stand at the end."""
    fields = [Battlefield.clone(scenario, s, host_services=services) for s in islice(seeds(scenario), clones)]

    def each(action: Callable[[Battlefield], object]) -> float:
        with ThreadPoolExecutor(BUILDERS) as pool:
            return timed(lambda: list(pool.map(action, fields)))

    try:
        up = each(Battlefield.up)
        weight = statistics.median(map(memory_mib, fields))
    finally:
        down = each(Battlefield.down)
    return {
        "what": f"{clones} clones, host services {'on' if services else 'off'}",
        "up_s": up,
        "down_s": down,
        "memory_each_mib": weight,
        "load": os.getloadavg()[0],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--clones", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    scenario = load_scenario(SCENARIO)
    with Battlefield.clone(scenario, 0, host_services=False):
        pass  # compiles what is not in the cache yet
    title = f"battlefield boot ({os.cpu_count()} cores)"
    single = [alone(scenario, options.rounds, services=s) for s in (False, True)]
    many = [side_by_side(scenario, options.clones, services=s) for s in (False, True)]
    if options.json:
        print(json.dumps({"alone": single, "side_by_side": many}, indent=2))
        return
    show(single, as_json=False, title=title)
    show(many, as_json=False, title="side by side")


if __name__ == "__main__":
    main()
