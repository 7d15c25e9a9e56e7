"""How good a policy is: figures with intervals, on cases it was not trained on, kept line by line.

    secloop eval --suite all --split validation --policy embedded,expert-table --seeds 5
    secloop results                      # docs/results.md and its figures out of the kept cells

What each figure counts stands in :data:`training.evaluation.metrics.ABOUT` and :mod:`training.evaluation.entities`.
"""

from __future__ import annotations

from .cells import RESULTS, Cell, load_cells
from .metrics import ABOUT, figures
from .outcome import Outcome, play
from .policies import named, policy_of
from .run import Order, run, suites_of

__all__ = [
    "ABOUT",
    "RESULTS",
    "Cell",
    "Order",
    "Outcome",
    "figures",
    "load_cells",
    "named",
    "play",
    "policy_of",
    "run",
    "suites_of",
]
