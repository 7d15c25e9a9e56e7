"""One change of many devices: SecLoop's transaction beside a bare thread pool and ansible.netcommon's netconf_config.

    python -m benchmarks.fleet [--devices 200] [--concurrency 20] [--rounds 3] [--dialect ietf] [--without-ansible]
                               [--ansible-devices N] [--memory-devices 1000] [--json]

The devices are emulated, in a process of their own; every side runs in a new process, and they take turns. Each device
gets one edit, a confirmed commit and its confirmation:

- `secloop`: the commit as the loop runs it: ledger, locks, comparing, validating, reading back, a probe of the
  management port; every phase over all devices before the next one begins.
- `pool`: a bare thread pool that sends the same RPCs, as the device's log has them, over the same connections (our
  session class, without ncclient's idle tick); `pool, plain ncclient` sends them over ncclient's own.
- `netconf_config`: two tasks (edit, validate, commit; the commit that confirms) of ansible-playbook with as many forks,
  PyPI's `ansible` in an environment of its own, made on first use in the cache folder. See `fleet_ansible`.

A ratio is that side's median wall time over that of `pool`; SecLoop's is to be at most 1.15, and netconf_config is to
take at least 5 times as long as SecLoop. `pace` is the least time between two RPCs to a device while its commit is
pending: a rule for real devices, 1 s by default, and without effect where each device is asked but once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import fleet_ansible, fleet_side
from benchmarks.table import show
from labs.emulator import Device as Emulated
from labs.emulator import EmulatedFleet, mixed
from labs.fleet.change import Change, described, network, plan_change
from secloop_ai.contracts import Environment, LabError, SecLoopError
from secloop_ai.netconf.descriptors import make_room

PACE_S = 1.0
SIDES: dict[str, dict[str, Any]] = {
    "secloop": {"side": "ours", "interval_s": PACE_S},
    "secloop, no pace": {"side": "ours", "interval_s": 0.0},
    "pool": {"side": "pool"},
    "pool, plain ncclient": {"side": "plain"},
}
RIVAL = "netconf_config"
ENOUGH_FOR_RIVAL = 40
"""Devices that netconf_config is measured on unless told otherwise: it takes seconds of CPU for each."""
GREETING = {"connect", "auth", "hello"}
TICKS = os.sysconf("SC_CLK_TCK")


class Bench:
    """A standing fleet, its change, and what was measured on it."""

    def __init__(self, fleet: EmulatedFleet, devices: Sequence[Emulated], concurrency: int, folder: Path) -> None:
        self._pid = fleet.pid
        self._devices = devices
        self._folder = folder
        self.concurrency = concurrency
        self.change = _change_of(devices)
        self.rpcs: tuple[tuple[str, str], ...] = ()
        self.found: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def measure(self, name: str) -> None:
        """Run one side on all devices and keep its figures."""
        job = {**SIDES[name], "concurrency": self.concurrency, "rpcs": self.rpcs}
        figures = self._run("benchmarks.fleet_side", fleet_side.Job(**self._given(self.change), **job), self._devices)
        sent = _rpcs(self._devices[0])
        if not self.rpcs:
            self.rpcs = sent
        if [o for o, _ in sent] != [o for o, _ in self.rpcs]:
            raise LabError(f"{name} sent {len(sent)} RPCs where the transaction sends {len(self.rpcs)}")
        self.found[name].append(figures)

    def rival(self, bin_folder: Path, count: int) -> None:
        """Run netconf_config on the first so many devices."""
        names = {d.name for d in self._devices[:count]}
        plan = self.change.plan
        plan = plan.model_copy(update={"devices": tuple(d for d in plan.devices if d.device in names)})
        environment = Environment(devices=tuple(d for d in self.change.environment.devices if d.name in names))
        job = fleet_ansible.Job(environment=environment, plan=plan, concurrency=self.concurrency, bin=bin_folder)
        figures = self._run("benchmarks.fleet_ansible", job, self._devices[:count])
        self.found[RIVAL].append(figures)

    def _given(self, change: Change) -> dict[str, Any]:
        return {"environment": change.environment, "plan": change.plan}

    def _run(self, module: str, job: Any, devices: Sequence[Emulated]) -> dict[str, Any]:
        for device in self._devices:
            device.reset()
        before = [d.running() for d in devices]
        path = self._folder / "job.json"
        path.write_text(job.model_dump_json())
        served = _cpu_s(self._pid)
        done = subprocess.run([sys.executable, "-m", module, str(path)], capture_output=True, text=True, check=False)
        served = _cpu_s(self._pid) - served
        if done.returncode:
            raise LabError(f"{module}: {(done.stderr or done.stdout).strip()[-2000:]}")
        undone = [d.name for d, was in zip(devices, before, strict=True) if d.running() == was or d.state().pending]
        if undone:
            raise LabError(f"{module}: {len(undone)} of {len(devices)} devices do not hold the change, or not for good")
        return {**json.loads(done.stdout), "devices": len(devices), "device_cpu_s": served}

    def rows(self) -> list[dict[str, Any]]:
        """One row per side."""
        base = _median(self.found["pool"], "wall_s")
        own = _median(self.found["secloop"], "wall_s") / len(self._devices)
        return [self._row(name, found, base, own) for name, found in self.found.items()]

    def _row(self, name: str, found: list[dict[str, Any]], base: float, own: float) -> dict[str, Any]:
        count = found[0]["devices"]
        each = _median(found, "wall_s") / count
        scaled = "" if count == len(self._devices) else f" (on {count} devices, wall per device compared)"
        return {
            "side": name + scaled,
            "rounds": len(found),
            "wall_p50_s": _median(found, "wall_s"),
            "wall_min_s": min(f["wall_s"] for f in found),
            "ratio_to_pool": each * len(self._devices) / base,
            "ratio_to_secloop": each / own,
            "cpu_ms_per_device": 1000 * _median(found, "cpu_s") / count,
            "emulator_cpu_ms_per_device": 1000 * _median(found, "device_cpu_s") / count,
            "peak_mb": _median(found, "peak_mb") if "peak_mb" in found[0] else "",
        }


def _change_of(devices: Sequence[Emulated]) -> Change:
    """The change of all devices; one of each dialect is asked, since those of a dialect are alike."""
    firsts = {d.dialect: d for d in reversed(devices)}
    asked = plan_change(network(firsts.values()))
    plans = {p.device: p for p in asked.plan.devices}
    mitigation = asked.plan.mitigations[0]
    pairs = [(d.name, firsts[d.dialect].name) for d in devices]
    operations = {name: mitigation.operations[first] for name, first in pairs}
    plan = asked.plan.model_copy(
        update={
            "devices": tuple(plans[first].model_copy(update={"device": name}) for name, first in pairs),
            "mitigations": (mitigation.model_copy(update={"operations": operations}),),
        }
    )
    return Change(Environment(devices=tuple(described(d) for d in devices)), plan)


def _rpcs(device: Emulated) -> tuple[tuple[str, str], ...]:
    return tuple((s.operation, s.detail) for s in device.log() if s.operation not in GREETING)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _median(found: Sequence[dict[str, Any]], name: str) -> float:
    return float(statistics.median(f[name] for f in found))


def compare(options: argparse.Namespace, folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The sides in turn; their rows, and seconds by phase of SecLoop's last round."""
    make_room(options.devices)
    fleet = EmulatedFleet(mixed(options.devices, options.dialect))
    with fleet as devices:
        bench = Bench(fleet, devices, options.concurrency, folder)
        bench.measure("secloop")  # warms up, and tells which RPCs it takes
        bench.found.clear()
        for _ in range(options.rounds):
            for name in SIDES:
                bench.measure(name)
        if not options.without_ansible:
            _rival(bench, options)
        return bench.rows(), bench.found["secloop"][-1]["phases"]


def _rival(bench: Bench, options: argparse.Namespace) -> None:
    try:
        found = fleet_ansible.installed(options.cache)
        print(f"ansible.netcommon {fleet_ansible.version(found)}", file=sys.stderr)
        bench.rival(found, min(options.devices, options.ansible_devices))
    except (LabError, OSError) as error:
        print(f"netconf_config is not measured: {error}", file=sys.stderr)


def memory(count: int, dialect: str, concurrency: int, folder: Path) -> dict[str, Any]:
    """Peak memory of our process, and of the emulator, over so many devices."""
    make_room(count)
    fleet = EmulatedFleet(mixed(count, dialect))
    with fleet as devices:
        bench = Bench(fleet, devices, concurrency, folder)
        bench.measure("secloop")
        found = bench.found["secloop"][0]
        status = Path(f"/proc/{fleet.pid}/status").read_text()
        emulator = int(status.partition("VmHWM:")[2].split()[0]) / fleet_side.KIB
    return {
        "devices": count,
        "wall_s": found["wall_s"],
        "cpu_ms_per_device": 1000 * found["cpu_s"] / count,
        "peak_mb": found["peak_mb"],
        "emulator_peak_mb": emulator,
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fleet", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "secloop" / "benchmarks"
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=20, help="devices at a time, threads and forks alike")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dialect", default="ietf", help="of the devices; several with commas between")
    parser.add_argument("--without-ansible", action="store_true")
    parser.add_argument("--ansible-devices", type=int, default=ENOUGH_FOR_RIVAL)
    parser.add_argument("--memory-devices", type=int, default=1000, help="0: do not measure that")
    parser.add_argument("--cache", type=Path, default=cache, help=f"for ansible's environment (default {cache})")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    options = _options(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="secloop-fleet-") as folder:
            rows, phases = compare(options, Path(folder))
            count = options.memory_devices
            large = [memory(count, options.dialect, options.concurrency, Path(folder))] if count else []
    except SecLoopError as error:
        print(f"benchmarks.fleet: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"sides": rows, "phases_s": phases, "memory": large}, indent=2))
        return 0
    title = f"one change of {options.devices} devices, {options.concurrency} at a time (secloop at most 1.15x of pool)"
    show(rows, as_json=False, title=title)
    show([phases], as_json=False, title="seconds by phase of secloop's last round")
    show(large, as_json=False, title="memory")
    return 0


if __name__ == "__main__":
    sys.exit(main())
