"""Intervals against values worked out by hand, and against scipy where it is installed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.stats import Estimate, gap, iqm, iqm_interval, mean_interval, mean_over, share

NUMBERS = st.lists(st.floats(-5, 5), min_size=1, max_size=30)


def test_a_share_has_wilsons_interval() -> None:
    found = share(45, 50)
    assert found is not None
    # (0.9 + 1.9208/50 ± 1.96·sqrt(0.9·0.1/50 + 3.8415/10000)) / (1 + 3.8415/50)
    assert found == pytest.approx((0.9, 0.786_4, 0.956_5, 50), abs=1e-4)


def test_of_nothing_there_is_no_share() -> None:
    assert share(0, 0) is None
    assert mean_over([[], []]) is None
    assert mean_interval([]) is None
    assert iqm_interval([[]]) is None


def test_an_interquartile_mean_leaves_a_quarter_out_on_each_side() -> None:
    assert iqm([0.0, 10.0, 1.0, 2.0]) == 1.5  # 0 and 10 fall away
    assert iqm([5.0, 1.0, 2.0, 3.0, 100.0]) == pytest.approx(10 / 3)  # of five values one on each side
    assert iqm([1.0, 2.0, 6.0]) == 3.0  # a quarter of three is less than a value


def test_an_interquartile_mean_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="of nothing"):
        iqm([])


@settings(deadline=None)  # the first call imports scipy
@given(NUMBERS)
def test_the_interquartile_mean_is_scipys_trimmed_mean(values: list[float]) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert iqm(values) == pytest.approx(float(stats.trim_mean(values, 0.25)), abs=1e-9)


def test_wilsons_interval_is_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    for hits in (0, 1, 7, 30, 40):
        theirs = stats.binomtest(hits, 40).proportion_ci(method="wilson")
        ours = share(hits, 40)
        assert ours is not None
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_a_bootstrap_interval_is_about_the_normal_one() -> None:
    values = [float(n % 10) for n in range(1_000)]
    found = mean_interval(values)
    assert found is not None
    half = 1.96 * 2.8723 / 1_000**0.5  # standard deviation of 0..9
    assert found.value == pytest.approx(4.5)
    assert (found.low, found.high) == pytest.approx((4.5 - half, 4.5 + half), abs=0.02)


def test_each_group_counts_the_same_and_is_drawn_within_itself() -> None:
    found = mean_over([[1.0] * 30, [0.0, 0.0]])
    assert found == Estimate(0.5, 0.5, 0.5, 32)  # neither group has anything to draw


def test_groups_are_not_mixed_by_the_interval_over_runs() -> None:
    within = iqm_interval([[0.9] * 5, [0.1] * 5])
    assert within is not None
    assert within.low == within.high == within.value == pytest.approx(0.5)


def test_a_gap_is_paired() -> None:
    hard_and_easy = [(0.9, 0.8), (0.1, 0.0), (0.6, 0.5)]
    found = gap([hard_and_easy])
    assert found is not None
    assert found == pytest.approx((0.1, 0.1, 0.1, 3))  # unpaired, the spread over tasks would swallow it


def test_equal_numbers_give_equal_intervals() -> None:
    values = [[0.01, 0.92, 1.3, 0.44, 1.7, 0.125], [0.31, 0.47]]
    assert iqm_interval(values) == iqm_interval(values)
    assert mean_over(values) == mean_over(values)
    assert mean_over(values, seed=1) != mean_over(values, seed=2)


@settings(deadline=None)  # the first call imports scipy
@given(NUMBERS)
def test_an_interval_lies_within_the_values(values: list[float]) -> None:
    found = mean_interval(values)
    assert found is not None
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
