"""Answers from the network under the grammar: one prefill, then all that were begun alike as one, side by side.

Answers that have said the same so far are one branch, which the network reads once. Words that alone may come are not
asked for: they are read together with the word before them (jump-forward).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secloop_ai.contracts import PolicyError

from .grammar import MAX_WORDS, Grammar
from .network import Array, Ints, Network
from .vocabulary import EOS, PAD, ids, words


class Answer(NamedTuple):
    """One sampled answer.

    Attributes:
        words: of the answer, with its end.
        log_probability: natural, summed over its words, under the grammar's mask at temperature 1.
        log_probabilities: the same word by word; 0 where the grammar left no choice.
        allowed: word by word, the sorted ids of the words that the grammar allowed there.
    """

    words: tuple[str, ...]
    log_probability: float
    log_probabilities: tuple[float, ...]
    allowed: tuple[tuple[int, ...], ...]


class _Branch(NamedTuple):
    """What some of the answers have said so far.

    Attributes:
        answers: their numbers.
        fresh: how many of the last words the network has not read yet.
    """

    said: tuple[str, ...]
    logs: tuple[float, ...]
    allowed: tuple[tuple[int, ...], ...]
    answers: tuple[int, ...]
    fresh: int

    def then(self, word: str, log_p: float, allowed: tuple[int, ...], answers: tuple[int, ...], fresh: int) -> _Branch:
        """One word on."""
        return _Branch((*self.said, word), (*self.logs, log_p), (*self.allowed, allowed), answers, fresh)

    def forced(self, grammar: Grammar) -> _Branch:
        """As many words on as have no other beside them."""
        branch = self
        while branch.said[-1:] != (EOS,) and len(allowed := grammar.allowed_ids(branch.said)) == 1:
            branch = branch.then(words()[allowed[0]], 0.0, allowed, branch.answers, branch.fresh + 1)
        return branch


def sample(
    network: Network,
    grammar: Grammar,
    prompt: Sequence[str],
    *,
    n: int,
    seed: int,
    temperature: float = 1.0,
    greedy_first: bool = True,
    start: int = 0,
) -> tuple[Answer, ...]:
    """Sampled answers, the first of them greedy if asked for; equal arguments give equal answers.

    The mask of the grammar is part of the distribution: words it forbids have probability 0, a word that alone may
    come has probability 1. Each answer has dice of its own: it does not depend on how many others are asked for.

    Args:
        network: the model.
        grammar: of the request.
        prompt: words of the vocabulary.
        n: how many.
        seed: of the sampling, not negative.
        temperature: of the sampled ones, above 0.
        greedy_first: the answer with the number 0 takes the likeliest word each time.
        start: number of the first answer: to ask for more than before.

    Raises:
        PolicyError: prompt and answer need more positions than the model has, or its answer is not a number.
    """
    dice = {a: np.random.default_rng((seed, a)).random(MAX_WORDS) for a in range(start, start + n)}
    if greedy_first and start == 0:
        del dice[0]
    found: dict[int, Answer] = {}
    begun = _Branch((), (), (), tuple(range(start, start + n)), 0).forced(grammar)
    logits, cache = network.forward(_rows([(*prompt, *begun.said)]))
    live = [begun._replace(fresh=0)]
    while True:
        grown: list[tuple[int, _Branch]] = []
        for row, branch in enumerate(live):
            for child in _children(branch, logits[row], grammar, dice, temperature):
                if child.said[-1] == EOS:
                    found |= dict.fromkeys(child.answers, _answer(child))
                else:
                    grown.append((row, child))
        if not grown:
            return tuple(found[a] for a in range(start, start + n))
        live = [branch for _, branch in grown]
        counts = np.array([b.fresh for b in live], dtype=np.int64)
        texts = _rows([b.said[-b.fresh :] for b in live])
        logits, cache = network.forward(texts, cache.fork(np.array([row for row, _ in grown])), counts)


def _children(
    branch: _Branch, logits: Array, grammar: Grammar, dice: dict[int, npt.NDArray[np.float64]], temperature: float
) -> Iterator[_Branch]:
    """The branch with each next word that some answer drew, and what that word forces."""
    allowed = grammar.allowed_ids(branch.said)
    scores = logits[list(allowed)].astype(np.float64)
    if not np.isfinite(scores).all():
        raise PolicyError("the policy's model answers with what is not a number")
    logs = scores - _log_sum(scores)
    likeliest = int(np.argmax(scores))
    steps = np.cumsum(np.exp((scores - scores.max()) / temperature))
    drawn: dict[int, list[int]] = {}
    for answer in branch.answers:
        point = dice[answer][len(branch.said)] * steps[-1] if answer in dice else None
        chosen = likeliest if point is None else int(np.searchsorted(steps, point, side="right"))
        drawn.setdefault(chosen, []).append(answer)
    for chosen, answers in sorted(drawn.items()):
        word = words()[allowed[chosen]]
        yield branch.then(word, float(logs[chosen]), allowed, tuple(answers), 1).forced(grammar)


def _answer(branch: _Branch) -> Answer:
    return Answer(branch.said, float(sum(branch.logs)), branch.logs, branch.allowed)


def _log_sum(scores: npt.NDArray[np.float64]) -> float:
    top = float(scores.max())
    return top + float(np.log(np.exp(scores - top).sum()))


def _rows(texts: Sequence[Sequence[str]]) -> Ints:
    """Ids of the words, shorter texts filled up with padding (B, T)."""
    index = ids()
    longest = max(map(len, texts))
    return np.array([[*(index[w] for w in t), *[index[PAD]] * (longest - len(t))] for t in texts], dtype=np.int64)


def likelihood(network: Network, grammar: Grammar, prompt: Sequence[str], answer: Sequence[str]) -> float:
    """Log-probability of an answer under the grammar, as :func:`sample` gives it, from one reading of the whole.

    Raises:
        PolicyError: the answer is none of this grammar.
    """
    logits = network.everywhere(_rows([(*prompt, *answer)])[0])[len(prompt) - 1 :].astype(np.float64)
    total = 0.0
    for n, word in enumerate(answer):
        allowed = list(grammar.allowed_ids(tuple(answer[:n])))
        grammar.allowed(answer[: n + 1])  # refuses a word that may not come
        total += float(logits[n][ids()[word]]) - _log_sum(logits[n][allowed]) if len(allowed) > 1 else 0.0
    return total
