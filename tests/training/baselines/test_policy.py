"""Learned baselines as policies: a folder of figures, read without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from labs.validator.harness import evaluate_on
from secloop_ai.contracts import PolicyError
from training.baselines.board import ACTIONS, OBSERVED, Board
from training.baselines.env import SecLoopEnv
from training.baselines.policy import ABOUT, WEIGHTS, LearnedPolicy, Net, load, save
from training.baselines.rl import Algorithm, DqnConfig, PpoConfig, RlConfig, learner, net_of
from training.baselines.templates import stop

from .world import source, tasks


def a_net(seed: int = 0) -> Net:
    dice = np.random.default_rng(seed)
    shapes = ((8, OBSERVED), (ACTIONS, 8))
    return Net(
        tuple((dice.normal(size=s).astype(np.float32), dice.normal(size=s[0]).astype(np.float32)) for s in shapes),
        "tanh",
    )


@pytest.mark.parametrize("algorithm", ["ppo", "dqn", "ddqn"])
def test_the_network_in_numpy_decides_as_its_learner(algorithm: Algorithm) -> None:
    env = SecLoopEnv(source())
    small = RlConfig(algorithm=algorithm, ppo=PpoConfig(hidden=(16, 16)), dqn=DqnConfig(hidden=(16, 16), buffer=10))
    model = learner(small, source(), seed=1)
    net = net_of(model)
    for index in range(5):
        seen, _ = env.reset(options={"index": index})
        chosen = int(np.asarray(model.predict(seen[None], deterministic=True)[0])[0])
        assert net.ranked(env.board, ())[0] == chosen


def test_scores_are_those_of_torch() -> None:
    net = a_net()
    seen = Board.of(tasks()[0].prompt, tasks()[0].request).observation(())
    (first, bias), (second, other) = ((torch.tensor(w), torch.tensor(b)) for w, b in net.layers)
    x = torch.tanh(first @ torch.tensor(seen, dtype=torch.float32) + bias)
    assert np.allclose(net.scores(seen), (second @ x + other).numpy(), atol=1e-4)
    relu = net._replace(activation="relu")
    y = torch.relu(first @ torch.tensor(seen, dtype=torch.float32) + bias)
    assert np.allclose(relu.scores(seen), (second @ y + other).numpy(), atol=1e-4)


def test_a_saved_policy_is_loaded_as_it_was_and_answers_alike(tmp_path: Path) -> None:
    before = save(a_net(), tmp_path, algorithm="ppo", run={"seed": 0})
    after = load(str(tmp_path))
    assert (after.name, after.digest()) == (before.name, before.digest())
    for task in tasks():
        answers = after.propose(task.request, n=4, seed=0)
        assert answers == before.propose(task.request, n=4, seed=7)
        assert 1 <= len(answers) <= 4
        assert len({repr(c.calls) for c in answers}) == len(answers)
        assert [c.score for c in answers] == sorted((c.score for c in answers), reverse=True)
        assert answers[:1] == after.propose(task.request, n=1, seed=0)


def test_it_passes_the_same_guard_as_every_policy(tmp_path: Path) -> None:
    policy = save(a_net(), tmp_path, algorithm="dqn", run={})
    rows = [evaluate_on(policy, task.field, candidates=4) for task in tasks()]
    assert {r.policy for r in rows} == {policy.name}
    assert all(r.actions for r in rows)


def test_who_prefers_to_stop_observes() -> None:
    weight, bias = np.zeros((ACTIONS, OBSERVED), dtype=np.float32), np.zeros(ACTIONS, dtype=np.float32)
    bias[stop()] = 1
    (only,) = LearnedPolicy(Net(((weight, bias),), "tanh"), "ppo", "0" * 64).propose(tasks()[0].request, n=1, seed=0)
    assert [c.tool for c in only.calls] == ["observe"]


def test_no_candidates_cannot_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="asked for 0"):
        save(a_net(), tmp_path, algorithm="ppo", run={}).propose(tasks()[0].request, n=0, seed=0)


@pytest.mark.parametrize("file", [ABOUT, WEIGHTS])
def test_a_missing_or_broken_file_is_named(tmp_path: Path, file: str) -> None:
    save(a_net(), tmp_path, algorithm="ppo", run={})
    (tmp_path / file).write_bytes((tmp_path / file).read_bytes()[:40])
    with pytest.raises(PolicyError, match=str(tmp_path)):
        load(str(tmp_path))
    (tmp_path / file).unlink()
    with pytest.raises(PolicyError, match=file):
        load(str(tmp_path))


@pytest.mark.parametrize("field", ["templates_sha256", "observation_sha256"])
def test_another_versions_policy_is_refused(tmp_path: Path, field: str) -> None:
    save(a_net(), tmp_path, algorithm="ppo", run={})
    about = json.loads((tmp_path / ABOUT).read_text())
    (tmp_path / ABOUT).write_text(json.dumps({**about, field: "0" * 64}))
    with pytest.raises(PolicyError, match="train it again"):
        load(str(tmp_path))


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    short = np.zeros((ACTIONS, 3), dtype=np.float32)
    save(Net(((short, np.zeros(ACTIONS, dtype=np.float32)),), "tanh"), tmp_path, algorithm="ppo", run={})
    with pytest.raises(PolicyError, match="shape"):
        load(str(tmp_path))


def test_a_folder_must_be_named() -> None:
    with pytest.raises(PolicyError, match="rl:FOLDER"):
        load("")


def test_to_read_it_needs_neither_torch_nor_the_learners() -> None:
    heavy = {"torch", "stable_baselines3", "gymnasium"}
    code = f"import sys, training.baselines.policy; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
