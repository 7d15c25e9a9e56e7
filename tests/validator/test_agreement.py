"""Agreement between two back ends, on counts worked out by hand."""

from __future__ import annotations

import pytest

from labs.scenario import Kind
from labs.validator import Measurement
from labs.validator.agreement import Pair, agree, disagreements, wilson


def measured(*, correct: bool, case: str = "c#1", valid: bool = True, served: bool = True) -> Measurement:
    return Measurement(
        case_id=case, backend="live", kind=Kind.ATTACK, valid=valid, quiet_strategy=False, executed=True, rs_exe=1,
        rs_attack=0 if correct else 1, rs_service=1 if served else 0.5,
    )  # fmt: skip


def pairs(both: int, neither: int, live_only: int, fast_only: int) -> list[Pair]:
    rows = (
        [(True, True)] * both + [(False, False)] * neither + [(True, False)] * live_only + [(False, True)] * fast_only
    )
    return [(measured(correct=a), measured(correct=b)) for a, b in rows]


def test_agreement_balance_and_kappa() -> None:
    found = agree(pairs(40, 45, 5, 10))
    assert (found.pairs, found.both, found.neither, found.live_only, found.fast_only) == (100, 40, 45, 5, 10)
    assert found.agreement == pytest.approx(0.85)
    assert found.balanced == pytest.approx((40 / 45 + 45 / 55) / 2)
    # by chance alone they agree in half of the pairs
    assert found.kappa == pytest.approx((0.85 - 0.5) / 0.5)
    # Wilson's interval of 85 in 100
    assert [found.low, found.high] == pytest.approx([0.7672, 0.9069], abs=1e-4)
    assert len(disagreements(pairs(40, 45, 5, 10))) == 15


def test_what_proves_nothing_is_left_out_and_counted() -> None:
    void = (measured(correct=True, valid=False), measured(correct=False))
    found = agree([*pairs(1, 1, 0, 0), void])
    assert (found.pairs, found.void, found.agreement, found.kappa) == (2, 1, 1.0, 1.0)
    assert disagreements([void]) == ()
    with pytest.raises(ValueError, match="no pair of valid measurements"):
        agree([void])


def test_one_sided_samples_do_not_divide_by_zero() -> None:
    assert agree(pairs(3, 0, 0, 0)).kappa == 1.0
    assert agree(pairs(0, 3, 0, 1)).balanced == pytest.approx(0.75)


def test_strategies_that_break_service_are_counted() -> None:
    broken = (measured(correct=False, served=False), measured(correct=False))
    assert agree([*pairs(1, 1, 0, 0), broken]).live_breaks == 1


def test_a_pair_of_two_cases_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="two cases: c#1 and c#2"):
        agree([(measured(correct=True), measured(correct=True, case="c#2"))])


def test_the_interval_stays_within_bounds() -> None:
    assert wilson(0, 10)[0] == 0.0
    assert 0.7 < wilson(10, 10)[0] < wilson(10, 10)[1] <= 1.0
