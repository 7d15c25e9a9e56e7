"""Rollouts of SA-GRPO: groups of answers under the grammar, scored on battlefields, as TRL's ``rollout_func`` has them.

Everything drawn here is drawn from the run's seed, the step and the place in the batch, never from a generator that
lives on: a run that is resumed draws what it would have drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from labs.scenario.draw import rng
from secloop_ai.policies.embedded import Grammar, sample
from secloop_ai.policies.embedded.network import Network

from .config import Config
from .curriculum import Curriculum
from .lexicon import numbers
from .rewards import COMPONENTS, Reward
from .scoring import Answered, Score, Scorer
from .sources import TaskSource
from .tasks import Task

SAME = 1e-9
"""Rewards closer than this are equal: their group has no signal."""


class Sample(NamedTuple):
    """One answer of a group.

    Attributes:
        number: of the task that it answers.
        logps: log-probability of each word as the sampler had it; None where the generator does not say.
        allowed: ids that the grammar allowed at each word; None without a grammar.
    """

    number: int
    prompt_ids: list[int]
    completion_ids: list[int]
    logps: list[float] | None
    allowed: tuple[tuple[int, ...], ...] | None
    score: Score


class Batch(NamedTuple):
    """What one generation came to.

    Attributes:
        samples: in the order of the prompts that were asked for.
        replaced: groups without a signal that gave their place to another task.
    """

    samples: tuple[Sample, ...]
    replaced: int = 0

    def for_trl(self) -> dict[str, Any]:
        """The fields of a ``rollout_func``; `reward` reaches the reward functions as a column."""
        logps = [s.logps for s in self.samples]
        return {
            "prompt_ids": [s.prompt_ids for s in self.samples],
            "completion_ids": [s.completion_ids for s in self.samples],
            "logprobs": None if any(row is None for row in logps) else logps,
            "reward": [s.score.reward for s in self.samples],
        }


class Place(NamedTuple):
    """Where in the run a group stands: its draws depend on this alone.

    Attributes:
        step: of the run.
        number: of the group in the batch.
        process: of several.
        turn: 0, or how often the group has been replaced.
    """

    step: int
    number: int
    process: int = 0
    turn: int = 0


class Asked(NamedTuple):
    """A group to be answered."""

    task: Task
    answers: int
    seed: int


class Spoken(NamedTuple):
    """An answer that is not scored yet."""

    prompt_ids: list[int]
    completion_ids: list[int]
    answered: Answered
    logps: list[float] | None = None
    allowed: tuple[tuple[int, ...], ...] | None = None


class Speaker(Protocol):
    """Whoever answers; the answers are not scored yet."""

    def __call__(self, asked: Sequence[Asked]) -> Sequence[Sequence[Spoken]]:
        """A group of sampled answers for each task."""


def speaker(network: Network, temperature: float) -> Speaker:
    """The small network with its grammar: no answer of it is ill-formed."""
    return lambda asked: [_group(network, temperature, *group) for group in asked]


def _group(network: Network, temperature: float, task: Task, count: int, seed: int) -> list[Spoken]:
    grammar = Grammar(task.request)
    answers = sample(network, grammar, task.prompt, n=count, seed=seed, temperature=temperature, greedy_first=False)
    prompt = numbers(task.prompt)
    return [
        Spoken(
            prompt_ids=prompt,
            completion_ids=numbers(a.words),
            answered=Answered(task, grammar.calls(a.words)),
            logps=list(a.log_probabilities),
            allowed=a.allowed,
        )
        for a in answers
    ]


class Rollouts:
    """Groups of scored answers.

    Args:
        source: of the tasks.
        scorer: of the answers.
        config: of the run.
        curriculum: of chains that still win.
    """

    def __init__(self, source: TaskSource, scorer: Scorer, config: Config, curriculum: Curriculum) -> None:
        self.source = source
        self._scorer = scorer
        self._config = config
        self._curriculum = curriculum

    def batch(self, prompts: Sequence[str], speak: Speaker, step: int, process: int = 0) -> Batch:
        """A group for each run of equal prompts; a prompt is the number of a task.

        Args:
            prompts: each as often as answers are wanted.
            speak: the policy as it is now.
            step: of the run.
            process: of several.
        """
        wanted = [(int(prompt), len(list(run))) for prompt, run in groupby(prompts)]
        places = [Place(step, number, process) for number in range(len(wanted))]
        asked = [(self._adapted(i, p), n, p) for (i, n), p in zip(wanted, places, strict=True)]
        groups = self._groups(asked, speak)
        replaced = 0
        for turn in range(1, self._config.resample + 1):
            dull = [k for k, group in enumerate(groups) if no_signal(group, self.total)]
            again = [(self._other(places[k], turn), wanted[k][1], places[k]._replace(turn=turn)) for k in dull]
            for k, group in zip(dull, self._groups(again, speak), strict=True):
                groups[k] = group
            replaced += len(dull)
        self._learn(groups)
        return Batch(tuple(s for group in groups for s in group), replaced)

    def total(self, reward: Reward) -> float:
        """R, without the components that the run leaves out."""
        kept = (v for name, v in zip(COMPONENTS, reward, strict=True) if name not in self._config.removed)
        return math.fsum(kept)

    def _groups(self, asked: Sequence[tuple[int, int, Place]], speak: Speaker) -> list[list[Sample]]:
        """All groups spoken first, then all scored together: battlefields work side by side."""
        if not asked:
            return []
        groups = speak([Asked(self.source.task(i), n, self._seed("speak", place)) for i, n, place in asked])
        answers = [s.answered for group in groups for s in group]
        place = asked[0][2]
        scores = iter(self._scorer.score(answers, turn=place.step * (self._config.resample + 1) + place.turn))
        return [[_scored(i, s, next(scores)) for s in group] for (i, _, _), group in zip(asked, groups, strict=True)]

    def _adapted(self, index: int, place: Place) -> int:
        """The task of the plan, or one of a chain that still wins."""
        dice = rng("curriculum", self._config.seed, *place._replace(process=0))
        if dice.random() >= self._config.curriculum:
            return index
        found = self._curriculum.draw(dice)
        return index if found is None else found

    def _other(self, place: Place, turn: int) -> int:
        return rng("resample", self._config.seed, *place, turn).randrange(len(self.source))

    def _seed(self, what: str, place: Place) -> int:
        return rng(what, self._config.seed, *place).getrandbits(32)

    def _learn(self, groups: Iterable[Sequence[Sample]]) -> None:
        for group in groups:
            attacks = [s.score.measurement.rs_attack for s in group if s.score.measurement is not None]
            if attacks:
                self._curriculum.note(group[0].number, math.fsum(attacks) / len(attacks))


def no_signal(group: Iterable[Sample], total: Callable[[Reward], float]) -> bool:
    """Whether all rewards of a group are equal, so that no answer has an advantage."""
    found = [total(s.score.reward) for s in group if s.score.reward is not None]
    return not found or max(found) - min(found) < SAME


def reward_columns() -> list[Callable[..., list[float | None]]]:
    """TRL's reward functions, one for each component, in order; they read what the rollout has scored."""
    return [_column(place, name) for place, name in enumerate(COMPONENTS)]


def _column(place: int, name: str) -> Callable[..., list[float | None]]:
    def column(*, reward: Sequence[Reward | None], **_others: Any) -> list[float | None]:
        return [None if row is None else row[place] for row in reward]

    column.__name__ = name
    return column


def _scored(number: int, s: Spoken, score: Score) -> Sample:
    return Sample(number, s.prompt_ids, s.completion_ids, s.logps, s.allowed, score)


def groups_of(samples: Sequence[Sample], size: int) -> Iterator[Sequence[Sample]]:
    """Samples of a batch, group by group."""
    return (samples[start : start + size] for start in range(0, len(samples), size))
