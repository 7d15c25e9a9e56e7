"""How good weights are while they are trained: greedy answers, fast model, production guard.

On the validation split, and on generated cases that no corpus holds: the split's few families alone would soon all be
answered, and then choose nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from transformers import LlamaForCausalLM

from labs.scenario import Kind, Split
from secloop_ai.contracts import Candidate
from secloop_ai.loop.decide import judge
from secloop_ai.policies.embedded import Grammar, sample
from secloop_ai.policies.embedded.encode import shown
from secloop_ai.policies.embedded.network import Network
from secloop_ai.policies.embedded.policy import CONFIG

from .corpus import made_task
from .model import network_of
from .tasks import Task, tasks

SEEDS = range(4)
MADE, FIRST_MADE = 240, 900_000
"""Generated cases, and the seed of the first: neither a corpus nor SA-GRPO gets as far."""


@cache
def held_out() -> tuple[Task, ...]:
    """The validation split with a few seeds."""
    return tuple(tasks(Split.VALIDATION, SEEDS))


@cache
def held_out_made() -> tuple[Task, ...]:
    """Generated cases for looks alone; a part of them has no right answer at all."""
    return tuple(made_task(FIRST_MADE + n) for n in range(MADE))


def validate(model: LlamaForCausalLM, known: frozenset[str]) -> dict[str, float]:
    """Share of cases answered correctly: all, attacks, and false alarms with quiet periods (restraint).

    The same of the generated cases follows with ``made_`` before it; ``score``, the mean of both, chooses weights.
    """
    network = network_of(model)
    split, made = (_shares(network, known, of) for of in (held_out(), held_out_made()))
    score = round((split["correct"] + made["correct"]) / 2, 4)
    return {**split, **{f"made_{name}": share for name, share in made.items()}, "score": score}


def _shares(network: Network, known: frozenset[str], of: Sequence[Task]) -> dict[str, float]:
    right = [(t.case.kind, correct(network, t, known)) for t in of]
    attack = [ok for kind, ok in right if kind is Kind.ATTACK]
    calm = [ok for kind, ok in right if kind is not Kind.ATTACK]
    return {"correct": mean([ok for _, ok in right]), "attack": mean(attack), "restraint": mean(calm)}


def correct(network: Network, task: Task, known: frozenset[str]) -> bool:
    """Whether the network's likeliest answer is right on the fast model, after the guard."""
    grammar = Grammar(task.request)
    (answer,) = sample(network, grammar, shown(task.prompt, known), n=1, seed=0)
    strategy, verdict = judge(Candidate(calls=grammar.calls(answer.words)), task.request, "embedded")
    return verdict.allowed and task.field.evaluate(strategy).correct


def mean(of: Sequence[bool]) -> float:
    """The share; 0 of none."""
    return round(sum(of) / len(of), 4) if of else 0.0


def known_of(folder: Path) -> frozenset[str]:
    """The words that a saved policy's training showed."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return frozenset(config["secloop"]["trained_words"])
