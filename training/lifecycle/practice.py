"""Lessons as tasks of SA-GRPO, mixed with generated ones so that nothing is forgotten.

The group of a lesson holds the answer that was executed, as it was, and others that today's network gives. The executed
answer has the reward of its Feedback: whether it executed, and the share of legitimate tries that were served, are what
happened; so is the attack's success where a red side told of it. Nobody tells in production, and the absence of alerts
is no proof: there the attack's success is guessed on the rehearsal twin, as it is for all other answers.

The executed answer is not drawn anew: the ratio's denominator is what today's network thinks of it, so that the update
does not correct for its having been chosen by the network of that day (for its being the first of several candidates).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from labs.rehearsal.score import AlertRehearsal
from labs.scenario.draw import rng
from secloop_ai.contracts import Candidate, Strategy
from secloop_ai.loop.decide import judge
from secloop_ai.policies.embedded import Answer, Grammar
from secloop_ai.policies.embedded.network import Network
from training.judge import Judge, Rubric
from training.lexicon import numbers
from training.rewards import Reward
from training.rewards import reward as rewarded
from training.rollouts import Asked, Speaker, Spoken
from training.scoring import NAME, Answered, Score, Scorer
from training.sources import KEPT, TaskSource
from training.tasks import Task

from .lessons import Lesson

Lessons = Mapping[str, Lesson]
"""By the id of their task's case."""


def by_case(lessons: Sequence[Lesson]) -> Lessons:
    """Lessons as the parts below look them up."""
    return {found.task.case.case_id: found for found in lessons}


def graded(executed: bool, worth: float, rationality: float) -> Reward:  # noqa: FBT001 - the gate
    """The method's gates with a W that is known, or guessed, as one figure.

    Args:
        executed: every tool call executed without error.
        worth: W, from 0 to 1.
        rationality: the judge's, from 0 to 1.
    """
    penalty = rationality - 1.0
    return Reward(1.0, 1.0, worth, penalty) if executed else Reward(1.0, 0.0, 0.0, penalty)


class LessonScorer(Scorer):
    """Scores answers to lessons by Feedback and rehearsal, all others as training does.

    Args:
        lessons: whose answers are scored here.
        others: scores the rest; by default the fast model in this process.
        rubric: the judge.
    """

    def __init__(self, lessons: Lessons, others: Scorer | None = None, rubric: Judge | None = None) -> None:
        super().__init__(judge=rubric)
        self._lessons, self._others = lessons, others or Scorer(judge=rubric)
        self._rubric = rubric or Rubric()
        self._rehearsal = AlertRehearsal()

    def score(self, answers: Sequence[Answered], turn: int = 0) -> list[Score]:
        """A score for each answer, in order; one to a lesson has no measurement, as its truth is partly guessed."""
        rest = iter(self._others.score([a for a in answers if a.task.case.case_id not in self._lessons], turn))
        mine = (self._lessons.get(a.task.case.case_id) for a in answers)
        return [next(rest) if one is None else Score(self.reward(one, a)) for one, a in zip(mine, answers, strict=True)]

    def reward(self, lesson: Lesson, answer: Answered) -> Reward:
        """The reward of an answer to a lesson; every answer that is the executed one has that of its Feedback."""
        if answer.calls is None:
            return rewarded(well_formed=False, measurement=None, rationality=0.0)
        if answer.calls == lesson.calls:
            return self.real(lesson)
        strategy, verdict = judge(Candidate(calls=answer.calls), lesson.task.request, NAME)
        rationality = self._rubric.rationality(strategy, lesson.task.request)
        executed = verdict.allowed and lesson.task.field.evaluate(strategy).executed
        return graded(executed, self.guess(lesson, strategy) if executed else 0.0, rationality)

    def real(self, lesson: Lesson) -> Reward:
        """The reward of what was executed."""
        found = lesson.feedback
        rationality = self._rubric.rationality(lesson.strategy, lesson.task.request)
        held = self.guess(lesson, lesson.strategy) if found.rs_attack is None else 1.0 - found.rs_attack
        served = 1.0 if found.rs_service is None else found.rs_service
        return graded(found.rs_exe == 1.0, held * served, rationality)

    def guess(self, lesson: Lesson, strategy: Strategy) -> float:
        """W of a strategy on the rehearsal twin, from 0 to 1: an attack and a false alarm, each by its likelihood."""
        (found,) = self._rehearsal.score(lesson.task.request, [strategy])
        return min(1.0, max(0.0, found))


def told(network: Network, lesson: Lesson) -> Answer:
    """The executed answer as this network thinks of it: word by word, under the grammar."""
    grammar, index = Grammar(lesson.task.request), numbers(lesson.words)
    read = np.array([*numbers(lesson.task.prompt), *index], dtype=np.int64)
    logits = network.everywhere(read)[len(lesson.task.prompt) - 1 :].astype(np.float64)
    allowed = tuple(grammar.allowed_ids(lesson.words[:n]) for n in range(len(index)))
    logs = tuple(_log(row, word, among) for row, word, among in zip(logits[: len(index)], index, allowed, strict=True))
    return Answer(lesson.words, float(sum(logs)), logs, allowed)


def _log(row: np.ndarray[tuple[int, ...], np.dtype[np.float64]], word: int, among: Sequence[int]) -> float:
    if len(among) == 1:
        return 0.0
    scores = row[list(among)]
    top = float(scores.max())
    return float(row[word]) - top - float(np.log(np.exp(scores - top).sum()))


def recalled(speak: Speaker, network: Network, lessons: Lessons) -> Speaker:
    """The same speaker, who in the group of a lesson first says what was executed."""

    def again(asked: Sequence[Asked]) -> Sequence[Sequence[Spoken]]:
        known = [lessons.get(one.task.case.case_id) for one in asked]
        others = speak([one._replace(answers=one.answers - bool(k)) for one, k in zip(asked, known, strict=True)])
        firsts = ([] if k is None else [_remembered(k, network)] for k in known)
        return [[*first, *rest] for first, rest in zip(firsts, others, strict=True)]

    return again


def _remembered(lesson: Lesson, network: Network) -> Spoken:
    answer = told(network, lesson)
    return Spoken(
        prompt_ids=numbers(lesson.task.prompt),
        completion_ids=numbers(answer.words),
        answered=Answered(lesson.task, lesson.calls),
        logps=list(answer.log_probabilities),
        allowed=answer.allowed,
    )


class Mixed:
    """Lessons and generated tasks in one source; the same number always gives the same task.

    Args:
        lessons: at least one; each comes as often as any other, or once more.
        generated: the other tasks.
        share: of the tasks that are generated, from 0 to below 1.
        count: of all tasks.
        seed: of the mixture.
    """

    def __init__(self, lessons: Sequence[Lesson], generated: TaskSource, share: float, count: int, seed: int) -> None:
        places = list(range(count))
        rng("mixture", seed).shuffle(places)
        taken = max(1, round(count * (1.0 - share)))
        self._lessons = {place: lessons[n % len(lessons)].task for n, place in enumerate(sorted(places[:taken]))}
        self._generated, self._count = generated, count
        self._made = lru_cache(KEPT)(generated.task)

    def __len__(self) -> int:
        return self._count

    def task(self, index: int) -> Task:
        """A lesson's task, or a generated one."""
        return self._lessons.get(index) or self._made(index % len(self._generated))


__all__ = ["LessonScorer", "Lessons", "Mixed", "by_case", "graded", "recalled", "told"]
