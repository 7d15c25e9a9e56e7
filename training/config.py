"""Every hyper-parameter of SA-GRPO, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import SettingsError

WORDS_MOST = 64
"""Words of an answer, at most (:mod:`secloop_ai.policies.embedded.sampler`)."""


class Constraints(Frozen):
    """Costs held below a limit by Lagrange multipliers on the advantages (Constrained GRPO, arXiv 2602.05863).

    Attributes:
        served: below this share of served legitimate tries an answer costs 1 (availability).
        availability_limit: largest mean of that cost.
        false_block_limit: largest mean of the cost of a false block: acting where nobody attacks, or taking away what
            the undefended twin served.
        rate: step of the multipliers after each batch.
        most: a multiplier is at most this.
    """

    served: float = Field(default=0.999, ge=0, le=1)
    availability_limit: float = Field(default=0.02, ge=0, le=1)
    false_block_limit: float = Field(default=0.01, ge=0, le=1)
    rate: float = Field(default=0.5, gt=0)
    most: float = Field(default=10.0, gt=0)


class Config(Frozen):
    """A run of SA-GRPO.

    The objective (token level, no KL, no 1/length) is the method's; its value is divided by the constant
    `words_most`, as TRL's ``dr_grpo`` does, which AdamW does not notice.

    Attributes:
        group: G, answers per question.
        epsilon_low, epsilon_high: the clip, wider above.
        beta: weight of the KL term; 0 in the method.
        learning_rate: of AdamW.
        epochs: over the tasks, where `steps` does not say otherwise.
        steps: optimiser steps; None leaves it to `epochs`.
        questions: per process and optimiser pass. The published batch (4 answers on each of 7 processes, one of the 8
            GPUs generating) holds 4 groups: so does ours on one process.
        accumulation: passes summed up to one optimiser step.
        mu: optimisation passes per generation; at 1 the clip never acts.
        loss: as TRL names it; ``dr_grpo`` divides by a constant, ``grpo`` by each answer's length.
        scale: what advantages are divided by: nothing, or their group's standard deviation.
        temperature: of sampling, and of the log-probabilities that the ratio is made of.
        grammar_mask: the grammar in both log-probabilities of the ratio (a forced word then weighs nothing), or in
            neither (sampled under it, scored over the whole vocabulary).
        removed: components of the reward that are left out (ablation).
        gdpo: each component normalised in its group, then summed and normalised in the batch (arXiv 2601.05242).
        constraints: None: availability and false blocks are weighed by the reward alone.
        resample: how often a group without a signal (all rewards equal) gives its place to another task; 0: never.
        replicas: battlefields per answer; beyond the first its attacker is persistent, with other draws.
        cvar: share of the replicas that count as the worst.
        curriculum: share of the tasks drawn from chains that still win (an attacker that adapts), beside the plan.
        live_share: share of the answers measured with packets.
        save_every: optimiser steps from one checkpoint to the next; 0: only at the end.
        share_questions: read the question of a group once in a pass, not G times; in a run of one process, as what
            wraps a model for several counts its passes.
        length_constant: what the sum over words is divided by.
    """

    group: int = Field(default=7, ge=2)
    epsilon_low: float = Field(default=0.2, gt=0)
    epsilon_high: float = Field(default=0.28, gt=0)
    beta: float = Field(default=0.0, ge=0)
    learning_rate: float = Field(default=3e-6, gt=0)
    warmup: float = Field(default=0.0, ge=0, le=1)
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "linear"
    weight_decay: float = Field(default=0.0, ge=0)
    gradient_norm: float = Field(default=1.0, gt=0)
    epochs: float = Field(default=1.0, gt=0)
    steps: int | None = Field(default=None, ge=1)
    questions: int = Field(default=4, ge=1)
    accumulation: int = Field(default=1, ge=1)
    mu: int = Field(default=1, ge=1)
    loss: Literal["dr_grpo", "grpo", "bnpo", "dapo"] = "dr_grpo"
    scale: Literal["none", "group", "batch"] = "none"
    temperature: float = Field(default=1.0, gt=0)
    grammar_mask: Literal["both", "neither"] = "both"
    removed: tuple[Literal["format", "execution", "evaluation", "penalty"], ...] = ()
    gdpo: bool = False
    constraints: Constraints | None = None
    resample: int = Field(default=0, ge=0)
    replicas: int = Field(default=1, ge=1)
    cvar: float = Field(default=0.5, gt=0, le=1)
    curriculum: float = Field(default=0.0, ge=0, le=1)
    live_share: float = Field(default=0.0, ge=0, le=1)
    save_every: int = Field(default=0, ge=0)
    share_questions: bool = True
    length_constant: int = Field(default=WORDS_MOST, ge=1)
    bf16: bool = False
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.save_every % self.passes_per_generation:
            raise ValueError(
                f"save_every {self.save_every} is no multiple of the {self.passes_per_generation} optimiser steps "
                "of one generation: a run resumed there would not go on alike"
            )
        if self.replicas == 1 and self.cvar not in (0.5, 1.0):
            raise ValueError("cvar without replicas has nothing to choose from")
        return self

    @property
    def passes_per_generation(self) -> int:
        """Optimiser steps taken on one generation."""
        return self.mu


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "published": {"bf16": True},
    "embedded": {
        "group": 8,
        "learning_rate": 2e-4,
        "schedule": "constant_with_warmup",
        "warmup": 0.02,
        "questions": 16,
        "resample": 1,
    },
    "grpo": {"scale": "group", "loss": "grpo", "beta": 0.04, "epsilon_high": 0.2},
}
"""Published: the method's own, for a 7B model. Embedded: for the small network. GRPO: the plain one, a rival."""


def preset(name: str, **changes: Any) -> Config:
    """A preset, with changes.

    Raises:
        SettingsError: no such preset, or a value is wrong; names it.
    """
    if name not in PRESETS:
        raise SettingsError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
    try:
        return Config.model_validate({**PRESETS[name], **changes})
    except ValueError as error:
        raise SettingsError(f"preset {name}: {error}") from None
