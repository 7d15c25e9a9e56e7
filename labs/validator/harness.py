"""Any policy on any cases, live or fast: decide with the production guard, evaluate, collect rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from labs.scenario import Case, Kind
from secloop_ai.contracts import Action, AlertSummary, GuardRefusal, Policy, Strategy
from secloop_ai.contracts.base import Frozen
from secloop_ai.loop.decide import build_request, decide

from .judge import refused
from .measurement import Measurement


class Field(Protocol):
    """A battlefield as the validator sees it: the live one and the fast model."""

    @property
    def case(self) -> Case:
        """What is played."""

    def alerts(self) -> tuple[AlertSummary, ...]:
        """What the sensor made of the undefended twin."""

    def undefended(self) -> Measurement:
        """The case when nobody does anything."""

    def evaluate(self, strategy: Strategy) -> Measurement:
        """The case with this strategy applied first."""


FieldFactory = Callable[[Case], Field]


class Row(Frozen):
    """One policy on one case.

    Attributes:
        actions: of the strategy that was evaluated, or of the one that was refused.
        alerts: summaries the policy was shown.
    """

    policy: str
    case_id: str
    suite: str
    family: str
    kind: Kind
    alerts: int
    actions: tuple[Action, ...]
    measurement: Measurement

    @property
    def correct(self) -> bool:
        """The method's accuracy for this case."""
        return self.measurement.correct


def evaluate_policy(
    policy: Policy, cases: Iterable[Case], field_factory: FieldFactory, *, candidates: int = 1, seed: int = 0
) -> Iterator[Row]:
    """One row per case, as they are done.

    A strategy that the guard refuses has not executed. The policy sees the alerts and the inventory, never the case.

    Args:
        policy: asked once per case.
        cases: of any kind.
        field_factory: makes the battlefield of a case.
        candidates: how many the policy is asked for; the guard's first is taken.
        seed: of the policy.

    Raises:
        PolicyError: the policy could not answer.
    """
    for case in cases:
        yield evaluate_on(policy, field_factory(case), candidates=candidates, seed=seed)


def evaluate_on(policy: Policy, field: Field, *, candidates: int = 1, seed: int = 0) -> Row:
    """One row, on a battlefield that is already there."""
    case = field.case
    alerts = field.alerts()
    request = build_request(alerts, case.environment)
    try:
        strategy = decide(request, policy, candidates=candidates, seed=seed).strategy
        measurement = field.evaluate(strategy)
        actions = strategy.actions
    except GuardRefusal as refusal:
        actions, measurement = _refused(refusal, field)
    return Row(
        policy=policy.name,
        case_id=case.case_id,
        suite=case.suite,
        family=case.family,
        kind=case.kind,
        alerts=len(alerts),
        actions=actions,
        measurement=measurement,
    )


def _refused(refusal: GuardRefusal, field: Field) -> tuple[tuple[Action, ...], Measurement]:
    decision = refusal.verdict
    if decision is None:
        return (), refused(field.undefended(), ())
    return decision.strategy.actions, refused(field.undefended(), decision.verdict.refusals)


def accuracy(rows: Iterable[Row]) -> float:
    """Share of the valid cases that were answered correctly; 0.0 without any."""
    valid = [r for r in rows if r.measurement.valid]
    return sum(r.correct for r in valid) / len(valid) if valid else 0.0
