"""The budget of a run: seconds of wall clock, less what was spent on looking at how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Runs from when it is made.

    Args:
        budget_s: seconds until it is over.
        now: seconds from any beginning.
    """

    def __init__(self, budget_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._budget = budget_s
        self._start = now()
        self._stopped: float | None = None

    @property
    def seconds(self) -> float:
        """Spent so far."""
        return (self._now() if self._stopped is None else self._stopped) - self._start

    @property
    def over(self) -> bool:
        """Whether the budget is spent."""
        return self.seconds >= self._budget

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """What happens inside costs nothing."""
        self._stopped = self._now()
        try:
            yield
        finally:
            self._start += self._now() - self._stopped
            self._stopped = None
