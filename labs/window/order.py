"""From what a person types to what is played."""

from __future__ import annotations

from pathlib import Path

from labs.battlefield.services import servings
from labs.scenario import Scenario, draw, load_scenario
from labs.suites import SuiteError, load_suite
from labs.suites.cases import STRIDE, case_of
from labs.validator.baselines import baseline

from .play import Order

NOBODY = "none"


def order_of(what: str, seed: int, policy: str, *, mid_attack: bool) -> Order:
    """The order.

    Args:
        what: ``SUITE/SCENARIO``, or the path of a scenario file (``.yaml``).
        seed: of the case; for a scenario of a suite the first from there on whose addresses its split may use.
        policy: name of a baseline; ``none`` for the undefended run.
        mid_attack: answer while the attack runs.

    Raises:
        SuiteError: there is no such suite or scenario, the file cannot be used, or the seed is out of range.
        PolicyError: no such baseline.
    """
    if what.endswith((".yaml", ".yml")):
        scenario = load_scenario(Path(what))
        case = draw(scenario, seed)
    else:
        scenario = _found(what)
        if seed >= STRIDE:
            raise SuiteError(f"seed {seed}: not from 0 to {STRIDE - 1}")
        case = case_of(scenario, seed)
    decider = None if policy == NOBODY else baseline(policy)
    return Order(case, servings(scenario, case.seed), decider, mid_attack)


def _found(what: str) -> Scenario:
    suite, _, name = what.partition("/")
    scenarios = {s.name: s for s in load_suite(suite)}
    if name not in scenarios:
        raise SuiteError(f"suite {suite}: no scenario {name!r}; there are {', '.join(scenarios)}")
    return scenarios[name]
