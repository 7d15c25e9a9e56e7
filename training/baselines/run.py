"""One cell of the table of baselines: an algorithm, a seed and a budget, into a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from pydantic import Field, ValidationError
from transformers import LlamaForCausalLM

from labs.scenario import Split
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import InputError
from secloop_ai.policies.embedded import EmbeddedPolicy
from secloop_ai.policies.embedded.policy import CONFIG
from secloop_ai.policies.embedded.vocabulary import words
from training.corpus import sources, task_from
from training.model import load_model, network_of, save_policy
from training.sources import CaseTasks, MadeTasks, TaskSource
from training.tasks import Task
from training.validation import held_out

from . import kto, rl
from .board import Board
from .clock import Clock
from .curve import Curve
from .kto import KtoConfig
from .look import Figures, by_templates, by_words, look
from .policy import Net, save
from .rl import RlConfig

CELL, CURVE, POLICY = "cell.json", "curve.jsonl", "policy"
Own = RlConfig | KtoConfig
T = TypeVar("T")


class CellConfig(Frozen):
    """What a cell is; two of the same are one.

    Attributes:
        own: the algorithm and its figures.
        seed: of weights, tasks and whatever else is drawn.
        budget_s: seconds of training.
        seeds: of the train split's cases, from 0 on.
        generated: tasks beyond the suites', those that the corpus begins with; with any, the suites' are told as in the
            corpus, too: some of them by a sensor with other rules.
        start: SHA-256 (hex) of the checkpoint that KTO starts from; empty for the others.
    """

    own: Own = Field(discriminator="algorithm")
    seed: int = Field(ge=0)
    budget_s: float = Field(gt=0)
    seeds: int = Field(default=6, ge=1)
    generated: int = Field(default=0, ge=0)
    start: str = ""


class Cell(Frozen):
    """A finished cell.

    Attributes:
        policy: the name that `secloop eval` knows it by.
        best: the validation figures of the weights that were kept, the best of the run.
        seconds: of training, without what was spent on validation.
        counts: steps and the like.
    """

    config: CellConfig
    policy: str
    best: dict[str, float]
    seconds: float
    counts: dict[str, int]


class Material(NamedTuple):
    """What every cell of a table has alike: the tasks of training and of validation."""

    source: TaskSource
    validation: Sequence[Task]

    @classmethod
    def of(cls, config: CellConfig) -> Material:
        """The train split with so many seeds, the generated tasks, and the validation split."""
        return cls(_source(config), held_out())


def _source(config: CellConfig) -> TaskSource:
    if not config.generated:
        return CaseTasks(Split.TRAIN, range(config.seeds))
    found = tuple(sources(config.generated, config.seeds))
    return MadeTasks(lambda number: task_from(found[number]), len(found))


def own_of(algorithm: str) -> Own:
    """The figures of an algorithm that the tables are made with.

    Raises:
        InputError: there is no such baseline.
    """
    found = {"ppo": RlConfig(algorithm="ppo"), "dqn": RlConfig(algorithm="dqn"), "ddqn": RlConfig(algorithm="ddqn")}
    if algorithm == "kto":
        return KtoConfig()
    if algorithm not in found:
        raise InputError(f"no learning baseline {algorithm!r}; there are {', '.join(found)} and kto")
    return found[algorithm]


def run(config: CellConfig, folder: Path, *, start: Path | None = None, material: Material | None = None) -> Cell:
    """Train a cell, or read it where it is done; one that was cut off begins anew.

    Args:
        config: of the cell.
        folder: of the cell, made when it is not there.
        start: folder of the checkpoint that KTO starts from.
        material: the tasks; by default those of the splits.

    Raises:
        InputError: the folder holds another cell, or KTO has nothing to start from.
        PolicyError: the checkpoint cannot be used.
        SuiteError: a suite's file cannot be used.
    """
    if isinstance(config.own, KtoConfig):
        config = config.model_copy(update={"start": EmbeddedPolicy(_started(start)).digest()})
    if done := _done(folder / CELL, config):
        return done
    folder.mkdir(parents=True, exist_ok=True)
    used = material or Material.of(config)
    curve = Curve(folder / CURVE)
    if isinstance(config.own, RlConfig):
        cell = _rl(config.own, config, folder, used, curve)
    else:
        cell = _kto(config.own, _started(start), config, folder, used, curve)
    partial_file = folder / f"{CELL}.part"
    partial_file.write_text(cell.model_dump_json(indent=1) + "\n", encoding="utf-8")
    partial_file.replace(folder / CELL)
    return cell


def _started(start: Path | None) -> Path:
    if start is None:
        raise InputError("kto: needs a checkpoint to start from (--start FOLDER)")
    return start


def _done(path: Path, config: CellConfig) -> Cell | None:
    try:
        found = Cell.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(f"{path}: not a cell: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if found.config != config:
        raise InputError(f"{path}: another cell lies there: {found.config.own.algorithm}, seed {found.config.seed}")
    return found


class _Best(Generic[T]):
    """Keeps what did best on the validation split."""

    def __init__(self, figures: Callable[[T], Figures], keep: Callable[[T], object]) -> None:
        self._figures, self._keep = figures, keep
        self.found: Figures | None = None

    def __call__(self, candidate: T) -> Mapping[str, float]:
        figures = self._figures(candidate)
        if self.found is None or figures > self.found:
            self.found = figures
            self._keep(candidate)
        return figures._asdict()

    @property
    def best(self) -> dict[str, float]:
        """The figures of what was kept; none where training ended before it began."""
        return self.found._asdict() if self.found else {}


def _rl(own: RlConfig, config: CellConfig, folder: Path, material: Material, curve: Curve) -> Cell:
    boards = {t.case.case_id: Board.of(t.prompt, t.request) for t in material.validation}
    keep = partial(save, folder=folder / POLICY, algorithm=own.algorithm, run=config.model_dump(mode="json"))
    best = _Best[Net](lambda net: look(by_templates(net, boards), material.validation), keep)
    clock = Clock(config.budget_s)
    counts = rl.learn(own, material.source, seed=config.seed, clock=clock, curve=curve, kept=best)
    return _cell(config, f"rl:{folder / POLICY}", best.best, clock, counts)


def _kto(own: KtoConfig, start: Path, config: CellConfig, folder: Path, material: Material, curve: Curve) -> Cell:
    model, known = load_model(start), known_words(start)
    keep = partial(save_policy, folder=folder / POLICY, card={"run": config.model_dump(mode="json")}, known=known)
    best = _Best[LlamaForCausalLM](lambda m: look(by_words(network_of(m), known), material.validation), keep)
    clock = Clock(config.budget_s)
    counts = kto.learn(own, model, material.source, known=known, seed=config.seed, clock=clock, curve=curve, kept=best)
    return _cell(config, f"embedded:{folder / POLICY}", best.best, clock, counts)


def known_words(start: Path) -> frozenset[str]:
    """The words that a checkpoint's training showed, all where it does not say."""
    about = json.loads((start / CONFIG).read_bytes())
    return frozenset(about["secloop"].get("trained_words") or words())


def _cell(config: CellConfig, name: str, best: dict[str, float], clock: Clock, counts: Mapping[str, int]) -> Cell:
    return Cell(config=config, policy=name, best=best, seconds=round(clock.seconds, 1), counts=dict(counts))
