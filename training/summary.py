"""A generation in figures: the ground truth beside the reward."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from .rewards import Reward
from .rollouts import Batch


def summary(batch: Batch, total: Callable[[Reward], float]) -> dict[str, float]:
    """Accuracy and what it is made of, how it goes with the reward, and what was not scored."""
    known = [s.score for s in batch.samples if not math.isnan(s.score.correct)]
    reports = [s.measurement for s in known if s.measurement is not None]
    pairs = [(total(s.reward), s.correct) for s in known if s.reward is not None]
    return {
        "correct": mean([s.correct for s in known]),
        "executed": mean([float(m.executed) for m in reports]),
        "rs_attack": mean([m.rs_attack for m in reports]),
        "rs_service": mean([m.rs_service for m in reports]),
        "quiet": mean([float(m.quiet_strategy) for m in reports]),
        "reward_goes_with_correct": correlation(pairs),
        "not_scored": float(sum(s.score.reward is None for s in batch.samples)),
        "replaced_groups": float(batch.replaced),
    }


def mean(values: Sequence[float]) -> float:
    """The mean; NaN of nothing."""
    return math.fsum(values) / len(values) if values else math.nan


def correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Pearson's, NaN where one side does not vary."""
    if len(pairs) < 2 or all(a == b for a, b in pairwise(pairs)):  # noqa: PLR2004 - one point has no direction
        return math.nan
    x, y = (mean(column) for column in zip(*pairs, strict=True))
    up = math.fsum((a - x) * (b - y) for a, b in pairs)
    spread = math.sqrt(math.fsum((a - x) ** 2 for a, _ in pairs) * math.fsum((b - y) ** 2 for _, b in pairs))
    return up / spread if spread else math.nan
