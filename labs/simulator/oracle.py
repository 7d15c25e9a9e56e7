"""What a defender could do at best who knows the case: the right answer that the fast model finds.

It is no baseline: it looks into the case. It shows how far the alerts and the guard let anybody come, and gives live
trials strategies that ought to be right.
"""

from __future__ import annotations

from collections.abc import Sequence

from labs.scenario import Case
from labs.scenario.draw import rng
from secloop_ai.contracts import AlertSummary, Candidate, Strategy
from secloop_ai.loop.decide import build_request, judge

from .answers import answers, calls
from .field import FastField

ORACLE, OTHER = "oracle", "oracle-other"


class _Told(FastField):
    """The fast model of a case with another sensor's alerts."""

    def __init__(self, case: Case, alerts: Sequence[AlertSummary]) -> None:
        super().__init__(case)
        self._told = tuple(alerts)

    def alerts(self) -> tuple[AlertSummary, ...]:
        """The other's."""
        return self._told


def best_answer(case: Case, alerts: Sequence[AlertSummary]) -> Strategy | None:
    """A strategy with the fewest actions that the guard allows for these alerts and that is right in the fast model.

    Args:
        case: what is played.
        alerts: what a sensor has said; only what they name can be acted on.

    Returns:
        None where neither one action nor two are right.

    Raises:
        LabError: a stage's means is not known.
    """
    return answers(_Told(case, alerts)).best


def other_answer(case: Case, alerts: Sequence[AlertSummary], seed: int) -> Strategy | None:
    """Another single action that the guard allows and that is right, drawn among all of them; the first if it is alone.

    Args:
        case: what is played.
        alerts: what a sensor has said.
        seed: of the draw.

    Raises:
        LabError: a stage's means is not known.
    """
    field, request = FastField(case), build_request(alerts, case.environment)
    judged = (judge(Candidate(calls=(call,)), request, OTHER) for call in calls(request))
    right = [s for s, verdict in judged if verdict.allowed and field.evaluate(s).correct]
    return rng(OTHER, case.case_id, seed).choice(right[1:] or right) if right else None
