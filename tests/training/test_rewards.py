"""The gated rewards on constructed outcomes, against a table worked out by hand."""

from __future__ import annotations

import math

import pytest

from labs.scenario import Kind
from labs.validator import Measurement
from training.rewards import NotScoredError, Reward, reward, tail_mean, worth

from .making import report

QUIET = {"quiet_strategy": True}
TABLE = [
    # what, measurement, rationality → format, execution, evaluation, penalty, R
    ("right answer", report(), 1.0, (1, 1, 1, 0), 3.0),
    ("right, a little harsh", report(), 0.75, (1, 1, 1, -0.25), 2.75),
    ("half the chain, all served", report(rs_attack=0.5), 1.0, (1, 1, 0.5, 0), 2.5),
    ("half the chain, four fifths served", report(rs_attack=0.5, rs_service=0.8), 1.0, (1, 1, 0.4, 0), 2.4),
    ("nothing done under attack", report(**QUIET, rs_attack=1.0), 1.0, (1, 1, 0, 0), 2.0),
    ("everything dropped", report(rs_service=0.1), 0.2, (1, 1, 0.1, -0.8), 1.3),
    ("sensor blinded", report(sensor_alive=False), 0.9, (1, 1, 0, -0.1), 1.9),
    ("refused by the guard", report(executed=False, rs_exe=0.0, rs_attack=1.0), 0.4, (1, 0, 0, -0.6), 0.4),
    ("one call of two failed", report(executed=False, rs_exe=0.5), 1.0, (1, 0, 0, 0), 1.0),
    ("undone, though all calls ran", report(executed=False), 1.0, (1, 0, 0, 0), 1.0),
    ("false alarm, observed", report(**QUIET, kind=Kind.FALSE_ALARM), 1.0, (1, 1, 1, 0), 3.0),
    ("false alarm, acted on", report(kind=Kind.FALSE_ALARM), 1.0, (1, 1, 0, 0), 2.0),
    ("quiet period, acted in", report(kind=Kind.QUIET), 0.5, (1, 1, 0, -0.5), 1.5),
]


@pytest.mark.parametrize(
    ("measurement", "rationality", "columns", "total"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_rewards_are_those_worked_out_by_hand(
    measurement: Measurement, rationality: float, columns: tuple[float, ...], total: float
) -> None:
    found = reward(True, measurement, rationality)
    assert found == pytest.approx(columns)
    assert found.total == pytest.approx(total)


def test_what_does_not_parse_gets_the_whole_penalty() -> None:
    assert reward(False, None, 1.0) == Reward(0.0, 0.0, 0.0, -1.0)
    assert reward(False, None, 1.0).total == -1.0


@pytest.mark.parametrize("name", ["everything dropped", "sensor blinded", "nothing done under attack"])
def test_the_known_ways_to_cheat_score_below_the_right_answer(name: str) -> None:
    totals = {what: reward(True, m, rationality).total for what, m, rationality, *_ in TABLE}
    assert totals[name] < totals["right, a little harsh"] < totals["right answer"]


def test_without_a_sensor_nothing_is_worth_anything() -> None:
    assert worth(report(sensor_alive=False)) == 0.0
    assert worth(report()) == 1.0


def test_what_was_not_measured_is_not_scored() -> None:
    with pytest.raises(NotScoredError, match="not measured"):
        reward(True, None, 1.0)
    with pytest.raises(NotScoredError, match=r"made#1.*proves nothing"):
        reward(True, report(valid=False), 1.0)


@pytest.mark.parametrize("field", ["rs_attack", "rs_service", "rs_exe"])
def test_no_figure_that_is_none_becomes_a_reward(field: str) -> None:
    broken = report().model_copy(update={field: math.nan})
    with pytest.raises(NotScoredError, match=field):
        reward(True, broken, 1.0)
    with pytest.raises(NotScoredError, match="rationality"):
        reward(True, report(), math.nan)


def test_the_tail_is_the_mean_of_the_worst() -> None:
    rows = [Reward(1, 1, w, 0) for w in (1.0, 0.2, 0.6, 0.4)]
    assert tail_mean(rows, 0.5) == pytest.approx((1, 1, 0.3, 0))
    assert tail_mean(rows, 0.01) == rows[1]
    assert tail_mean(rows, 1.0).evaluation == pytest.approx(0.55)
