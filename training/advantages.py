"""Advantages beyond the group mean: constraints held by Lagrange multipliers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from labs.scenario import Kind

from .config import Constraints
from .scoring import Score

COSTS = ("availability", "false_block")
"""The constrained costs, each 0 or 1 per answer."""


def centred(values: Tensor, group: int) -> Tensor:
    """Each value less its group's mean; NaN is left out of the mean and has no advantage.

    Args:
        values: (N,), group after group.
        group: answers in one.
    """
    rows = values.view(-1, group)
    return torch.nan_to_num(rows - rows.nanmean(dim=1, keepdim=True), nan=0.0).view(-1)


def costs(score: Score, limits: Constraints) -> tuple[float, float]:
    """Both costs of an answer; NaN where nothing was measured.

    Availability costs when an executed strategy leaves fewer tries served than it should; a false block is an action
    where nobody attacks, or one that takes away what the undefended twin served.
    """
    found = score.measurement
    if found is None or score.reward is None:
        return float("nan"), float("nan")
    down = found.executed and found.rs_service < limits.served
    acted = found.executed and not found.quiet_strategy
    false = acted and (found.kind is not Kind.ATTACK or bool(found.collateral))
    return float(down), float(false)


class Multipliers:
    """One Lagrange multiplier for each cost, 0 at first.

    Args:
        limits: of the mean costs, and how fast the multipliers move.
    """

    def __init__(self, limits: Constraints) -> None:
        self.limits = limits
        self.values = dict.fromkeys(COSTS, 0.0)

    def apply(self, advantages: Tensor, table: Tensor, group: int) -> Tensor:
        """The advantages less each cost's own, times its multiplier.

        Args:
            advantages: (N,), of the rewards.
            table: (N, 2), the costs.
            group: answers in one.
        """
        taken = advantages
        for place, name in enumerate(COSTS):
            taken = taken - self.values[name] * centred(table[:, place], group).to(advantages)
        return taken

    def learn(self, means: Mapping[str, float]) -> None:
        """Move each multiplier by how far its mean cost is above its limit."""
        limit = {"availability": self.limits.availability_limit, "false_block": self.limits.false_block_limit}
        for name in COSTS:
            if not math.isnan(means[name]):
                moved = self.values[name] + self.limits.rate * (means[name] - limit[name])
                self.values[name] = min(self.limits.most, max(0.0, moved))
