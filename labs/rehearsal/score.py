"""How a strategy does on a rehearsal twin: exchanges that alerts tell of stopped, declared clients left alone."""

from __future__ import annotations

from collections.abc import Sequence

from labs.simulator import FastField
from labs.validator.measurement import Measurement
from secloop_ai.contracts import PolicyRequest, Strategy

from .twin import Hypothesis, hypotheses, twin

ATTACK = {True: 0.95, False: 0.05}
"""How likely it is that there is an attack: some alert is unexplained, or none is. Of the train split's requests (seeds
0 to 5) none without an unexplained alert was an attack, and about nine of ten others were."""
RETURNING = 0.25
"""How likely the attacker is to come back from another address; about the train split's share."""
EXPLAINED = 0.2
"""Weight of an exchange that a declared client may rightly have made, beside 1 for any other."""
WHOLE = 0.5
"""What is given for everything stopped and everybody served; the rest for how much of it."""
ACTION = 0.01
"""What each action beyond the first costs: of two strategies that do the same, the shorter one."""


class AlertRehearsal:
    """Implements :class:`secloop_ai.contracts.Rehearsal` from the request alone.

    A strategy's figure is what it is worth if the alerts tell of an attack (with an attacker who stays, and one who
    comes back), and if they are a false alarm, each by how likely that is; all of these are our choices, named above.
    """

    def score(self, request: PolicyRequest, strategies: Sequence[Strategy]) -> tuple[float, ...]:
        """A figure per strategy, about 0 to 1, higher is better; the same request and strategies give the same.

        Args:
            request: what a policy was asked.
            strategies: that the guard allows; nothing else is known of one that it does not.
        """
        found = hypotheses(request)
        likely = ATTACK[any(not h.explained for h in found)] if found else 0.0
        fields = [_field(request, found, returns=returns) for returns in (False, True)] if found else []
        return tuple(self._score(s, found, fields, likely) for s in strategies)

    @staticmethod
    def _score(strategy: Strategy, found: tuple[Hypothesis, ...], fields: Sequence[FastField], likely: float) -> float:
        worth = [value(field.evaluate(strategy), found) for field in fields]
        attack = (1 - RETURNING) * worth[0] + RETURNING * worth[1] if worth else 0.0
        return likely * attack + (1 - likely) * strategy.quiet - ACTION * (len(strategy.actions) - 1)


def value(measured: Measurement, found: Sequence[Hypothesis]) -> float:
    """What a strategy is worth if there is an attack, 0 to 1; nothing where it cannot be executed."""
    if not measured.executed:
        return 0.0
    weights = {h.stage.index: EXPLAINED if h.explained else 1.0 for h in found}
    through = sum(weights[s.index] for s in measured.stages if s.succeeded) / sum(weights.values())
    unexplained = [h.stage.index for h in found if not h.explained] or list(weights)
    stopped = not any(s.succeeded for s in measured.stages if s.index in unexplained)
    return WHOLE * (stopped and measured.served) + (1 - WHOLE) * (1 - through) * measured.rs_service


def _field(request: PolicyRequest, found: tuple[Hypothesis, ...], *, returns: bool) -> FastField:
    case, means = twin(request, found, returns=returns)
    return FastField(case, means.__getitem__)
