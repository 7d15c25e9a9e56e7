"""From nothing to weights by one command: corpus, supervised fine-tuning, SA-GRPO; what is done is not done again.

python -m training.pipeline --preset smoke --out var/smoke      # minutes; make train-smoke
python -m training.pipeline --preset full --out var/train       # make train
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError, SecLoopError
from secloop_ai.policies.embedded.policy import WEIGHTS

from .config import Config, preset
from .corpus import SUITE, Source, made_task, read, sources, task_from, write
from .generate import train_scenarios
from .model import Size, load_model, save_policy
from .sa_grpo import train
from .sft import SftConfig
from .sft import train as fine_tune
from .sources import MadeTasks
from .tasks import Task
from .validation import known_of, validate

FIRST_SEED = 500_000
"""Seeds of the tasks that SA-GRPO plays: none of the corpus is among them."""
LOOK = "validation.jsonl"
"""In a folder of weights: what they were worth on the validation split."""
SUITE_SHARE = 4
"""One in so many of its tasks is a scenario of the suites; the others are generated."""


class Plan(Frozen):
    """A whole run.

    Attributes:
        generated, suite_seeds: cases of the corpus.
        rounds: SA-GRPO is looked at on the validation split after each; the best weights are kept.
        round_steps: optimiser steps of a round.
    """

    size: Size
    generated: int
    suite_seeds: int
    sft: SftConfig
    rounds: int
    round_steps: int
    changes: Mapping[str, Any]


PLANS: Mapping[str, Plan] = {
    "smoke": Plan(
        size=Size(layers=2, hidden=64, heads=2, middle=160),
        generated=300,
        suite_seeds=1,
        sft=SftConfig(steps=120, batch=24, every=60),
        rounds=1,
        round_steps=4,
        changes={"group": 4, "questions": 4},
    ),
    "full": Plan(
        size=Size(),
        generated=24_000,
        suite_seeds=12,
        sft=SftConfig(steps=2_800, every=400),
        rounds=3,
        round_steps=40,
        changes={"learning_rate": 5e-5, "questions": 32, "temperature": 1.3},
    ),
}
"""Smoke: whether everything works together. Full: what the shipped weights came from."""


class Step(NamedTuple):
    """A line of a run's record."""

    step: str
    seconds: float
    figures: Mapping[str, Any]


def line(step: Step) -> dict[str, Any]:
    """A step as it is printed: its name, seconds since the run began, and its own figures."""
    own = {name: value for name, value in step.figures.items() if name not in {"step", "seconds"}}
    return {"step": step.step, "seconds": round(step.seconds, 1), **own}


def run(plan: Plan, out: Path, workers: int, seed: int) -> Iterator[Step]:
    """The steps as they are done; the weights that were best on validation are in ``out/policy`` at the end.

    Of equals the later ones are: what SA-GRPO does not spoil there, it has practised.
    """
    began = time.monotonic()
    corpus, sft, policy = out / "corpus.jsonl", out / "sft", out / "policy"
    done = out / "corpus.json"
    if not done.is_file():
        counted = write(corpus, tuple(sources(plan.generated, plan.suite_seeds)), workers)
        done.write_text(json.dumps(dict(counted)), encoding="utf-8")
    yield Step("corpus", time.monotonic() - began, json.loads(done.read_text(encoding="utf-8")))
    if not (sft / "done").is_file():
        # in a process of its own: torch's threads must not outlive their step
        apart(_fine_tune, corpus, sft, plan.size, plan.sft.model_copy(update={"seed": seed}))
        (sft / "done").touch()
    yield Step("sft", time.monotonic() - began, _best(sft / "curve.jsonl"))
    if not (policy / WEIGHTS).is_file():
        (sft / LOOK).write_text(json.dumps(_best(sft / "curve.jsonl")) + "\n", encoding="utf-8")
        _copy(sft, policy)
    best = float(_last(policy / LOOK)["score"])
    for number in range(1, plan.rounds + 1):
        folder = out / f"round-{number}"
        if not (folder / "done").is_file():
            config = preset("embedded", steps=plan.round_steps, seed=seed * 1000 + number, **plan.changes)
            before = sft if number == 1 else out / f"round-{number - 1}"
            apart(_round, before, folder, config, (seed * 1000 + number) * 10_000)
            (folder / "done").touch()
        figures = _last(folder / LOOK)
        if figures["score"] >= best:
            best = figures["score"]
            _copy(folder, policy)
        yield Step(f"sa-grpo {number}", time.monotonic() - began, figures)


def apart(function: Callable[..., object], *arguments: Any) -> None:
    """Call it in a process of its own, which ends in its own way, and wait.

    Raises:
        LabError: the process was killed; the step can be begun again.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            raise LabError(f"the process of {function.__name__.strip('_')} was killed; run it again to go on") from None


def _fine_tune(corpus: Path, out: Path, size: Size, config: SftConfig) -> None:
    fine_tune(read(corpus), out, size, config)


def _round(before: Path, folder: Path, config: Config, first: int) -> None:
    """One round of SA-GRPO from a folder's weights; the folder holds weights, journal and a look at validation."""
    known = known_of(before)
    steps = config.steps or 0
    source = MadeTasks(lambda n: played(first + n), steps * config.questions)
    model = train(load_model(before), source, config, folder / "run")
    found = validate(model, known)
    record = {"trained_by": "sa-grpo", **config.model_dump(mode="json"), "first_task": first, "validation": found}
    save_policy(model, folder, card={"stages": [*stages_of(before), record]}, known=known)
    (folder / LOOK).write_text(json.dumps(found) + "\n", encoding="utf-8")


def stages_of(folder: Path) -> list[dict[str, Any]]:
    """What the record of weights says of how they came about, the first stage first."""
    card = json.loads((folder / "config.json").read_text(encoding="utf-8"))["secloop"]["card"]
    return list(card.get("stages", [card]))


def played(number: int) -> Task:
    """The task of a number: mostly generated, at times a train scenario."""
    seed = FIRST_SEED + number
    if number % SUITE_SHARE == 0:
        return task_from(Source(SUITE, number // SUITE_SHARE % len(train_scenarios()), seed))
    return made_task(seed)


def _last(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8").splitlines()[-1]))


def _best(path: Path) -> dict[str, Any]:
    """The line of a curve whose weights were kept: the last of the best."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return dict(max(reversed(rows), key=lambda r: r["score"]))


def _copy(folder: Path, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, "config.json", LOOK):
        (to / name).write_bytes((folder / name).read_bytes())


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m training.pipeline", description=__doc__)
    parser.add_argument("--preset", choices=tuple(PLANS), default="full")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="One JSON line per step.")
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    try:
        for step in run(PLANS[asked.preset], asked.out, asked.workers, asked.seed):
            row = line(step)
            told = json.dumps(row) if asked.json else "  ".join(f"{k} {v}" for k, v in row.items())
            sys.stdout.write(told + "\n")
            sys.stdout.flush()
    except SecLoopError as error:
        sys.stderr.write(f"pipeline: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
