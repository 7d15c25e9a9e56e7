"""Another house's sensor: the same traffic under other rules' names, so that nothing is learned by heart from ours."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

from secloop_ai.contracts import AlertSummary, Technique
from secloop_ai.policies.embedded.features import CLASSES, tactics

RENAMED = 0.5
"""Share of a case's rules that another sensor names differently."""
NAMED = 0.7
"""Share of the rules that name an ATT&CK technique."""
_CALM = ("not-suspicious", "unknown", "misc-activity")
_ALARMING = tuple(c for c in CLASSES if c not in _CALM)
TOLD_HARMLESS = {True: 0.35, False: 0.04}
"""Share of the rules that call what they match harmless, where it is and where it is not."""


def renamed(
    summaries: Sequence[AlertSummary], dice: random.Random, *, harmless: bool = False
) -> tuple[AlertSummary, ...]:
    """The summaries, with technique, classification, severity and counts as another rule set might have them.

    Who did what to whom, the protocol and the handshake stay: they are the traffic's, not the rule's. Rules for
    traffic that is nobody's attack (`harmless`) more often say so.
    """
    told: dict[int, _Rule | None] = {}
    found = []
    for summary in summaries:
        if summary.signature_id not in told:
            told[summary.signature_id] = _Rule(dice, TOLD_HARMLESS[harmless]) if dice.random() < RENAMED else None
        rule = told[summary.signature_id]
        found.append(rule.names(summary) if rule else summary)
    return tuple(found)


class _Rule:
    """What one rule of another rule set says of the traffic it matches."""

    def __init__(self, dice: random.Random, harmless: float) -> None:
        calm = dice.random() < harmless
        self._classification = dice.choice(_CALM if calm else _ALARMING)
        known: tuple[Technique, ...] = tuple(tactics())
        self._techniques = (dice.choice(known),) if dice.random() < NAMED else ()
        self._severity = 3 if calm else dice.choice((1, 1, 2, 2, 2, 3))
        self._more = dice.choice((0.3, 0.6, 1.0, 2.0, 5.0, 20.0))
        self._slower = dice.choice((0.3, 1.0, 1.0, 2.0))

    def names(self, summary: AlertSummary) -> AlertSummary:
        count = max(1, round(summary.count * self._more))
        seconds = min(29.0, summary.seconds * self._slower)
        return summary.model_copy(
            update={
                "classification": self._classification,
                "techniques": self._techniques,
                "severity": self._severity,
                "count": count,
                "source_ports": min(255, max(summary.source_ports and 1, round(summary.source_ports * self._more))),
                "last_seen": summary.first_seen + timedelta(seconds=round(seconds, 6)),
            }
        )
