"""The learners: double Q-learning's target by hand, and the mask in each of them."""

from __future__ import annotations

from typing import Any, cast

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.buffers import ReplayBuffer

from training.baselines.learners import Doubled, DoubleDqn, MaskedActorCritic, MaskedDqn, MaskedDqnPolicy
from training.baselines.observation import Bits

FACTS, CHOICES = 2, 3


class Toy(gym.Env[Bits, np.int64]):
    """Two facts and a mask of three actions, never the middle one; the last action is right."""

    observation_space: Any = spaces.Box(0, 1, (FACTS + CHOICES,), dtype=np.uint8)
    action_space: Any = spaces.Discrete(CHOICES)
    taken: list[int]

    def __init__(self) -> None:
        self.taken = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Bits, dict[str, Any]]:
        super().reset(seed=seed, options=options)
        return np.array([1, 0, 1, 0, 1], dtype=np.uint8), {}

    def step(self, action: np.int64) -> tuple[Bits, float, bool, bool, dict[str, Any]]:
        self.taken.append(int(action))
        return np.array([0, 1, 1, 0, 1], dtype=np.uint8), float(action == 2), True, False, {}


def dqn(kind: type[MaskedDqn], **changes: Any) -> MaskedDqn:
    arguments: dict[str, Any] = {"learning_starts": 0, "batch_size": 1, "buffer_size": 8, "gamma": 0.5}
    arguments |= {"seed": 0, "device": "cpu", "policy_kwargs": {"net_arch": []}}
    return kind(MaskedDqnPolicy, Toy(), **arguments | changes)


def set_biases(net: torch.nn.Module, values: list[float]) -> None:
    """Q-values that do not depend on the observation."""
    weight, bias = net.parameters()
    with torch.no_grad():
        weight.zero_()
        bias.copy_(torch.tensor(values))


ONLINE, TARGET = [1.0, 9.0, 2.0], [5.0, 7.0, 3.0]
NEXT = torch.tensor([[0, 1, 1, 0, 1]], dtype=torch.uint8)
"""Allows the first and the last action. The online network prefers the last, the target network the first."""


def test_the_double_target_is_what_the_target_says_of_the_online_networks_choice() -> None:
    model = dqn(DoubleDqn)
    set_biases(model.q_net.q_net, ONLINE)
    set_biases(model.policy.q_net_target.q_net, TARGET)
    assert model.q_net_target(NEXT).tolist() == [[3.0]]


# target 0.25 + 0.5 * 5 (the target's own maximum) or * 3 (the online network's choice), value 1: errors 1.75 and 0.75;
# the Huber loss is |error| - 0.5 beyond 1, and error² / 2 below
@pytest.mark.parametrize(("kind", "loss"), [(MaskedDqn, 1.25), (DoubleDqn, 0.28125)])
def test_one_update_has_the_loss_computed_by_hand(kind: type[MaskedDqn], loss: float) -> None:
    model = dqn(kind)
    set_biases(model.q_net.q_net, ONLINE)
    set_biases(model.policy.q_net_target.q_net, TARGET)
    seen, after = np.array([[1, 0, 1, 0, 1]]), NEXT.numpy()
    cast("ReplayBuffer", model.replay_buffer).add(
        seen, after, np.array([[0]]), np.array([0.25]), np.array([False]), [{}]
    )
    model._setup_learn(1)
    model.train(gradient_steps=1, batch_size=1)
    assert model.logger.name_to_value["train/loss"] == pytest.approx(loss)


def test_a_double_learners_target_follows_its_online_network() -> None:
    model = dqn(DoubleDqn, target_update_interval=1)
    set_biases(model.q_net.q_net, ONLINE)
    set_biases(model.policy.q_net_target.q_net, TARGET)
    model._current_progress_remaining = 1.0
    model._setup_learn(1)
    model._on_step()
    assert [p.tolist() for p in model.policy.q_net_target.parameters()][-1] == ONLINE
    assert isinstance(model.q_net_target, Doubled)
    assert len(list(model.q_net_target.parameters())) == 2


@pytest.mark.parametrize("kind", [MaskedDqn, DoubleDqn])
def test_dqn_explores_and_exploits_within_the_mask(kind: type[MaskedDqn]) -> None:
    model = dqn(kind, learning_starts=20, exploration_fraction=0.5, learning_rate=0.1)
    model.learn(120)
    env = cast("Toy", model.get_env().envs[0].unwrapped)
    assert set(env.taken) == {0, 2}
    assert model.predict(Toy().reset()[0][None], deterministic=True)[0].tolist() == [2]


def test_ppo_explores_within_the_mask_and_learns() -> None:
    env = Toy()
    model = PPO(MaskedActorCritic, env, n_steps=32, batch_size=32, learning_rate=0.05, seed=0, device="cpu")
    model.learn(192)
    assert set(env.taken) == {0, 2}
    assert model.predict(env.reset()[0], deterministic=True)[0] == 2
    chances = model.policy.get_distribution(torch.as_tensor(env.reset()[0][None])).distribution.probs
    assert chances[0, 1] == 0


def test_the_plain_learner_is_another_one() -> None:
    assert DoubleDqn.train is DQN.train
    assert MaskedDqn._create_aliases is DQN._create_aliases
