"""PPO, DQN and double DQN on the fast model, by stable-baselines3, within a fixed budget of seconds and steps.

The figures are for a small network and a reward at the end of at most four steps, which nothing discounts. They come
from a few runs of two minutes on the train split, looked at on the validation split; they are no search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from secloop_ai.contracts.base import Frozen
from training.sources import TaskSource

from .clock import Clock
from .curve import Curve
from .env import Memory, SecLoopEnv
from .learners import DoubleDqn, MaskedActorCritic, MaskedDqn, MaskedDqnPolicy
from .policy import Activation, Net

Algorithm = Literal["ppo", "dqn", "ddqn"]


class PpoConfig(Frozen):
    """Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347), as stable-baselines3 has it."""

    hidden: tuple[int, ...] = (128, 128)
    learning_rate: float = Field(default=5e-4, gt=0)
    rollout: int = Field(default=1024, ge=2)
    batch: int = Field(default=128, ge=2)
    epochs: int = Field(default=6, ge=1)
    clip: float = Field(default=0.2, gt=0)
    entropy: float = Field(default=0.01, ge=0)
    lambda_: float = Field(default=0.95, ge=0, le=1)


class DqnConfig(Frozen):
    """Deep Q-learning (Mnih et al. 2015), with or without a double target.

    Attributes:
        explore: steps until the share of random actions has fallen from 1 to `explore_end`.
        every: steps per update.
        target_every: steps from one copy of the target network to the next.
    """

    hidden: tuple[int, ...] = (128, 128)
    learning_rate: float = Field(default=1e-3, gt=0)
    buffer: int = Field(default=20_000, ge=1)
    batch: int = Field(default=64, ge=1)
    start: int = Field(default=1_000, ge=0)
    explore: int = Field(default=8_000, ge=1)
    explore_end: float = Field(default=0.05, ge=0, le=1)
    every: int = Field(default=8, ge=1)
    target_every: int = Field(default=500, ge=1)


class RlConfig(Frozen):
    """A run of one of the three.

    Attributes:
        steps: of the environments together, at most; the clock may end the run earlier.
        environments: side by side, so that one look at the network serves them all.
        points: steps from one point of the curve to the next.
    """

    algorithm: Algorithm
    steps: int = Field(default=2_000_000, ge=1)
    environments: int = Field(default=8, ge=1)
    points: int = Field(default=5_000, ge=1)
    ppo: PpoConfig = PpoConfig()
    dqn: DqnConfig = DqnConfig()


def learn(
    config: RlConfig,
    source: TaskSource,
    *,
    seed: int,
    clock: Clock,
    curve: Curve,
    kept: Callable[[Net], Mapping[str, float]],
) -> Mapping[str, int]:
    """Train until the clock or the steps are at their end.

    Args:
        config: of the run.
        source: of the tasks.
        seed: of weights, tasks and exploration.
        clock: of the budget; stopped while the learner is built and while `kept` looks at the network.
        curve: gets a row of the training's own episodes at each point.
        kept: is shown the network at each point, and gives its figures for the curve.

    Returns:
        How many steps and episodes there were.
    """
    with clock.stopped():
        model = learner(config, source, seed)
    watch = _Watch(config.points, clock, curve, lambda: kept(net_of(model)))
    model.learn(total_timesteps=config.steps, callback=watch)
    watch.end()
    return {"steps": int(model.num_timesteps), "episodes": watch.episodes}


def learner(config: RlConfig, source: TaskSource, seed: int) -> BaseAlgorithm:
    """The untrained learner with its environments."""
    memory = Memory(source)
    env = DummyVecEnv([partial(SecLoopEnv, memory)] * config.environments)
    if config.algorithm == "ppo":
        return _ppo(config.ppo, env, seed)
    return _dqn(config, MaskedDqn if config.algorithm == "dqn" else DoubleDqn, env, seed)


def _ppo(config: PpoConfig, env: DummyVecEnv, seed: int) -> PPO:
    return PPO(
        MaskedActorCritic,
        env,
        learning_rate=config.learning_rate,
        n_steps=max(1, config.rollout // env.num_envs),
        batch_size=config.batch,
        n_epochs=config.epochs,
        clip_range=config.clip,
        ent_coef=config.entropy,
        gae_lambda=config.lambda_,
        gamma=1.0,
        policy_kwargs={"net_arch": list(config.hidden)},
        seed=seed,
        device="cpu",
    )


def _dqn(config: RlConfig, kind: type[MaskedDqn], env: DummyVecEnv, seed: int) -> MaskedDqn:
    own = config.dqn
    return kind(
        MaskedDqnPolicy,
        env,
        learning_rate=own.learning_rate,
        buffer_size=own.buffer,
        batch_size=own.batch,
        learning_starts=own.start,
        train_freq=1,
        gradient_steps=max(1, env.num_envs // own.every),
        target_update_interval=own.target_every,
        exploration_fraction=min(1.0, own.explore / config.steps),
        exploration_final_eps=own.explore_end,
        gamma=1.0,
        policy_kwargs={"net_arch": list(own.hidden)},
        seed=seed,
        device="cpu",
    )


def net_of(model: BaseAlgorithm) -> Net:
    """What decides, in NumPy: PPO's actor, or the Q-network."""
    if isinstance(model, PPO):
        policy = model.policy
        return _net((*policy.mlp_extractor.policy_net, policy.action_net), "tanh")
    if isinstance(model, MaskedDqn):
        return _net(tuple(model.q_net.q_net), "relu")
    raise TypeError(f"no network to take from a {type(model).__name__}")


def _net(parts: tuple[nn.Module, ...], activation: Activation) -> Net:
    layers = (p for p in parts if isinstance(p, nn.Linear))
    return Net(tuple((_array(p.weight), _array(p.bias)) for p in layers), activation)


def _array(tensor: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    return tensor.detach().cpu().numpy().astype(np.float32, copy=True)


class _Watch(BaseCallback):
    """Ends training by the clock, and draws the curve."""

    def __init__(self, every: int, clock: Clock, curve: Curve, kept: Callable[[], Mapping[str, float]]) -> None:
        super().__init__()
        self.episodes = 0
        self._every, self._clock, self._curve, self._kept = every, clock, curve, kept
        self._next = every
        self._rewards: list[float] = []
        self._correct: list[float] = []

    def _on_step(self) -> bool:
        for reward, done, info in zip(*(self.locals[k] for k in ("rewards", "dones", "infos")), strict=True):
            if done:
                self._rewards.append(float(reward))
                self._correct.append(float(info["correct"]))
                self.episodes += 1
        if self.num_timesteps >= self._next:
            self.point()
        return not self._clock.over or not self.episodes

    def end(self) -> None:
        """The last row, where steps came after the one before."""
        if self.num_timesteps > self._next - self._every:
            self.point()

    def point(self) -> None:
        """A row of the episodes since the last."""
        own: dict[str, list[float]] = {"train_reward": self._rewards, "train_correct": self._correct}
        means = {name: float(np.mean(figures)) for name, figures in own.items() if figures}
        with self._clock.stopped():
            self._curve.add(step=self.num_timesteps, seconds=self._clock.seconds, **self._kept(), **means)
        self._rewards, self._correct = [], []
        self._next = self.num_timesteps + self._every
