"""How a strategy did: the policy execution validator."""

from __future__ import annotations

from .baselines import BASELINES, baseline
from .chain import obstacle
from .harness import Field, Row, accuracy, evaluate_policy
from .judge import UNDEFENDED, Execution, Run, Use, judge, outcome, refused
from .measurement import Measurement, StageOutcome

__all__ = [
    "BASELINES",
    "UNDEFENDED",
    "Execution",
    "Field",
    "Measurement",
    "Row",
    "Run",
    "StageOutcome",
    "Use",
    "accuracy",
    "baseline",
    "evaluate_policy",
    "judge",
    "obstacle",
    "outcome",
    "refused",
]
