"""stable-baselines3's learners under a mask: its last marks of an observation say which actions may come next.

Its own learners know no mask; without one most of what a learner tries is a call that the request has no room for.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from gymnasium import spaces
from stable_baselines3 import DQN
from stable_baselines3.common.distributions import CategoricalDistribution, Distribution
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import PyTorchObs
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import Tensor, nn

from .observation import Bits

NEVER = -1e9
"""Score of what the mask forbids."""


def masked(scores: Tensor, seen: Tensor) -> Tensor:
    """Scores (B, A) with `NEVER` where the last A marks of the observations (B, O) are 0."""
    return scores.masked_fill(seen[:, -scores.shape[1] :] == 0, NEVER)


class MaskedActorCritic(ActorCriticPolicy):
    """PPO's actor and critic; what is forbidden has probability 0."""

    _seen: Tensor

    def forward(self, obs: Tensor, deterministic: bool = False) -> tuple[Tensor, Tensor, Tensor]:  # noqa: FBT001, FBT002 - the base class's signature
        """Actions, values and log-probabilities."""
        self._seen = obs
        return super().forward(obs, deterministic)

    def evaluate_actions(self, obs: PyTorchObs, actions: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Values, log-probabilities and entropy."""
        self._seen = cast("Tensor", obs)
        return super().evaluate_actions(obs, actions)

    def get_distribution(self, obs: PyTorchObs) -> Distribution:
        """The actor's."""
        self._seen = cast("Tensor", obs)
        return super().get_distribution(obs)

    def _get_action_dist_from_latent(self, latent_pi: Tensor) -> Distribution:
        kind = cast("CategoricalDistribution", self.action_dist)
        return kind.proba_distribution(action_logits=masked(self.action_net(latent_pi), self._seen))


class MaskedQNetwork(QNetwork):
    """Q-values; what is forbidden is worth less than anything."""

    def forward(self, obs: PyTorchObs) -> Tensor:
        """Q-values (B, A)."""
        return masked(super().forward(obs), cast("Tensor", obs))


class MaskedDqnPolicy(DQNPolicy):
    """DQN's networks, masked."""

    def make_q_net(self) -> QNetwork:
        """One of the two networks."""
        arguments = self._update_features_extractor(self.net_args, features_extractor=None)
        return MaskedQNetwork(**arguments).to(self.device)


class MaskedDqn(DQN):
    """DQN that explores among the allowed actions."""

    def predict(
        self,
        observation: npt.NDArray[Any] | dict[str, npt.NDArray[Any]],
        state: tuple[npt.NDArray[Any], ...] | None = None,
        episode_start: npt.NDArray[Any] | None = None,
        deterministic: bool = False,  # noqa: FBT001, FBT002 - the base class's signature
    ) -> tuple[npt.NDArray[Any], tuple[npt.NDArray[Any], ...] | None]:
        """The best actions, each with the exploration rate's probability any allowed one instead."""
        best, state = self.policy.predict(observation, state, episode_start, deterministic)
        if deterministic:
            return best, state
        seen = cast("Bits", observation)
        bold = np.random.random(len(seen)) < self.exploration_rate
        return np.where(bold, self._any(seen), best), state

    def _sample_action(
        self, learning_starts: int, action_noise: Any = None, n_envs: int = 1
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        if self.num_timesteps >= learning_starts:
            return super()._sample_action(learning_starts, action_noise, n_envs)
        drawn = self._any(cast("Bits", self._last_obs))
        return drawn, drawn

    def _any(self, seen: Bits) -> npt.NDArray[Any]:
        """An allowed action for each observation (B, O)."""
        space = cast("spaces.Discrete", self.action_space)
        masks = seen[:, -int(space.n) :].astype(np.int8)
        return np.array([space.sample(mask) for mask in masks])


class Doubled(nn.Module):
    """The target of double Q-learning (van Hasselt et al. 2016, arXiv 1509.06461) in the target network's place.

    The online network chooses the next action, the target network says what it is worth. The learner takes the
    maximum over what it gets, which is one column. Parameters and state are the target network's.
    """

    def __init__(self, online: QNetwork, target: QNetwork) -> None:
        super().__init__()
        self._online = (online,)  # in a tuple, so that it is not a part of this module
        self.target = target

    def forward(self, obs: PyTorchObs) -> Tensor:
        """What the online network's choice is worth (B, 1)."""
        (online,) = self._online
        chosen = online(obs).argmax(dim=1, keepdim=True)
        return torch.gather(self.target(obs), 1, chosen)


class DoubleDqn(MaskedDqn):
    """DQN with the target of double Q-learning; the rest is DQN's."""

    def _create_aliases(self) -> None:
        super()._create_aliases()
        self.q_net_target = cast("QNetwork", Doubled(self.q_net, self.policy.q_net_target))
