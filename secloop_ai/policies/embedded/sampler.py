"""Answers from the network under the grammar: one prefill, then all candidates as a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .grammar import Grammar
from .network import Array, Network
from .vocabulary import EOS, PAD, ids, words

MAX_WORDS = 64
"""Of an answer; more than the budget of calls can need."""


class Answer(NamedTuple):
    """One sampled answer.

    Attributes:
        words: of the answer, with its end.
        log_probability: natural, summed over its words, under the grammar's mask at temperature 1.
    """

    words: tuple[str, ...]
    log_probability: float


def sample(
    network: Network, grammar: Grammar, prompt: Sequence[str], *, n: int, seed: int, temperature: float = 1.0
) -> tuple[Answer, ...]:
    """One greedy answer and `n` - 1 sampled ones; equal arguments give equal answers.

    The mask of the grammar is part of the distribution: words it forbids have probability 0, a word that alone may
    come has probability 1.

    Args:
        network: the model.
        grammar: of the request.
        prompt: words of the vocabulary.
        n: how many.
        seed: of the sampling.
        temperature: of the sampled ones, above 0.
    """
    dice = np.random.default_rng(seed)
    logits, cache = network.forward(_rows([prompt]))
    said: list[list[str]] = [[] for _ in range(n)]
    totals = np.zeros(n)
    alive = np.arange(n)
    logits, cache = np.repeat(logits, n, axis=0), cache.fork(np.zeros(n, dtype=np.int64))
    for _ in range(MAX_WORDS):
        spoken: list[str] = []
        for row, index in enumerate(alive):
            word, log_p = _next(logits[row], grammar.allowed(said[index]), dice, 0.0 if index == 0 else temperature)
            said[index].append(word)
            totals[index] += log_p
            spoken.append(word)
        going = np.array([row for row, word in enumerate(spoken) if word != EOS], dtype=np.int64)
        if not len(going):
            break
        alive = alive[going]
        if len(going) < len(spoken):
            cache = cache.fork(going)
        logits, cache = network.forward(_rows([[spoken[row]] for row in going]), cache)
    return tuple(Answer(tuple(w), float(t)) for w, t in zip(said, totals, strict=True))


def _next(logits: Array, allowed: Sequence[str], dice: np.random.Generator, temperature: float) -> tuple[str, float]:
    """A word and its log-probability among the allowed ones."""
    if len(allowed) == 1:
        return allowed[0], 0.0
    index = ids()
    scores = logits[[index[w] for w in allowed]].astype(np.float64)
    logs = scores - _log_sum(scores)
    if temperature <= 0:
        chosen = int(np.argmax(scores))
    else:
        warm = scores / temperature
        chosen = int(dice.choice(len(allowed), p=np.exp(warm - _log_sum(warm))))
    return allowed[chosen], float(logs[chosen])


def _log_sum(scores: npt.NDArray[np.float64]) -> float:
    top = float(scores.max())
    return top + float(np.log(np.exp(scores - top).sum()))


def _rows(texts: Sequence[Sequence[str]]) -> npt.NDArray[np.int64]:
    index = ids()
    return np.array([[index[w] for w in text] for text in texts], dtype=np.int64)


def likelihood(network: Network, grammar: Grammar, prompt: Sequence[str], answer: Sequence[str]) -> float:
    """Log-probability of an answer under the grammar, as :func:`sample` gives it."""
    logits, cache = network.forward(_rows([prompt]))
    total = 0.0
    for n, word in enumerate(answer):
        allowed = grammar.allowed(answer[:n])
        index = ids()
        scores = logits[0][[index[w] for w in allowed]].astype(np.float64)
        total += float(scores[allowed.index(word)]) - _log_sum(scores) if len(allowed) > 1 else 0.0
        if word != EOS:
            logits, cache = network.forward(_rows([[word]]), cache)
    return total


__all__ = ["PAD", "Answer", "likelihood", "sample", "words"]
