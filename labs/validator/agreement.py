"""Does the fast model say what the live battlefield says? Pairs of measurements of one strategy on one case."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from math import sqrt

from secloop_ai.contracts.base import Frozen

from .measurement import Measurement

Z_95 = 1.959964
"""Standard normal quantile of a two-sided 95 % interval."""
Pair = tuple[Measurement, Measurement]
"""Live, fast."""
Counts = tuple[int, int, int, int]
"""Correct on both sides, on neither, on the live side alone, on the fast one alone."""


RESAMPLES = 2_000
Interval = tuple[float, float]


class Agreement(Frozen):
    """How two verdicts agree.

    Attributes:
        pairs: of measurements, both valid.
        void: pairs left out because one side's undefended twin failed.
        both, neither: verdicts that agree on correct, on not correct.
        live_only, fast_only: correct on one side alone.
        live_breaks: pairs in which the strategy cost legitimate tries on the live side.
        balanced: mean of the agreement among live-correct and among live-incorrect pairs.
        low, high: 95 % Wilson interval of the plain agreement.
        kappa: Cohen's; 1.0 where both sides are constant and agree.
    """

    pairs: int
    void: int
    both: int
    neither: int
    live_only: int
    fast_only: int
    live_breaks: int
    agreement: float
    balanced: float
    low: float
    high: float
    kappa: float


def agree(pairs: Iterable[Pair]) -> Agreement:
    """Count, and say how sure one can be.

    Raises:
        ValueError: a pair is not of one case, or no valid pair is left.
    """
    every = list(pairs)
    for live, fast in every:
        if live.case_id != fast.case_id:
            raise ValueError(f"a pair of two cases: {live.case_id} and {fast.case_id}")
    kept = [(live, fast) for live, fast in every if live.valid and fast.valid]
    if not kept:
        raise ValueError("no pair of valid measurements")
    both, neither, live_only, fast_only = _counts(kept)
    share = (both + neither) / len(kept)
    low, high = wilson(both + neither, len(kept))
    return Agreement(
        pairs=len(kept),
        void=len(every) - len(kept),
        both=both,
        neither=neither,
        live_only=live_only,
        fast_only=fast_only,
        live_breaks=sum(not live.served for live, _ in kept),
        agreement=share,
        balanced=_balanced(both, neither, live_only, fast_only),
        low=low,
        high=high,
        kappa=_kappa(both, neither, live_only, fast_only),
    )


def intervals(groups: Sequence[Sequence[Pair]], seed: int = 0) -> tuple[Interval, Interval]:
    """95 % intervals of balanced agreement and of kappa, by drawing whole groups with replacement (bootstrap).

    Args:
        groups: pairs that hang together, those of one case: they are drawn as one.
        seed: of the draws.

    Raises:
        ValueError: no valid pair.
    """
    counts = [_counts(group) for group in groups]
    dice = random.Random(seed)
    drawn = [_sum(dice.choices(counts, k=len(counts))) for _ in range(RESAMPLES)]
    whole = [c for c in drawn if sum(c)]
    if not whole:
        raise ValueError("no pair of valid measurements")
    return _middle([_balanced(*c) for c in whole]), _middle([_kappa(*c) for c in whole])


def _counts(pairs: Iterable[Pair]) -> Counts:
    verdicts = [(live.correct, fast.correct) for live, fast in pairs if live.valid and fast.valid]
    both, neither = verdicts.count((True, True)), verdicts.count((False, False))
    return both, neither, verdicts.count((True, False)), verdicts.count((False, True))


def _sum(counts: Iterable[Counts]) -> Counts:
    a, b, c, d = (sum(column) for column in zip(*counts, strict=True))
    return a, b, c, d


def _middle(values: Sequence[float]) -> Interval:
    """What holds 95 % of the values."""
    ordered = sorted(values)
    cut = int(len(ordered) * 0.025)
    return ordered[cut], ordered[-1 - cut]


def _balanced(both: int, neither: int, live_only: int, fast_only: int) -> float:
    return _mean([s for s in (_of(both, live_only), _of(neither, fast_only)) if s is not None])


def disagreements(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """The valid pairs whose verdicts differ, to be explained one by one."""
    return tuple((a, b) for a, b in pairs if a.valid and b.valid and a.correct != b.correct)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson's score interval)."""
    share, z2 = hits / of, Z_95**2
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z_95 * sqrt(share * (1 - share) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    return max(0.0, centre - half), min(1.0, centre + half)


def _kappa(both: int, neither: int, live_only: int, fast_only: int) -> float:
    total = both + neither + live_only + fast_only
    live, fast = (both + live_only) / total, (both + fast_only) / total
    chance = live * fast + (1 - live) * (1 - fast)
    return 1.0 if chance == 1.0 else ((both + neither) / total - chance) / (1 - chance)


def _of(hits: int, misses: int) -> float | None:
    return hits / (hits + misses) if hits + misses else None


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares)
