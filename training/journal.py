"""What a run writes down: one JSON line for each optimiser step, so that reward and ground truth can be told apart."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerState, TrainingArguments

from .rewards import COMPONENTS, SIGNS

FILE = "journal.jsonl"
PLAIN = {
    "reward": "reward",
    "reward_std": "reward_std",
    "frac_reward_zero_std": "zero_signal",
    "entropy": "entropy",
    "entropy/choices": "entropy_of_choices",
    "clip_ratio/region_mean": "clip_fraction",
    "clip_ratio/low_mean": "clip_low",
    "clip_ratio/high_mean": "clip_high",
    "kl": "kl",
    "loss": "loss",
    "grad_norm": "gradient_norm",
    "learning_rate": "learning_rate",
    "completions/mean_length": "words",
    "step_time": "seconds",
}
"""TRL's name of a figure → its name in the journal."""
OWN = "secloop/"
"""Prefix of the trainer's own figures, which keep their names."""


def line(step: int, logs: Mapping[str, Any]) -> dict[str, Any]:
    """One step's figures; each component with its mean, its deviation and the sign it enters the reward with."""
    found: dict[str, Any] = {"step": step}
    found |= {name: logs[key] for key, name in PLAIN.items() if key in logs}
    found |= {key.removeprefix(OWN): value for key, value in logs.items() if key.startswith(OWN)}
    found["components"] = {
        name: {"mean": logs[f"rewards/{name}/mean"], "std": logs[f"rewards/{name}/std"], "sign": SIGNS[name]}
        for name in COMPONENTS
        if f"rewards/{name}/mean" in logs
    }
    return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in found.items()}


class Journal(TrainerCallback):
    """Appends to the journal; a run that goes on from a checkpoint takes off what it will do again.

    Args:
        path: made with the first line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_begin(self, _args: TrainingArguments, state: TrainerState, *_rest: Any, **_others: Any) -> None:
        """Drop the lines of steps after the one the run goes on from, and one that was cut off in writing."""
        if not state.is_world_process_zero or not self._path.exists():
            return
        kept = [row for row in read(self._path) if row["step"] <= state.global_step]
        text = "".join(json.dumps(row) + "\n" for row in kept)
        partial = self._path.with_suffix(".part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(self._path)

    def on_log(
        self,
        _args: TrainingArguments,
        state: TrainerState,
        *_rest: Any,
        logs: Mapping[str, Any] | None = None,
        **_others: Any,
    ) -> None:
        """Write down a step."""
        if not state.is_world_process_zero or not logs or "loss" not in logs:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line(state.global_step, logs)) + "\n")


def read(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a journal; a last one that was cut off is left out."""
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    return [json.loads(row) for row in whole.splitlines()]
