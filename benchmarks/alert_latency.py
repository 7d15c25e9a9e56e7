"""From the start of an attack to the sensor's line about it, by means, in seconds.

    python -m benchmarks.alert_latency [--means a,b] [--runs 1] [--shipped] [--json]

Each run is a battlefield of its own, undefended, with another seed; its event log is read as it grows, every 5 ms. By
default six means are measured here and now; --shipped shows what `secloop lab attacks --measure` has kept of all.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.table import show
from labs.attacks import campaign
from labs.attacks.measure import Measured
from labs.lab.requirements import explain
from secloop_ai.contracts.errors import SecLoopError

SIX = "ssh-brute-force,sql-injection,dos-flood,ftp-brute-force,dns-tunnel,snmp-mib-dump"


def rows(measured: Iterable[Measured]) -> list[dict[str, Any]]:
    """A row for every means, the quickest seen first; one that no alert named comes last."""
    by_means: dict[str, list[Measured]] = {}
    for one in measured:
        by_means.setdefault(one.means, []).append(one)
    return sorted((_row(*item) for item in by_means.items()), key=lambda row: row["latency_p50_s"] or float("inf"))


def _row(name: str, runs: Sequence[Measured]) -> dict[str, Any]:
    known = sorted(r.latency_s for r in runs if r.latency_s is not None)
    return {
        "means": name,
        "runs": len(runs),
        "seen": len(known),
        "latency_p50_s": round(median(known), 3) if known else None,
        "latency_min_s": known[0] if known else None,
        "latency_max_s": known[-1] if known else None,
        "attack_p50_s": round(median(r.seconds for r in runs), 3),
    }


def fresh(names: Sequence[str], runs: int) -> tuple[Measured, ...]:
    """Measure so many seeds of each means now; what cannot be measured is told on stderr.

    Raises:
        SecLoopError: there is no such means, or no worker can be started.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "measured.jsonl"
        for line in campaign.run(campaign.chosen(names), range(runs), path):
            print(line, file=sys.stderr)
        return campaign.load(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure or load, and print; 0 where there is anything to show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--means", default=SIX, help="with commas between")
    parser.add_argument("--runs", type=int, default=1, help="seeds of each")
    parser.add_argument("--shipped", action="store_true", help="nothing is run: all that was measured before")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if not options.shipped and (lacking := explain()):
        print(f"attacks cannot be run: {lacking}", file=sys.stderr)
        return 1
    try:
        measured = campaign.load() if options.shipped else fresh(options.means.split(","), options.runs)
    except SecLoopError as error:
        print(f"alert latency: {error}", file=sys.stderr)
        return 1
    now = "" if options.shipped else f" (load {os.getloadavg()[0]:.1f})"
    show(rows(measured), as_json=options.json, title=f"from the start of an attack to the alert{now}")
    return 0 if measured else 1


if __name__ == "__main__":
    sys.exit(main())
