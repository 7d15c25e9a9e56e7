"""Strategies tried before they are used, on a twin made of what the defender knows.

Nothing of a case is looked at but its request: alert summaries and inventory. What the alerts may mean is a guess, so
that a rehearsal can be wrong where the battlefield is right; it costs milliseconds and needs no packets.

rehearsal = AlertRehearsal()
rehearsal.score(request, strategies)                # one figure each, higher is better
RehearsedPolicy(policy, candidates=16).propose(...) # the policy's candidates, best rehearsed first
"""

from __future__ import annotations

from .policy import RehearsedPolicy
from .score import AlertRehearsal
from .twin import Hypothesis, hypotheses, twin

__all__ = ["AlertRehearsal", "Hypothesis", "RehearsedPolicy", "hypotheses", "twin"]
