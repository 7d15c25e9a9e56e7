"""From our configuration to TRL's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from trl import GRPOConfig

from secloop_ai.contracts.errors import SettingsError

from .config import Config
from .rewards import COMPONENTS

RECOMPUTED = ("activation_checkpointing", "gradient_checkpointing")
"""What transformers calls it, now and earlier; a small network gains nothing by it."""


def share(config: Config, processes: int) -> int:
    """Answers that each of some processes works on in one pass: the published 28 are 4 on each of 7.

    Raises:
        SettingsError: they do not divide, or a group that must stay whole would be split.
    """
    answers = config.questions * config.group
    if answers % processes:
        raise SettingsError(f"questions: {answers} answers do not divide among {processes} processes")
    found = answers // processes
    if found % config.group and (config.resample or config.constraints or config.curriculum):
        raise SettingsError(
            f"questions: a process would have {found} answers, which splits groups of {config.group}; resample, "
            "constraints and curriculum need them whole"
        )
    return found


def arguments(config: Config, folder: Path, **others: Any) -> GRPOConfig:
    """TRL's arguments for a run; the launcher says (``WORLD_SIZE``) how many processes share the batch.

    Args:
        config: of the run.
        folder: for checkpoints.
        others: arguments of TRL that our configuration does not know (vLLM, DeepSpeed).

    Raises:
        SettingsError: the batch does not divide among the processes.
    """
    answers = share(config, int(os.environ.get("WORLD_SIZE", "1")))
    gpu = torch.cuda.is_available()
    values: dict[str, Any] = {
        "output_dir": str(folder),
        "num_generations": config.group,
        "per_device_train_batch_size": answers,
        "gradient_accumulation_steps": config.accumulation,
        "num_iterations": config.mu,
        "epsilon": config.epsilon_low,
        "epsilon_high": config.epsilon_high,
        "beta": config.beta,
        "loss_type": config.loss,
        "scale_rewards": config.scale,
        "multi_objective_aggregation": "normalize_then_sum" if config.gdpo else "sum_then_normalize",
        "reward_weights": [0.0 if name in config.removed else 1.0 for name in COMPONENTS],
        "temperature": config.temperature,
        "max_completion_length": config.length_constant,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": config.schedule,
        "warmup_steps": config.warmup,
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.gradient_norm,
        "num_train_epochs": config.epochs,
        "max_steps": config.steps or -1,
        "seed": config.seed,
        "bf16": config.bf16 and gpu,
        "use_cpu": not gpu,
        next(n for n in RECOMPUTED if n in GRPOConfig.__dataclass_fields__): False,
        "save_strategy": "steps" if config.save_every else "no",
        "save_steps": config.save_every or 500,
        "save_total_limit": 2,
        "logging_steps": 1,
        "report_to": [],
        "disable_tqdm": True,
        "dataloader_pin_memory": gpu,
    }
    return GRPOConfig(**values | others)
