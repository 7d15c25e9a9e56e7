"""What the figures count, on constructed outcomes and on the two policies that game a bad figure."""

from __future__ import annotations

import pytest

from labs.scenario import Kind, Suite
from labs.simulator import FastField
from labs.validator import baseline
from labs.validator.measurement import Measurement
from secloop_ai.contracts import Policy
from training.evaluation.metrics import ABOUT, containment_s, figures
from training.evaluation.outcome import Outcome, play, play_mid

from .making import attack, held_out, outcome


def value(outcomes: list[Outcome], name: str) -> float | None:
    found = figures(outcomes)[name]
    return None if found is None else found.value


def played(policy: Policy) -> list[Outcome]:
    return [play(policy, FastField(c), candidates=8, seed=1) for s in Suite for c in held_out(s.value)]


def test_every_figure_of_constructed_outcomes() -> None:
    calm = {"kind": Kind.FALSE_ALARM, "stages": 0, "services": 2}
    found = figures(
        [
            outcome("a#1", correct=True, stages=2, services=2, acted=1, actions=1, gated=1, proposed=3, fitting=3),
            outcome("b#1", stages=2, through=1, services=2, lost=1, service=0.5, acted=3, benign=2, actions=2, gated=1),
            outcome("c#1", refused=True, executed=False, through=1, services=2, turned_down=4, reviewed=4, proposed=4),
            outcome("d#1", **calm, correct=True, quiet=True),
            outcome("e#1", **calm, acted=1, benign=1, actions=1, gated=1, reviewed=2, turned_down=1),
            outcome("f#1", valid=False, through=1, acted=9, benign=9, lost=9, services=9),
        ]
    )
    values = {name: e.value for name, e in found.items() if e}
    assert values == pytest.approx(
        {
            "accuracy": 2 / 5,
            "accuracy on attacks": 1 / 3,
            "attack success": 2 / 5,
            "contained": 1 / 3,
            "availability": 0.9,
            "collateral": 1 / 10,
            "false blocks": 3 / 5,
            "restraint": 1 / 2,
            "evidence gated": 3 / 4,
            "guard refusals": 5 / 9,
            "all refused": 1 / 5,
            "valid candidates": 7 / 10,
            "executed": 4 / 5,
        }
    )
    assert set(found) == {a.name for a in ABOUT}


def test_a_case_that_proves_nothing_counts_nowhere() -> None:
    assert set(figures([outcome(valid=False, correct=True)]).values()) == {None}


def test_to_do_nothing_is_restrained_and_defends_nobody() -> None:
    found = played(baseline("no-op"))
    assert value(found, "restraint") == 1.0
    assert value(found, "attack success") == 1.0
    assert value(found, "accuracy on attacks") == 0.0
    assert value(found, "collateral") == 0.0
    assert value(found, "false blocks") is None  # it acts on nobody


def test_to_block_everything_stops_much_and_pays_for_it() -> None:
    found, nothing = played(baseline("block-all")), played(baseline("no-op"))
    assert value(found, "restraint") == 0.0
    stopped, untouched = value(found, "attack success"), value(nothing, "attack success")
    assert stopped is not None
    assert untouched is not None
    assert stopped < untouched
    for name, least in (("false blocks", 0.3), ("collateral", 0.05)):
        cost = value(found, name)
        assert cost is not None
        assert cost > least
    accuracy = value(found, "accuracy")
    served = value(found, "availability")
    assert accuracy == 0.0
    assert served is not None
    assert served < (value(nothing, "availability") or 0.0)


def test_a_refused_strategy_is_neither_restraint_nor_an_execution() -> None:
    found = [o for o in played(baseline("random-valid")) if o.refused]
    assert found
    assert not any(o.quiet or o.executed or o.correct or o.acted for o in found)
    assert all(o.turned_down == o.reviewed == o.proposed for o in found)


class MidField(FastField):
    """A field whose run in mid-attack is given: only battlefields have any."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__(attack())
        self._seconds = seconds

    def respond(self, _policy: Policy, *, candidates: int, seed: int) -> Measurement:  # noqa: ARG002 - it is given
        return self.undefended().model_copy(update={"time_to_contain_s": self._seconds, "quiet_strategy": False})


def test_an_attack_that_never_ends_is_counted_beside_the_median() -> None:
    found = [play_mid(baseline("no-op"), MidField(s), candidates=1, seed=0) for s in (1.0, 4.0, 2.0, None)]  # type: ignore[arg-type]  # it has all that is asked of a LiveField here
    assert containment_s(found) == (2.0, 3, 4)
    assert containment_s([outcome()]) == (None, 0, 0)
    assert value(found, "valid candidates") is None  # what was proposed on the way is not known
