"""Online self-evolution: lessons of the ledger, a further SA-GRPO run from the live weights, and the gate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from secloop_ai.contracts import InputError, PolicyError
from secloop_ai.contracts.base import Frozen
from secloop_ai.ledger import Ledger
from secloop_ai.policies.embedded.policy import CONFIG
from secloop_ai.policies.embedded.store import Store
from training.config import Config, preset
from training.model import load_model, save_policy
from training.pipeline import played
from training.sources import MadeTasks
from training.validation import known_of

from .compare import INJECTIONS, SEEDS, Comparison, Say
from .gate import live_folder, promote
from .lessons import Harvest, harvest
from .practice import Mixed, by_case
from .trainer import train

FIRST_TASK, TASKS_PER_SEED = 2_000_000, 100_000
"""Numbers of the generated tasks: beyond those of the runs that the shipped weights came from."""

SAVE_EVERY = 5
"""Steps from one checkpoint to the next, so that a run that was interrupted goes on."""


class LearnConfig(Frozen):
    """A further run.

    Attributes:
        generated: share of the tasks that are generated ones, so that nothing is forgotten.
        steps: optimiser steps.
        limit: of the ledger's runs, the newest so many are looked at.
        learning_rate: below that of training from nothing, as little is to be learnt.
        seed: of the mixture and the run.
        changes: of the preset ``embedded``, beside these.
        seeds, injections: of the gate.
    """

    generated: float = Field(default=0.75, ge=0.25, lt=1)
    steps: int = Field(default=20, ge=1)
    limit: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=5e-5, gt=0)
    seed: int = Field(default=0, ge=0)
    changes: Mapping[str, Any] = Field(default_factory=dict)
    seeds: int = SEEDS
    injections: int = INJECTIONS

    def run(self) -> Config:
        """The configuration of the trainer.

        Raises:
            SettingsError: a change makes no sense.
        """
        own = {"steps": self.steps, "learning_rate": self.learning_rate, "seed": self.seed, "save_every": SAVE_EVERY}
        return preset("embedded", **{**own, **self.changes})


class Learned(NamedTuple):
    """What a further run came to.

    Attributes:
        folder: of the new weights, live or not.
    """

    folder: Path
    harvest: Harvest
    comparison: Comparison


def learn(ledger: Ledger, store: Store, out: Path, config: LearnConfig, say: Say) -> Learned:
    """Train on what happened, and promote what came of it if it is better.

    Side effects: writes the run and its weights to `out`; the rest is :func:`training.lifecycle.gate.promote`'s.

    Raises:
        InputError: the ledger has no lesson.
        PolicyError: no weights to go on from.
        SecLoopError: as :func:`training.lifecycle.gate.promote`.
    """
    base = live_folder(store)
    if base is None:
        raise PolicyError("there are no weights to go on from: none are shipped, none were promoted")
    known = known_of(base)
    found = harvest(ledger, known, positions=positions_of(base), limit=config.limit)
    if not found.lessons:
        raise InputError(f"{ledger!r}: no run to learn from: {found.why_not()}")
    say(f"{len(found.lessons)} lessons; runs left out: {found.why_not() if found.left_out else 'none'}")
    folder = out / "policy"
    further(base, folder, out / "run", found, config, known)
    say(f"new weights: {folder}")
    comparison = promote(folder, ledger, store, say, seeds=config.seeds, injections=config.injections)
    (out / "comparison.json").write_text(comparison.model_dump_json(indent=1), encoding="utf-8")
    return Learned(folder, found, comparison)


def further(base: Path, folder: Path, run: Path, found: Harvest, config: LearnConfig, known: frozenset[str]) -> str:
    """Train the weights of a folder on lessons and generated tasks; gives the SHA-256 of what came of it."""
    settings = config.run()
    count = config.steps * settings.questions
    first = FIRST_TASK + config.seed * TASKS_PER_SEED
    generated = MadeTasks(lambda n: played(first + n), count)
    tasks = Mixed(found.lessons, generated, config.generated, count, config.seed)
    model = train(load_model(base), tasks, settings, run, by_case(found.lessons))
    card = {
        "trained_by": "secloop learn",
        "from": base.name,
        "lessons": [f.feedback.run_id for f in found.lessons],
        "generated_share": config.generated,
        **settings.model_dump(mode="json"),
    }
    return save_policy(model, folder, card=card, known=known)


def positions_of(folder: Path) -> int:
    """Words of a prompt and its answer that the weights of a folder have room for."""
    return int(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["max_position_embeddings"])
