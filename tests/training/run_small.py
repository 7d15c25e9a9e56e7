"""A small run as a program of its own, so that a test can kill it: folder, steps, then changes of the configuration."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

from training.config import Config
from training.model import Size, new_model
from training.sa_grpo import train

from .making import source

SMALL = Size(layers=1, hidden=32, heads=2, middle=48, positions=512)
VALUES = {
    "group": 4,
    "questions": 2,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "save_every": 2,
    "resample": 1,
    "curriculum": 0.5,
    "constraints": {},
}


def main(folder: str, steps: str, changes: str = "{}") -> None:
    warnings.filterwarnings("ignore", message=".*gradient_checkpointing")
    config = Config.model_validate({**VALUES, "steps": int(steps), **json.loads(changes)})
    train(new_model(SMALL, 0), source(), config, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
