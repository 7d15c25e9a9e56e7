"""How a baseline in training does on the validation split: its best answer to each case, scored as in training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from labs.scenario import Kind
from secloop_ai.contracts import ActionCall
from secloop_ai.policies.embedded import Grammar, sample
from secloop_ai.policies.embedded.encode import shown
from secloop_ai.policies.embedded.network import Network
from training.scoring import Answered, Scorer
from training.tasks import Task
from training.validation import mean

from .board import Board
from .policy import Net

Answerer = Callable[[Task], tuple[ActionCall, ...]]


class Figures(NamedTuple):
    """Means over the cases.

    Attributes:
        reward: SA-GRPO's.
        correct: the method's accuracy: what a run is chosen by.
        attack, restraint: the same of attacks, and of false alarms and quiet periods.
    """

    correct: float
    reward: float
    attack: float
    restraint: float


def look(answer: Answerer, tasks: Sequence[Task]) -> Figures:
    """The figures of what gives these answers; what could not be scored is left out of the reward."""
    scores = Scorer().score([Answered(task, answer(task)) for task in tasks])
    right = [(t.case.kind is Kind.ATTACK, s.correct == 1.0) for t, s in zip(tasks, scores, strict=True)]
    rewards = [s.reward.total for s in scores if s.reward is not None]
    return Figures(
        correct=mean([ok for _, ok in right]),
        reward=math.fsum(rewards) / len(rewards) if rewards else math.nan,
        attack=mean([ok for attack, ok in right if attack]),
        restraint=mean([ok for attack, ok in right if not attack]),
    )


def by_templates(net: Net, boards: Mapping[str, Board]) -> Answerer:
    """The answers of a network that picks templates; `boards` by case id."""

    def answer(task: Task) -> tuple[ActionCall, ...]:
        board = boards[task.case.case_id]
        return board.answer(net.finish(board, net.ranked(board, ())[0]))

    return answer


def by_words(network: Network, known: frozenset[str]) -> Answerer:
    """The greedy answers of an embedded model.

    Args:
        network: of the model.
        known: words that its training showed.
    """

    def answer(task: Task) -> tuple[ActionCall, ...]:
        grammar = Grammar(task.request)
        (found,) = sample(network, grammar, shown(task.prompt, known), n=1, seed=0)
        return grammar.calls(found.words)

    return answer
