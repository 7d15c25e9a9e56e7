"""The policy as the loop sees it: candidates, what it was not shown, and what is wrong with its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from secloop_ai.contracts import CATALOGUE, Decision, GuardRefusal, Policy, PolicyError, PolicyRequest
from secloop_ai.loop.decide import build_request, decide
from secloop_ai.policies import load_policy
from secloop_ai.policies.embedded import EmbeddedPolicy, encode
from secloop_ai.policies.embedded.encode import shown
from secloop_ai.policies.embedded.policy import CONFIG, WEIGHTS
from secloop_ai.policies.embedded.vocabulary import digest, words
from secloop_ai.policies.examples import example
from tests.embedded.making import saved
from tests.policies.samples import summary, with_access

from .asked import drawn, odd


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("weights") / "model")


@pytest.fixture(scope="module")
def policy(folder: Path) -> EmbeddedPolicy:
    return EmbeddedPolicy(folder)


def _decided(request: PolicyRequest, policy: Policy) -> Decision:
    """The decision, or the best one of those refused."""
    try:
        return decide(request, policy, candidates=4, seed=1)
    except GuardRefusal as refusal:
        return cast("Decision", refusal.verdict)


class TestCandidates:
    def test_many_are_different_and_in_order(self, policy: EmbeddedPolicy) -> None:
        for request in drawn(range(6)):
            found = policy.propose(request, n=8, seed=3)
            assert found == policy.propose(request, n=8, seed=3)
            assert len({str(c.calls) for c in found}) == len(found) <= 8
            (alone,) = policy.propose(request, n=1, seed=9)
            assert found[0].calls == alone.calls
            assert found[0].score == pytest.approx(alone.score, abs=1e-4)
            scores = [c.score for c in found[1:]]
            assert scores == sorted(scores, reverse=True)
            assert max(scores, default=0) <= 0

    def test_where_there_are_few_answers_all_of_them_come(self, policy: EmbeddedPolicy) -> None:
        found = policy.propose(odd()["only observe"], n=16, seed=0)
        assert 1 < len(found) <= 16
        assert {c.calls[0].tool for c in found} == {"observe"}

    def test_none_is_an_error(self, policy: EmbeddedPolicy) -> None:
        with pytest.raises(PolicyError, match="asked for 0"):
            policy.propose(odd()["IPv6"], n=0, seed=0)

    def test_through_the_loop(self, policy: EmbeddedPolicy) -> None:
        decided = [_decided(request, policy) for request in drawn(range(12))]
        assert all(r.rule != "closed-schema" for d in decided for r in d.verdict.refusals)
        assert {d.policy_sha256 for d in decided} == {policy.digest()}
        assert any(d.verdict.allowed for d in decided)

    def test_by_name(self, folder: Path, policy: EmbeddedPolicy) -> None:
        loaded: Policy = load_policy(f"embedded:{folder}")
        assert isinstance(loaded, Policy)
        assert (loaded.name, loaded.digest()) == (policy.name, policy.digest())


class TestRoom:
    """What finds no room is counted, and the count is said."""

    def test_alerts_hosts_and_sources(self, policy: EmbeddedPolicy) -> None:
        request = odd()["64 alerts"]
        left = encode(request).left_out
        assert left["alerts"] >= 1
        assert request.pointers.left_out["src"] == 64 - 8
        (found,) = policy.propose(request, n=1, seed=0)
        assert f"not shown to it for want of room: {left['alerts']} alerts" in _sorted_told(found.rationale)
        assert "without a pointer: 56 src" in found.rationale

    def test_hosts_without_a_pointer(self, policy: EmbeddedPolicy) -> None:
        (found,) = policy.propose(odd()["200 hosts"], n=1, seed=0)
        assert f"{odd()['200 hosts'].pointers.left_out['host']} host" in found.rationale

    def test_nothing_is_said_where_all_was_shown(self, policy: EmbeddedPolicy) -> None:
        (found,) = policy.propose(build_request((summary(),), with_access()), n=1, seed=0)
        assert "room" not in found.rationale
        assert "pointer" not in found.rationale

    @pytest.mark.parametrize("name", odd())
    def test_how_many_there_are_stands_in_the_prompt(self, name: str) -> None:
        request = odd()[name]
        shown = encode(request).words
        total = sum(w == "<alert>" for w in shown) + encode(request).left_out.get("alerts", 0)
        assert total == len(request.summaries)
        assert any(w.startswith("all:") for w in shown)
        assert any(w.startswith("from:") for w in shown)

    def test_a_rationale_has_room_for_everything_left_out(self, policy: EmbeddedPolicy) -> None:
        made = example(1, summaries=64, hosts=400, devices=40)
        (found,) = policy.propose(build_request(made.summaries, made.environment), n=1, seed=0)
        assert "without a pointer" in found.rationale

    def test_an_answer_fits_the_positions_that_the_prompt_leaves(self, tmp_path: Path) -> None:
        request = odd()["64 alerts"]
        shown = len(encode(request).words)
        tight = EmbeddedPolicy(saved(tmp_path / "tight", changed={"max_position_embeddings": shown + 11}))
        for candidate in tight.propose(request, n=6, seed=0):
            assert 1 <= len(candidate.calls) <= 2
        short = EmbeddedPolicy(saved(tmp_path / "short", changed={"max_position_embeddings": shown + 3}))
        with pytest.raises(PolicyError, match="no room for an answer: 3 words are left"):
            short.propose(request, n=1, seed=0)


def _sorted_told(rationale: str) -> str:
    """The rationale with its first kind of left-out entities in front, in whatever order they were counted."""
    head, _, tail = rationale.partition("not shown to it for want of room: ")
    kinds = sorted(tail.partition(";")[0].split(", "), key=lambda k: k.split()[1])
    return f"{head}not shown to it for want of room: {', '.join(kinds)}"


class TestFiles:
    """What is wrong with the files is one sentence that names them."""

    def test_weights_that_are_not_numbers(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "model") / WEIGHTS
        found = load_file(path)
        found["model.layers.0.mlp.down_proj.weight"][0, 0] = np.nan
        save_file(found, path)
        with pytest.raises(PolicyError, match=r"model\.layers\.0\.mlp\.down_proj\.weight holds what is not a number"):
            EmbeddedPolicy(path.parent)

    @pytest.mark.parametrize("kept", [0, 4, 9, 2000, -1])
    def test_weights_cut_off_anywhere(self, tmp_path: Path, kept: int) -> None:
        path = saved(tmp_path / "model") / WEIGHTS
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(PolicyError, match=r"model\.safetensors: not a whole safetensors file"):
            EmbeddedPolicy(path.parent)

    def test_weights_that_are_a_folder_or_missing(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "model") / WEIGHTS
        path.unlink()
        with pytest.raises(PolicyError, match=r"model\.safetensors: No such file"):
            EmbeddedPolicy(path.parent)
        path.mkdir()
        with pytest.raises(PolicyError, match=r"model\.safetensors: Is a directory"):
            EmbeddedPolicy(path.parent)
        with pytest.raises(PolicyError, match=r"config\.json: No such file"):
            load_policy(f"embedded:{tmp_path}/nowhere")

    def test_weights_of_another_size(self, tmp_path: Path) -> None:
        folder = saved(tmp_path / "model", changed={"intermediate_size": 50})
        with pytest.raises(PolicyError, match=r"gate_proj\.weight is \(48, 32\), not \(50, 32\)"):
            EmbeddedPolicy(folder)

    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"secloop": {"vocabulary_sha256": digest(words()[:-1]), "tools": []}}, "speak another vocabulary"),
            ({"secloop": {"vocabulary_sha256": digest(), "tools": "all"}}, r"secloop\.tools is not a list"),
            ({"secloop": {"vocabulary_sha256": digest(), "tools": [1]}}, r"secloop\.tools is not a list"),
            ({"secloop": {"vocabulary_sha256": digest(), "trained_words": 7}}, r"trained_words is not a list"),
            ({"secloop": []}, "names no vocabulary"),
            ({"vocab_size": 9}, r"config\.json: vocab_size is 9"),
            ({"model_type": "mamba"}, "not of a Llama model"),
        ],
    )
    def test_a_wrong_configuration(self, tmp_path: Path, changed: dict[str, Any], told: str) -> None:
        with pytest.raises(PolicyError, match=told):
            EmbeddedPolicy(saved(tmp_path / "model", changed=changed))

    @pytest.mark.parametrize("text", ["", "[]", "{", "null", "\x00"])
    def test_a_configuration_that_is_none(self, tmp_path: Path, text: str) -> None:
        folder = saved(tmp_path / "model")
        (folder / CONFIG).write_text(text, encoding="utf-8")
        with pytest.raises(PolicyError, match=r"config\.json"):
            EmbeddedPolicy(folder)

    def test_weights_that_know_no_tool_of_this_network(self, tmp_path: Path) -> None:
        own = {"vocabulary_sha256": digest(), "tools": ["dns_sinkhole"]}
        found = EmbeddedPolicy(saved(tmp_path / "model", changed={"secloop": own}))
        with pytest.raises(PolicyError, match="no action that this policy knows is offered"):
            found.propose(odd()["no alert"], n=1, seed=0)

    def test_words_that_training_never_showed_are_shown_as_the_rest(self, tmp_path: Path) -> None:
        request = build_request((summary(techniques=("T1110.001",)),), with_access())
        known = [w for w in words() if not w.startswith("technique:T")]
        own = {"vocabulary_sha256": digest(), "tools": list(CATALOGUE), "trained_words": known}
        found = EmbeddedPolicy(saved(tmp_path / "model", changed={"secloop": own}))
        seen = shown(encode(request).words, found._known)
        assert "technique:other" in seen
        assert not any(w.startswith("technique:T") for w in seen)


def test_the_configuration_is_plain_json(folder: Path) -> None:
    assert json.loads((folder / CONFIG).read_text())["secloop"]["vocabulary_sha256"] == digest()


def test_requests_are_not_changed(policy: EmbeddedPolicy) -> None:
    request: PolicyRequest = odd()["both families"]
    before = request.prompt_digest()
    policy.propose(request, n=3, seed=0)
    assert request.prompt_digest() == before
