"""Cells of the tables: SA-GRPO, plain GRPO, and SA-GRPO with one thing changed, from one checkpoint, with one budget.

    python -m training.ablate --start var/train/sft --out var/cells --runs 5 --budget-s 60

A cell that is done is not done again. Every cell has a curve, and a folder that `secloop eval` takes as ``embedded:``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from secloop_ai.contracts.errors import InputError
from secloop_ai.policies.embedded.policy import CONFIG, WEIGHTS

from .config import PRESETS, Config, Constraints, preset
from .model import load_model, new_model, save_policy
from .pipeline import PLANS, played, stages_of
from .sa_grpo import SaGrpoTrainer, anchored
from .sources import MadeTasks
from .validation import known_of, validate

ABLATION = "ablation:"
PLAIN = {name: PRESETS["grpo"][name] for name in ("scale", "loss", "beta", "epsilon_high")}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "sa-grpo": {},
    "grpo": {**PLAIN, "resample": 0},
    f"{ABLATION}no-exec-eval": {"removed": ("execution", "evaluation")},
    f"{ABLATION}no-penalty": {"removed": ("penalty",)},
    f"{ABLATION}no-format": {"removed": ("format",)},
    f"{ABLATION}G3": {"group": 3},
    f"{ABLATION}G5": {"group": 5},
    f"{ABLATION}G7": {"group": 7},
    f"{ABLATION}G9": {"group": 9},
    f"{ABLATION}G16": {"group": 16},
    f"{ABLATION}no dynamic sampling": {"resample": 0},
    f"{ABLATION}GDPO": {"gdpo": True},
    f"{ABLATION}constraints": {"constraints": Constraints()},
    f"{ABLATION}CVaR": {"replicas": 3, "cvar": 0.5},
    f"{ABLATION}curriculum": {"curriculum": 0.5},
}
"""Label → what it changes of the preset ``embedded``. Plain GRPO: divided by the deviation, with KL, clipped alike."""
UNTUNED = "untuned"
MOST_STEPS = 10_000
"""More than any budget has time for."""
TASKS = 20_000
FIRST = 5_000_000
"""Number of the first task of the first run: beyond those of `make train`."""


class Cell(NamedTuple):
    """A finished one."""

    label: str
    run: int
    folder: Path
    steps: int
    seconds: float
    validation: Mapping[str, float]

    @property
    def name(self) -> str:
        """As `secloop eval` takes it."""
        return f"{self.label}/{self.run}=embedded:{self.folder}"


class Deadline(TrainerCallback):
    """Ends a training when its seconds are up, after the step that is under way."""

    def __init__(self, budget_s: float) -> None:
        self._end = time.monotonic() + budget_s

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002 - the signature is transformers'
        state: TrainerState,  # noqa: ARG002
        control: TrainerControl,
        **kwargs: Any,  # noqa: ARG002
    ) -> TrainerControl:
        """Whether it is time."""
        control.should_training_stop |= time.monotonic() >= self._end
        return control


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The labels asked for, all without any.

    Raises:
        InputError: there is no such variant.
    """
    every = (*VARIANTS, UNTUNED)
    if wrong := [n for n in names if n not in every]:
        raise InputError(f"no variant {', '.join(wrong)}; there are {', '.join(every)}")
    return tuple(names) or every


class Terms(NamedTuple):
    """What all cells have alike.

    Attributes:
        start: the checkpoint that every variant starts from.
        out: folder of all cells.
        budget_s: seconds of training.
        learning_rate: of every variant; None: that of `make train`, which is for a checkpoint as good as its own.
    """

    start: Path
    out: Path
    budget_s: float
    learning_rate: float | None = None


def run(label: str, number: int, terms: Terms) -> Cell:
    """A cell, trained or read.

    Args:
        label: of the variants, or ``untuned``: random weights.
        number: of the run, which is its seed.
        terms: of all cells.
    """
    folder = terms.out / label.replace(":", "-").replace(" ", "-") / str(number)
    if not (folder / "cell.json").is_file():
        steps, seconds = (
            _untuned(number, terms.start, folder) if label == UNTUNED else _train(label, number, terms, folder)
        )
        found = {"steps": steps, "seconds": round(seconds, 1), **validate(load_model(folder), known_of(folder))}
        (folder / "cell.json").write_text(json.dumps(found) + "\n", encoding="utf-8")
    kept = json.loads((folder / "cell.json").read_text(encoding="utf-8"))
    steps, seconds = kept.pop("steps"), kept.pop("seconds")
    return Cell(label, number, folder, steps, seconds, kept)


def _untuned(number: int, start: Path, folder: Path) -> tuple[int, float]:
    model = new_model(PLANS["full"].size, number)
    save_policy(model, folder, card={"trained_by": "nobody", "seed": number}, known=known_of(start))
    return 0, 0.0


def _train(label: str, number: int, terms: Terms, folder: Path) -> tuple[int, float]:
    start = terms.start
    # no warm-up: it is a share of the steps, and how many there will be is not known
    own = {"learning_rate": terms.learning_rate} if terms.learning_rate else {}
    changes = {**PLANS["full"].changes, **own, "warmup": 0.0, "schedule": "constant", **VARIANTS[label]}
    config: Config = preset("embedded", steps=MOST_STEPS, seed=number, **changes)
    first = FIRST + number * TASKS
    source = MadeTasks(lambda n: played(first + n), TASKS)
    place = folder / "run"
    trainer = SaGrpoTrainer(anchored(load_model(start), config, place), source, config, place)
    trainer.add_callback(Deadline(terms.budget_s))
    began = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - began
    record = {"trained_by": label, **config.model_dump(mode="json"), "budget_s": terms.budget_s, "first_task": first}
    model = trainer.accelerator.unwrap_model(trainer.model)
    save_policy(model, folder, card={"stages": [*stages_of(start), record]}, known=known_of(start))
    return int(trainer.state.global_step), seconds


def cells(labels: Sequence[str], runs: Sequence[int], terms: Terms) -> Iterator[Cell]:
    """All cells, run by run, so that every variant has its first before any has its second.

    Raises:
        InputError: the checkpoint is not there.
    """
    if not all((terms.start / name).is_file() for name in (CONFIG, WEIGHTS)):
        raise InputError(f"{terms.start}: no weights; `make train` makes them")
    for number in runs:
        yield from (run(label, number, terms) for label in labels)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m training.ablate", description=__doc__)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="Labels with commas between.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--number", type=int, help="The run of this number alone.")
    parser.add_argument("--budget-s", type=float, default=60.0)
    parser.add_argument("--learning-rate", type=float, help="Of every variant; by default that of `make train`.")
    parser.add_argument("--json", action="store_true", help="One JSON line per cell.")
    asked = parser.parse_args(arguments)
    try:
        labels = chosen([n.strip() for n in asked.only.split(",") if n.strip()])
        runs = range(asked.runs) if asked.number is None else (asked.number,)
        for cell in cells(labels, runs, Terms(asked.start, asked.out, asked.budget_s, asked.learning_rate)):
            row = {
                "label": cell.label,
                "run": cell.run,
                "steps": cell.steps,
                "seconds": cell.seconds,
                **cell.validation,
            }
            told = (
                json.dumps({**row, "policy": cell.name})
                if asked.json
                else "  ".join(f"{k} {v}" for k, v in row.items())
            )
            sys.stdout.write(told + "\n")
            sys.stdout.flush()
    except InputError as error:
        sys.stderr.write(f"ablate: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
