"""respond.yml on the live lab against the same playbook with modules that do nothing, alternated in one run.

    python -m benchmarks.respond [--runs 10] [--json]

Each measured run starts from a device without mitigations (rolled back between runs, not measured) and goes from
the alert file to a confirmed, verified rule. Whole-process time; needs root and the lab's packages.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.table import show
from labs.lab import Lab, requirements
from secloop_ai.loop.runner import project_dir

EVE = Path("labs/emulator/data/ssh-brute-force.eve.json")
BODY = re.compile(r"    try:\n.*?(?=\n\nif __name__)", re.DOTALL)
NOTHING = """    module.exit_json(
        changed=False, summaries_file="/tmp", decision_dir="/tmp", plan_dir="/tmp", story=["nothing"]
    )
"""


def empty_modules(project: Path, target: Path) -> None:
    """Copies of the project's modules with the same arguments, that do nothing."""
    for module in (project / "modules").glob("*.py"):
        text, replaced = BODY.subn(NOTHING, module.read_text())
        if replaced != 1:
            sys.exit(f"{module}: its main() is not of the known shape")
        (target / module.name).write_text(text)


class Bench:
    """Runs the playbook one way or the other."""

    def __init__(self, project: Path, inventory: Path, state: Path) -> None:
        self.project, self.inventory = project, inventory
        self.environ = {
            **os.environ,
            "ANSIBLE_CONFIG": str(project / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "SECLOOP_STATE_DIR": str(state),
        }

    def play(self, playbook: str, *variables: str, library: Path | None = None) -> tuple[float, str]:
        """Seconds of the whole process, and what it printed."""
        environ = {**self.environ, **({"ANSIBLE_LIBRARY": str(library)} if library else {})}
        extra = [part for v in variables for part in ("-e", v)]
        command = [
            f"{Path(sys.executable).parent}/ansible-playbook",
            f"playbooks/{playbook}",
            "-i",
            str(self.inventory),
        ]
        began = time.monotonic()
        done = subprocess.run(
            [*command, *extra], cwd=self.project, env=environ, capture_output=True, text=True, check=False
        )
        spent = time.monotonic() - began
        if done.returncode:
            sys.exit(f"{playbook} failed:\n{done.stdout}{done.stderr}")
        return spent, done.stdout


def measure(runs: int) -> dict[str, Any]:
    """Alternate the two, `runs` times each."""
    project = project_dir()
    alert = f"alert_file={project / EVE}"
    ours: list[float] = []
    empty: list[float] = []
    netconf_ms: list[float] = []
    with tempfile.TemporaryDirectory() as scratch:
        inventory, library = Path(scratch) / "inventory", Path(scratch) / "modules"
        library.mkdir()
        empty_modules(project, library)
        with Lab("bench", inventory_dir=inventory):
            bench = Bench(project, inventory, Path(scratch) / "state")
            bench.play("respond.yml", alert)  # warm the caches of both
            for _ in range(runs):
                bench.play("rollback.yml", "incident=all")
                empty.append(bench.play("respond.yml", alert, library=library)[0])
                spent, said = bench.play("respond.yml", alert)
                ours.append(spent)
                netconf_ms.append(float(re.findall(r"([\d.]+) ms in NETCONF", said)[0]))
    return {
        "runs": runs,
        "respond_p50_s": statistics.median(ours),
        "respond_min_s": min(ours),
        "respond_max_s": max(ours),
        "nothing_p50_s": statistics.median(empty),
        "ratio": statistics.median(ours) / statistics.median(empty),
        "netconf_p50_ms": statistics.median(netconf_ms),
        "netconf_share": statistics.median(netconf_ms) / 1000 / statistics.median(ours),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the figure to reach is a ratio of at most 2.0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.respond", description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if lacking := requirements.explain():
        print(f"benchmarks.respond: not run: {lacking}", file=sys.stderr)
        return 1
    show(
        [measure(options.runs)],
        as_json=options.json,
        title="alert file to rule active, against empty modules (at most 2.0x)",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
