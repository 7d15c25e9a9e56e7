"""Samples, their log-probabilities, and the mask in both."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from secloop_ai.contracts import PolicyError, PolicyRequest
from secloop_ai.policies.embedded import Answer, Grammar, encode, sample
from secloop_ai.policies.embedded.network import Network
from secloop_ai.policies.embedded.sampler import likelihood
from secloop_ai.policies.embedded.vocabulary import EOS, ids
from tests.embedded.making import shape, weights

from .asked import odd, tiny

NETWORK = Network(shape(), weights(2))


def answers(request: PolicyRequest, n: int, seed: int = 0, **more: float) -> tuple[Answer, ...]:
    return sample(NETWORK, Grammar(request), encode(request).words, n=n, seed=seed, **more)  # type: ignore[arg-type]  # bools are ints are floats


def test_log_probabilities_are_those_of_one_reading(train_requests: list[PolicyRequest]) -> None:
    for request in train_requests[::9]:
        grammar = Grammar(request)
        for answer in answers(request, 4):
            assert answer.log_probability == pytest.approx(sum(answer.log_probabilities))
            read = likelihood(NETWORK, grammar, encode(request).words, answer.words)
            assert answer.log_probability == pytest.approx(read, abs=2e-4)


def test_the_mask_goes_with_every_word(train_requests: list[PolicyRequest]) -> None:
    for request in train_requests[::9]:
        grammar = Grammar(request)
        for answer in answers(request, 3):
            assert len(answer.words) == len(answer.log_probabilities) == len(answer.allowed)
            assert answer.words[-1] == EOS
            for n, (word, log_p, allowed) in enumerate(
                zip(answer.words, answer.log_probabilities, answer.allowed, strict=True)
            ):
                assert list(allowed) == sorted(ids()[w] for w in grammar.allowed(answer.words[:n]))
                assert ids()[word] in allowed
                assert (log_p == 0.0) if len(allowed) == 1 else (log_p < 0.0)


def test_one_reading_of_the_full_vocabulary_gives_the_same_under_the_mask() -> None:
    request = odd()["IPv6"]
    prompt = encode(request).words
    (answer,) = answers(request, 1)
    read = NETWORK.everywhere(np.array([ids()[w] for w in (*prompt, *answer.words)]))[len(prompt) - 1 :]
    for word, log_p, allowed, logits in zip(
        answer.words, answer.log_probabilities, answer.allowed, read.astype(np.float64), strict=False
    ):
        masked = np.full_like(logits, -np.inf)
        masked[list(allowed)] = logits[list(allowed)]
        expected = masked[ids()[word]] - np.logaddexp.reduce(masked)
        assert log_p == pytest.approx(expected, abs=1e-4)


def test_equal_seeds_give_equal_answers_and_others_differ(train_requests: list[PolicyRequest]) -> None:
    request = train_requests[0]
    assert answers(request, 6, 1) == answers(request, 6, 1)
    assert {a.words for a in answers(request, 6, 1)} != {a.words for a in answers(request, 6, 2)}


def test_an_answer_does_not_depend_on_how_many_are_asked_for(train_requests: list[PolicyRequest]) -> None:
    request = train_requests[1]
    many = [a.words for a in answers(request, 9)]
    assert [a.words for a in answers(request, 4)] == many[:4]
    assert [a.words for a in answers(request, 5, start=4)] == many[4:]


def test_the_greedy_answer_takes_the_likeliest_word() -> None:
    request = odd()["both families"]
    first, *_ = answers(request, 3)
    assert first.words == answers(request, 1, seed=99)[0].words
    for n, (word, allowed) in enumerate(zip(first.words, first.allowed, strict=True)):
        prompt = encode(request).words
        logits, _ = NETWORK.forward(np.array([[ids()[w] for w in (*prompt, *first.words[:n])]]))
        assert logits[0][ids()[word]] == pytest.approx(logits[0][list(allowed)].max(), abs=1e-3)


def test_without_a_greedy_one_all_are_drawn() -> None:
    request = odd()["both families"]
    drawn = sample(NETWORK, Grammar(request), encode(request).words, n=40, seed=0, greedy_first=False)
    assert len({a.words for a in drawn}) > 20


def test_words_come_as_often_as_their_probability_says() -> None:
    """Only to observe is possible: twenty answers, whose probabilities sum to one."""
    request = odd()["only observe"]
    grammar = Grammar(request)
    prompt = encode(request).words
    count = 4000
    drawn = sample(tiny(4), grammar, prompt, n=count, seed=8, greedy_first=False)
    seen = Counter(a.words for a in drawn)
    probability = {a.words: float(np.exp(a.log_probability)) for a in drawn}
    assert sum(probability.values()) <= 1 + 1e-6
    for said, p in probability.items():
        assert abs(seen[said] / count - p) < 5 * (p * (1 - p) / count) ** 0.5 + 1e-3
    cold = sample(tiny(4), grammar, prompt, n=200, seed=8, greedy_first=False, temperature=0.01)
    assert len({a.words for a in cold}) == 1


def test_a_network_that_has_lost_its_mind_is_an_error() -> None:
    broken = tiny()
    broken._norm = broken._norm * np.float32(np.inf)
    request = odd()["IPv6"]
    with np.errstate(all="ignore"), pytest.raises(PolicyError, match="answers with what is not a number"):
        sample(broken, Grammar(request), encode(request).words, n=1, seed=0)
