"""The guard: no strategy goes on without passing it."""

from __future__ import annotations

from .review import review, schema_verdict
from .rules import RULES, Rule

__all__ = ["RULES", "Rule", "review", "schema_verdict"]
