"""Every benchmark in turn, with its default size: ``python -m benchmarks``."""

from __future__ import annotations

import subprocess
import sys

ALL = (
    "lab_boot",
    "netconf_rpc",
    "render",
    "fleet",
    "respond",
    "ingest",
    "fast_model",
    "battlefield_boot",
    "cycle",
    "alert_latency",
    "contain",
    "policy_latency",
    "trainer_overhead",
)


def main() -> int:
    """Run each in a process of its own; the exit status counts those that did not run."""
    done = [subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False) for name in ALL]
    return sum(bool(d.returncode) for d in done)


if __name__ == "__main__":
    sys.exit(main())
