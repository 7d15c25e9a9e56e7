"""Step time of our trainer over TRL's own GRPOTrainer, with the same rewards and the same rollouts, in one run.

Rollouts are sampled and scored once and then handed to both trainers alike, so that only the trainers' own work is
left: log-probabilities, loss, backward pass, optimiser, figures. Both take turns step by step on this machine, which
evens out whatever else it does; the ratio is of the medians. The second ratio adds the rollouts' own time to both,
which is what a real step takes.

    python -m benchmarks.trainer_overhead [--json] [--steps N] [--questions N] [--group N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.table import show

CEILING = 1.05
TASKS_SEEDS = 1


def recorded(questions: int, config: Any, model: Any) -> tuple[list[Any], float]:
    """Batches as the sampler and the battlefields make them, and their seconds each."""
    from training.curriculum import Curriculum
    from training.model import network_of
    from training.rollouts import Rollouts, speaker
    from training.scoring import Scorer
    from training.sources import CaseTasks

    source = CaseTasks("train", range(TASKS_SEEDS), ["autoattack"])
    rollouts = Rollouts(source, Scorer(), config, Curriculum(source))
    prompts = [str(n % len(source)) for n in range(questions) for _ in range(config.group)]
    rollouts.batch(prompts, speaker(network_of(model), 1.0), 0)  # cases are made ready once
    began = time.perf_counter()
    found = [rollouts.batch(prompts, speaker(network_of(model), 1.0), step) for step in range(4)]
    return found, (time.perf_counter() - began) / len(found)


def trainers(batches: Sequence[Any], config: Any, size: Any, folder: Path) -> dict[str, Any]:
    """Ours and TRL's, on the same rollouts."""
    from datasets import Dataset
    from trl import GRPOTrainer

    from training.arguments import arguments
    from training.lexicon import tokenizer
    from training.model import new_model
    from training.rollouts import reward_columns
    from training.sa_grpo import SaGrpoTrainer
    from training.sources import CaseTasks

    source = CaseTasks("train", range(TASKS_SEEDS), ["autoattack"])

    class Ours(SaGrpoTrainer):
        """Takes the recorded rollouts, and does with them what it does with its own."""

        turn = 0

        def _roll(self, _prompts: list[str], _trainer: Any) -> dict[str, Any]:
            self.turn += 1
            return self.take(batches[self.turn % len(batches)])

    turns = iter(range(1, 1_000_000))
    ours = Ours(new_model(size, 0), source, config, folder / "ours")
    theirs = GRPOTrainer(
        model=new_model(size, 0),
        reward_funcs=reward_columns(),
        args=arguments(config, folder / "theirs"),
        train_dataset=Dataset.from_dict({"prompt": [str(n) for n in range(len(source))]}),
        processing_class=tokenizer(),
    )
    theirs.rollout_func = lambda _prompts, _trainer: batches[next(turns) % len(batches)].for_trl()
    return {"ours": ours, "trl": theirs}


def steps(trainer: Any, count: int) -> Iterator[float]:
    """Seconds of whole optimiser steps, one when asked for one."""
    trainer.create_optimizer_and_scheduler(count)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1
    rows = [{"prompt": "0"} for _ in range(trainer.args.per_device_train_batch_size)]
    for _ in range(count):
        began = time.perf_counter()
        trainer.training_step(trainer.model, [dict(row) for row in rows], None)
        trainer.accelerator.clip_grad_norm_(trainer.model.parameters(), trainer.args.max_grad_norm)
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
        trainer.model.zero_grad()
        yield time.perf_counter() - began


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Both trainers, turn about."""
    from training.config import preset
    from training.model import Size, new_model

    size = Size(layers=args.layers, hidden=args.hidden, heads=4, middle=args.hidden * 8 // 3, positions=512)
    config = preset("embedded", group=args.group, questions=args.questions, resample=0, steps=args.steps)
    batches, rollout_s = recorded(args.questions, config, new_model(size, 0))
    with tempfile.TemporaryDirectory() as folder:
        both = trainers(batches, config, size, Path(folder))
        runs = {name: steps(trainer, args.steps) for name, trainer in both.items()}
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(args.steps):
            for name in sorted(runs, reverse=bool(turn % 2)):
                seconds[name].append(next(runs[name]))
    warm = {name: statistics.median(taken[args.steps // 5 :]) for name, taken in seconds.items()}
    return {
        "answers": args.questions * args.group,
        "parameters": sum(p.numel() for p in both["ours"].model.parameters()),
        "rollout_ms": rollout_s * 1e3,
        "ours_ms": warm["ours"] * 1e3,
        "trl_ms": warm["trl"] * 1e3,
        "ratio": warm["ours"] / warm["trl"],
        "ratio_with_rollouts": (warm["ours"] + rollout_s) / (warm["trl"] + rollout_s),
        "ceiling": CEILING,
    }


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore", message=".*gradient_checkpointing")
    show([measure(args)], as_json=args.json, title="SA-GRPO: step time over TRL's own trainer")


if __name__ == "__main__":
    main()
