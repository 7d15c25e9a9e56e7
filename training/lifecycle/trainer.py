"""SA-GRPO on lessons: the trainer as it is, with what was executed in the group and scored by what came of it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from transformers import LlamaForCausalLM
from transformers.utils import logging

from training.config import Config
from training.model import network_of
from training.rollouts import Speaker, speaker
from training.sa_grpo import SaGrpoTrainer, anchored, last_checkpoint
from training.sources import TaskSource

from .practice import Lessons, LessonScorer, recalled


class Learner(SaGrpoTrainer):
    """Trains on lessons and on whatever else its source holds.

    Args:
        model: in float32.
        source: lessons among its tasks.
        config: of the run.
        folder: for checkpoints and the journal.
        lessons: by their case.

    Attributes:
        advantages: of the last generation's answers, as the loss has them.
    """

    def __init__(
        self, model: LlamaForCausalLM, source: TaskSource, config: Config, folder: Path, lessons: Lessons
    ) -> None:
        self.lessons = lessons
        self.advantages: list[float] = []
        super().__init__(model, source, config, folder, LessonScorer(lessons))

    def voice(self) -> Speaker:
        """The network as it is now, which first says again what was executed."""
        network = network_of(self.accelerator.unwrap_model(self.model))
        return recalled(speaker(network, self.config.temperature), network, self.lessons)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output = super()._generate_and_score_completions(inputs)
        self.advantages = output["advantages"].tolist()
        return output


def hushed() -> None:
    """Keep the libraries' bars and their word on each other's old names off the terminal of a command."""
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", message=".*gradient_checkpointing")


def train(
    model: LlamaForCausalLM, source: TaskSource, config: Config, folder: Path, lessons: Lessons
) -> LlamaForCausalLM:
    """Train on lessons; an interrupted run goes on from its last whole checkpoint.

    Side effects: the model is trained in place; checkpoints and journal are written to the folder.
    """
    learner = Learner(anchored(model, config, folder), source, config, folder, lessons)
    at = last_checkpoint(folder)
    learner.train(resume_from_checkpoint=str(at) if at else None)
    found: LlamaForCausalLM = learner.accelerator.unwrap_model(learner.model)
    return found
