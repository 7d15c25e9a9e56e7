"""An attacker that adapts: chains that still win are played again."""

from __future__ import annotations

import random
from collections.abc import Mapping

from .sources import Chained, TaskSource

MEMORY = 0.7
"""Share of a chain's earlier success that one more answer leaves."""
FORGOTTEN = 0.02
"""A chain whose success has fallen below this is played no more often than the plan has it."""


class Curriculum:
    """Which chains still win, and how much.

    Args:
        source: where a chain's other cases are found, if it knows.
    """

    def __init__(self, source: TaskSource) -> None:
        self._source = source
        self._wins: dict[int, float] = {}

    def note(self, index: int, success: float) -> None:
        """Take in how a task's attacker did.

        Args:
            index: of the task.
            success: share of its stages that succeeded, the mean over a group's answers.
        """
        chain = self._chain(index)
        before = self._wins.get(chain, success)
        now = MEMORY * before + (1 - MEMORY) * success
        self._wins.pop(chain, None)
        if now >= FORGOTTEN:
            self._wins[chain] = now

    def draw(self, dice: random.Random) -> int | None:
        """A task of a chain that still wins, the likelier the more it wins; None where none does."""
        if not self._wins:
            return None
        chains = sorted(self._wins)
        chain = dice.choices(chains, [self._wins[c] for c in chains])[0]
        return dice.choice(self._source.kin(chain)) if isinstance(self._source, Chained) else chain

    def _chain(self, index: int) -> int:
        return min(self._source.kin(index)) if isinstance(self._source, Chained) else index

    def state(self) -> dict[str, float]:
        """For a checkpoint."""
        return {str(chain): wins for chain, wins in self._wins.items()}

    def restore(self, state: Mapping[str, float]) -> None:
        """From a checkpoint."""
        self._wins = {int(chain): float(wins) for chain, wins in state.items()}
