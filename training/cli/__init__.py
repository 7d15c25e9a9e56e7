"""Commands of ``secloop`` that come with this package; secloop_ai.cli finds them by their entry points."""

from __future__ import annotations

from .evaluate import evaluation, results
from .learn import learning

__all__ = ["evaluation", "learning", "results"]
