"""The namespace lab, up and down again: from nothing to ready with NETCONF, applier and IDS, and back to nothing.

    python -m benchmarks.lab_boot [--runs 9] [--json]

Ready: netconfd holds the operator's configuration, its SSH port answers, every service answers the client through the
gateway, Suricata has started its engine. After every teardown it is checked that no namespace, process, link or file
of the lab is left. One boot before the measured ones compiles the netconfd plug-in where it is not in the cache.
Needs root and the lab's packages.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.table import show
from labs.lab import Lab, requirements
from labs.lab.processes import NETNS_DIR, members
from labs.lab.state import load
from labs.lab.topology import HOSTS, management_link


def left_behind(lab: Lab, link: str) -> list[str]:
    """What of the lab is still on the machine."""
    names = [lab.netns(host) for host in HOSTS]
    found = [f"namespace {name}" for name in names if (NETNS_DIR / name).exists()]
    found += [f"process {pid}" for pid in members(names, lab.paths.root)]
    found += [f"link {name}" for _, name in socket.if_nameindex() if name == link]
    return found + [f"folder {folder}" for folder in (lab.paths.root, lab.inventory_dir) if folder and folder.exists()]


def link_of(lab: Lab) -> str:
    """The link between this machine and the lab's gateway."""
    state = load(lab.paths.root)
    if state is None or state.index is None:
        sys.exit(f"lab {lab.name} is up but has no management link")
    return management_link(state.index)


def once(base: Path) -> tuple[float, float, list[str]]:
    """Seconds up, seconds down, and what is left."""
    lab = Lab(f"bench{os.getpid() % 10**6}", base / "run", base / "inventory")
    begun = time.monotonic()
    try:
        lab.up()
        up_s = time.monotonic() - begun
        link = link_of(lab)
    finally:
        ended = time.monotonic()
        lab.down()
        down_s = time.monotonic() - ended
    return up_s, down_s, left_behind(lab, link)


def measure(runs: int) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows of the table, and what was left of any lab."""
    ups: list[float] = []
    downs: list[float] = []
    left: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sl-") as folder:
        once(Path(folder))
        for _ in range(runs):
            up_s, down_s, rest = once(Path(folder))
            ups.append(up_s)
            downs.append(down_s)
            left += rest
    return [row("boot", ups), row("teardown", downs)], left


def row(what: str, seconds: Sequence[float]) -> dict[str, Any]:
    """Median and extremes."""
    return {
        "what": what,
        "runs": len(seconds),
        "p50_s": statistics.median(seconds),
        "min_s": min(seconds),
        "max_s": max(seconds),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when the lab cannot run or anything of it is left."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lab_boot", description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if lacking := requirements.explain():
        print(f"benchmarks.lab_boot: not run: {lacking}", file=sys.stderr)
        return 1
    rows, left = measure(options.runs)
    show(rows, as_json=options.json, title="the lab from nothing to ready, and back to nothing")
    for what in left:
        print(f"left behind: {what}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
