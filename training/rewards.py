"""The method's gated rewards (arXiv 2512.09485), as pure functions of what was measured.

    R = R_format + [R_format] * R_exec + [R_format * R_exec] * W - P
    W = (1 - rs_attack) * rs_service
    P = 1 - rationality

All weights are 1; R lies in [-1, 3]. Our choices, where the method is silent or can be gamed:

- rs_attack is the attacker's success, and rs_service the share of legitimate tries that were served, not a 0/1 probe.
- W is 0 where the sensor did not see to the end: whoever blinds it has defended nothing.
- On a false alarm and in a quiet period only `observe` is right: W is 0 for a strategy that acts there.
- An answer that does not parse has no strategy to judge: its rationality is 0.
- What was not measured is not scored. It never counts as 0, which would teach that the answer was bad.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from labs.scenario import Kind
from labs.validator import Measurement
from secloop_ai.contracts.errors import SecLoopError

COMPONENTS = ("format", "execution", "evaluation", "penalty")
"""Columns of a reward, in the order of the gates; the penalty's is -P."""
SIGNS = {"format": 1, "execution": 1, "evaluation": 1, "penalty": -1}
"""How each component enters R."""


class NotScoredError(SecLoopError):
    """There is nothing to compute a reward from; the sample is left out, never scored 0."""


class Reward(NamedTuple):
    """The components of one reward as they enter the sum, gates and sign applied; their sum is R."""

    format: float
    execution: float
    evaluation: float
    penalty: float

    @property
    def total(self) -> float:
        """R."""
        return math.fsum(self)


def reward(well_formed: bool, measurement: Measurement | None, rationality: float) -> Reward:  # noqa: FBT001 - the gate
    """The reward of one answer.

    Args:
        well_formed: it parses and fits the contract.
        measurement: the validator's report; None only for an answer that is not well-formed.
        rationality: the judge's, in [0, 1]; not looked at for an answer that is not well-formed.

    Raises:
        NotScoredError: no measurement, one of a case that proves nothing, or a figure that is not in its range.
    """
    if not well_formed:
        return Reward(0.0, 0.0, 0.0, -1.0)
    penalty = 1.0 - _unit(rationality, "rationality")
    if measurement is None:
        raise NotScoredError("the answer was not measured")
    if not measurement.valid:
        raise NotScoredError(f"case {measurement.case_id}: the attack failed in the undefended twin: it proves nothing")
    done = _unit(measurement.rs_exe, "rs_exe")
    if not measurement.executed or done < 1.0:
        return Reward(1.0, 0.0, 0.0, -penalty)
    return Reward(1.0, 1.0, worth(measurement), -penalty)


def worth(measurement: Measurement) -> float:
    """W: the evaluation reward of an executed strategy, in [0, 1].

    Raises:
        NotScoredError: a figure that is not in its range.
    """
    held = 1.0 - _unit(measurement.rs_attack, "rs_attack")
    served = _unit(measurement.rs_service, "rs_service")
    needless = measurement.kind is not Kind.ATTACK and not measurement.quiet_strategy
    return 0.0 if needless or not measurement.sensor_alive else held * served


def tail_mean(rewards: Sequence[Reward], share: float) -> Reward:
    """The mean of the worst: CVaR over battlefield replicas, component by component.

    Args:
        rewards: of one answer, one per replica; at least one.
        share: of the replicas that count as the worst, above 0; at least one replica does.
    """
    worst = sorted(rewards, key=lambda r: r.total)[: max(1, math.ceil(share * len(rewards)))]
    return Reward(*(math.fsum(column) / len(worst) for column in zip(*worst, strict=True)))


def _unit(value: float, name: str) -> float:
    """The figure itself; NaN is in no range."""
    if not 0.0 <= value <= 1.0:
        raise NotScoredError(f"{name} is {value}, not from 0 to 1")
    return value
