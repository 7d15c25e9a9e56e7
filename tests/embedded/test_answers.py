"""Whatever the weights say, the answer is a strategy of the closed schema; equal questions get equal answers."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from secloop_ai.contracts import CATALOGUE, Candidate, PolicyError, PolicyRequest
from secloop_ai.policies import resolve
from secloop_ai.policies.embedded import EmbeddedPolicy, Grammar, encode, spell
from secloop_ai.policies.embedded.vocabulary import EOS, ids, words

from .making import requests, saved


@pytest.fixture(scope="module")
def asked() -> list[PolicyRequest]:
    return requests()


def test_prompts_hold_only_words_of_the_vocabulary(asked: list[PolicyRequest]) -> None:
    for request in asked:
        assert set(encode(request).words) <= set(ids())


def test_the_order_of_the_alerts_does_not_matter(asked: list[PolicyRequest]) -> None:
    for request in asked:
        turned = request.model_copy(update={"summaries": tuple(reversed(request.summaries))})
        assert encode(turned) == encode(request)


def test_any_walk_through_the_grammar_is_a_valid_strategy(asked: list[PolicyRequest]) -> None:
    dice = random.Random(7)
    tools = set()
    for request in asked:
        grammar = Grammar(request)
        for _ in range(20):
            said: list[str] = []
            while not said or said[-1] != EOS:
                said.append(dice.choice(grammar.allowed(said)))
            calls = grammar.calls(said)
            tools |= {c.tool for c in calls}
            assert not resolve(Candidate(calls=calls), request, "walk").problems
            assert list(spell(calls)) == said
            assert len(calls) <= request.environment.max_actions
    assert len(tools) > len(CATALOGUE) // 2


def test_what_is_no_beginning_of_an_answer_is_refused(asked: list[PolicyRequest]) -> None:
    grammar = Grammar(asked[0])
    with pytest.raises(PolicyError, match="where a tool belongs"):
        grammar.allowed([words()[0]])
    with pytest.raises(PolicyError, match="no end"):
        grammar.calls([])


def test_drawn_weights_answer_validly_and_alike(asked: list[PolicyRequest], tmp_path: Path) -> None:
    policy = EmbeddedPolicy(saved(tmp_path / "model"))
    for request in asked[::6]:
        found = policy.propose(request, n=4, seed=5)
        assert 1 <= len(found) <= 4
        assert found == policy.propose(request, n=4, seed=5)
        for candidate in found:
            assert not resolve(candidate, request, policy.name).problems
            assert candidate.score <= 0


def test_a_tool_the_weights_do_not_know_is_never_said(asked: list[PolicyRequest]) -> None:
    grammar = Grammar(asked[0], ("observe", "block_ip"))
    assert set(grammar.tools) <= {"observe", "block_ip"}


class TestFiles:
    """What is wrong with the files is said, with their names."""

    def test_no_weights(self, tmp_path: Path) -> None:
        folder = saved(tmp_path / "model")
        (folder / "model.safetensors").unlink()
        with pytest.raises(PolicyError, match=r"model\.safetensors: No such file"):
            EmbeddedPolicy(folder)

    def test_weights_cut_off(self, tmp_path: Path) -> None:
        folder = saved(tmp_path / "model")
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(PolicyError, match=r"model\.safetensors: not a whole safetensors file"):
            EmbeddedPolicy(folder)

    def test_another_vocabulary(self, tmp_path: Path) -> None:
        other = {"secloop": {"vocabulary_sha256": "0" * 64, "tools": []}}
        with pytest.raises(PolicyError, match="another vocabulary"):
            EmbeddedPolicy(saved(tmp_path / "model", changed=other))

    def test_a_configuration_of_something_else(self, tmp_path: Path) -> None:
        folder = saved(tmp_path / "model")
        (folder / "config.json").write_text("{}", encoding="utf-8")
        with pytest.raises(PolicyError, match="names no vocabulary"):
            EmbeddedPolicy(folder)
