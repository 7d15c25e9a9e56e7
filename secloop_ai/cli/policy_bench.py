"""How quick a policy decides: each figure in fresh processes, on one thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from secloop_ai.contracts import PolicyError
from secloop_ai.loop.bench import ENVIRONMENT_FILE, SUMMARIES_FILE

INCIDENTS, OF_CANDIDATES, COLD_STARTS = 200, 40, 5
THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
MS = 1000.0


def bench(name: str, *, incidents: int = INCIDENTS, cold_starts: int = COLD_STARTS) -> dict[str, Any]:
    """A policy's row of the latency table.

    The incidents are drawn by a seed (:mod:`secloop_ai.policies.examples`): 8 summaries, 20 hosts, 4 devices, each
    another. Warm: from summaries and Environment to the guard's word, in one process. Cold: from the start of a process
    through the imports of `secloop_decide` to the same.

    Args:
        name: of the policy.
        incidents: decided one by one; a fifth of them with 16 candidates.
        cold_starts: of which the median counts.

    Returns:
        policy, digest, incidents, warm_p50_ms, warm_p95_ms, g16_ms (median), cold_s, peak_mb (10^6 bytes, of the
        process that had most), load (of the machine, 1 min, before it began); and, for a machine that has other
        things to do, warm_p50_cpu_ms and cold_cpu_s: the processor's time alone.

    Raises:
        PolicyError: the policy cannot start or answer.
    """
    load = round(os.getloadavg()[0], 2)
    warm = _child("warm", name, incidents)
    several = _child("candidates", name, max(2, incidents * OF_CANDIDATES // INCIDENTS))
    with TemporaryDirectory() as folder:
        _write_incident(Path(folder))
        cold = [_child("cold", name, folder) for _ in range(cold_starts)]
    peaks = [found["peak_mb"] for found in (warm, several, *cold) if found["peak_mb"]]
    return {
        "policy": warm["policy"],
        "digest": warm["digest"],
        "incidents": incidents,
        "warm_p50_ms": round(median(warm["seconds"]) * MS, 1),
        "warm_p95_ms": round(_p95(warm["seconds"]) * MS, 1),
        "g16_ms": round(median(several["seconds"]) * MS, 1),
        "cold_s": round(median(found["cold_s"] for found in cold), 3),
        "warm_p50_cpu_ms": round(median(warm["cpu_seconds"]) * MS, 1),
        "cold_cpu_s": round(median(found["cpu_s"] for found in cold), 3),
        "peak_mb": round(max(peaks), 1) if peaks else None,
        "load": load,
    }


def _p95(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20, method="inclusive")[-1]


def _write_incident(folder: Path) -> None:
    from secloop_ai.loop.folder import dump_summaries
    from secloop_ai.policies.examples import example

    made = example(0)
    (folder / SUMMARIES_FILE).write_text(dump_summaries(made.summaries), encoding="utf-8")
    (folder / ENVIRONMENT_FILE).write_text(made.environment.model_dump_json(), encoding="utf-8")


def _child(figure: str, name: str, argument: int | str) -> Mapping[str, Any]:
    """What a fresh process measured, and the seconds until it had decided."""
    command = [sys.executable, "-m", "secloop_ai.loop.bench", figure, name, str(argument)]
    start = time.perf_counter()
    with subprocess.Popen(command, env={**os.environ, **THREADS}, stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline() if process.stdout else ""
        cold_s = time.perf_counter() - start
        rest, _ = process.communicate()
    try:
        found: dict[str, Any] = json.loads(f"{first}{rest}")
    except ValueError:
        raise PolicyError(f"policy {name}: measuring {figure} ended with status {process.returncode}") from None
    if "error" in found:
        raise PolicyError(str(found["error"]))
    return {**found, "cold_s": cold_s}
