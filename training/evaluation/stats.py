"""How sure one can be of a figure: intervals of shares, interquartile means over runs, gaps between two policies.

Every draw is seeded: the same numbers give the same intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labs.validator.agreement import wilson

RESAMPLES = 4_000
LEVEL = 0.95
QUARTER = 0.25
SEED = 20_251_211
"""Of every bootstrap; any number would do."""
Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A figure with its 95 % interval.

    Attributes:
        n: observations it rests on.
    """

    value: float
    low: float
    high: float
    n: int


def share(hits: int, of: int) -> Estimate | None:
    """A proportion with Wilson's interval; None of nothing."""
    return Estimate(hits / of, *wilson(hits, of), of) if of else None


def iqm(values: Sequence[float]) -> float:
    """Interquartile mean: the mean without the lowest and the highest quarter (whole values, rounded down).

    Raises:
        ValueError: no value.
    """
    if not len(values):
        raise ValueError("an interquartile mean of nothing")
    return float(_iqm(np.asarray(values, dtype=np.float64)[None, :])[0])


def iqm_interval(groups: Sequence[Sequence[float]], seed: int = SEED) -> Estimate | None:
    """Interquartile mean over all values, with a stratified bootstrap: each group's values are drawn anew within it.

    Args:
        groups: the runs' figures (one for each seed) by task, here by suite.
        seed: of the draws.

    Returns:
        None without any value.
    """
    kept = [np.asarray(g, dtype=np.float64) for g in groups if len(g)]
    if not kept:
        return None
    dice = np.random.default_rng(seed)
    drawn = np.concatenate([g[dice.integers(0, len(g), (RESAMPLES, len(g)))] for g in kept], axis=1)
    low, high = _middle(_iqm(drawn))
    every = np.concatenate(kept)
    return Estimate(float(_iqm(every[None, :])[0]), low, high, len(every))


def mean_over(groups: Sequence[Sequence[float]], seed: int = SEED) -> Estimate | None:
    """Mean of the groups' means, each counting the same, with a stratified bootstrap interval; None of nothing."""
    kept = [np.asarray(g, dtype=np.float64) for g in groups if len(g)]
    if not kept:
        return None
    dice = np.random.default_rng(seed)
    drawn = [g[dice.integers(0, len(g), (RESAMPLES, len(g)))].mean(axis=1) for g in kept]
    low, high = _middle(np.mean(drawn, axis=0))
    return Estimate(float(np.mean([g.mean() for g in kept])), low, high, sum(map(len, kept)))


def mean_interval(values: Sequence[float], seed: int = SEED) -> Estimate | None:
    """Mean with a bootstrap interval; None without any value."""
    if not len(values):
        return None
    kept = np.asarray(values, dtype=np.float64)
    dice = np.random.default_rng(seed)
    low, high = _middle(kept[dice.integers(0, len(kept), (RESAMPLES, len(kept)))].mean(axis=1))
    return Estimate(float(kept.mean()), low, high, len(kept))


def gap(pairs: Sequence[Sequence[tuple[float, float]]], seed: int = SEED) -> Estimate | None:
    """Mean over groups of the mean difference, first less second, with a paired bootstrap: pairs are drawn whole.

    Args:
        pairs: of two policies' figures on the same task, by group (here by suite).
        seed: of the draws.
    """
    return mean_over([[one - other for one, other in group] for group in pairs], seed)


def _iqm(rows: Floats) -> Floats:
    cut = int(rows.shape[1] * QUARTER)
    kept: Floats = np.sort(rows, axis=1)[:, cut : rows.shape[1] - cut]
    return np.asarray(kept.mean(axis=1), dtype=np.float64)


def _middle(drawn: Floats) -> tuple[float, float]:
    edge = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [edge, 1 - edge])
    return float(low), float(high)
