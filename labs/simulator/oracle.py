"""What a defender could do at best who knows the case: the right answer that the fast model finds.

It is no baseline: it looks into the case. It shows how far the alerts and the guard let anybody come, and gives live
trials strategies that ought to be right.
"""

from __future__ import annotations

from collections.abc import Sequence

from labs.scenario import Case
from secloop_ai.contracts import AlertSummary, Strategy

from .answers import answers
from .field import FastField

ORACLE = "oracle"


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
