"""All learned rivals and ablations, each with the same budget on one core, then one evaluation of them all.

    python -m training.contest --start var/train/sft --out var/cells --runs 5 --budget-s 60 --split validation

A cell that is trained, or evaluated, is not done again: the command goes on where it ended. Cells are trained in
processes of their own, run by run, so that every method has its first before any has its second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from secloop_ai.contracts.errors import InputError

LEARNERS = ("ppo", "dqn", "ddqn", "kto")
"""Of `training.baselines`; the others are `training.ablate`'s."""
FROM_WEIGHTS = "kto"
"""The one of them that starts from the same checkpoint."""
ERRORS = 600
"""Characters of a failed cell's last words that are told."""


class Entry(NamedTuple):
    """A cell to be trained: a method, and the number of its run, which is its seed."""

    method: str
    run: int

    @property
    def label(self) -> str:
        """As tables have it."""
        return f"{self.method}/{self.run}"


class Trained(NamedTuple):
    """A cell that is there; `policy` is what `secloop eval` takes, empty where it failed, and then `error` says why."""

    entry: Entry
    seconds: float
    policy: str = ""
    error: str = ""


class Terms(NamedTuple):
    """What all have alike.

    Attributes:
        start: the checkpoint that they start from.
        out: where cells lie.
        budget_s: seconds of training.
        learning_rate: of SA-GRPO, GRPO and every ablation; None: that of `make train`.
    """

    start: Path
    out: Path
    budget_s: float
    learning_rate: float | None = None


def entries(only: Sequence[str], runs: int) -> list[Entry]:
    """Every cell, run by run.

    Raises:
        InputError: there is no such method.
    """
    from .ablate import UNTUNED, VARIANTS  # noqa: PLC0415 - torch takes seconds: not for --help

    every = (*VARIANTS, *LEARNERS, UNTUNED)
    if wrong := [name for name in only if name not in every]:
        raise InputError(f"no method {', '.join(wrong)}; there are {', '.join(every)}")
    return [Entry(method, run) for run in range(runs) for method in (only or every)]


def command(entry: Entry, terms: Terms) -> list[str]:
    """How one cell is trained: its last line on standard output is JSON that names the policy."""
    common = ["--start", str(terms.start), "--budget-s", str(terms.budget_s), "--json"]
    if entry.method not in LEARNERS:
        own = ["--out", str(terms.out), "--only", entry.method, "--number", str(entry.run)]
        own += ["--learning-rate", str(terms.learning_rate)] if terms.learning_rate else []
        return [sys.executable, "-m", "training.ablate", *common, *own]
    folder = terms.out / entry.method / str(entry.run)
    fitting = common if entry.method == FROM_WEIGHTS else common[2:]
    own = ["--out", str(folder), "--algorithm", entry.method, "--seed", str(entry.run), "--generated", "4000"]
    return [sys.executable, "-m", "training.baselines", *fitting, *own]


def trained(entry: Entry, terms: Terms) -> Trained:
    """Train a cell, or read it where it is there."""
    began = time.monotonic()
    one_core = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command(entry, terms), capture_output=True, text=True, check=False, env=one_core)
    seconds = round(time.monotonic() - began, 1)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        return Trained(entry, seconds, error=" ".join(done.stderr.split())[-ERRORS:] or f"status {done.returncode}")
    named = str(json.loads(lines[-1])["policy"])
    return Trained(entry, seconds, policy=named.partition("=")[2] or named)


def all_trained(of: Sequence[Entry], terms: Terms, workers: int) -> Iterator[Trained]:
    """Every cell, in order, `workers` side by side."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda entry: trained(entry, terms), of)


def evaluated(cells: Sequence[Trained], split: str, seeds: int, workers: int, before: str = "") -> int:
    """Have `secloop eval` evaluate all cells that are there, `before` before their labels; its exit status."""
    policies = ",".join(f"{before}{c.entry.label}={c.policy}" for c in cells if c.policy)
    if not policies:
        return 1
    order = ["--suite", "all", "--split", split, "--seeds", str(seeds), "--workers", str(workers)]
    secloop = Path(sys.executable).parent / "secloop"
    return subprocess.run([str(secloop), "eval", *order, "--policy", policies], check=False).returncode


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 where a cell failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, required=True, help="folder of the checkpoint that all start from")
    parser.add_argument("--out", type=Path, required=True, help="folder of the cells")
    parser.add_argument("--only", default="", help="methods with commas between; all by default")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--budget-s", type=float, default=60.0, help="seconds of training of each cell")
    parser.add_argument("--learning-rate", type=float, help="of SA-GRPO, GRPO and ablations; by default `make train`'s")
    parser.add_argument("--label", default="", help="put before every label, as weak: for a weak checkpoint")
    parser.add_argument("--split", default="validation", help="to evaluate on; runs on test are counted")
    parser.add_argument("--seeds", type=int, default=5, help="of every scenario")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args(arguments)
    try:
        of = entries([n.strip() for n in asked.only.split(",") if n.strip()], asked.runs)
    except InputError as error:
        sys.stderr.write(f"contest: {error}\n")
        return 2
    cells = []
    terms = Terms(asked.start, asked.out, asked.budget_s, asked.learning_rate)
    for cell in all_trained(of, terms, asked.workers):
        cells.append(cell)
        sys.stdout.write(f"{cell.entry.label}  {cell.seconds} s  {cell.error or 'trained'}\n")
        sys.stdout.flush()
    failed = any(c.error for c in cells)
    return evaluated(cells, asked.split, asked.seeds, asked.workers, asked.label) or int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
