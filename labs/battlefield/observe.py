"""Who looks on: told of a run as it goes, by the battlefield it is on. Without an observer nothing is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from labs.attacks.base import Receipt
from labs.scenario import Stage

Counts = Callable[[], Mapping[tuple[str, str], tuple[int, int]]]
"""Tries and served so far, by client and ``host/service``."""


class Observer(Protocol):
    """Looks on. What it does takes the run's time, so it is quick; it is told from several threads."""

    def attend(self, counts: Counts) -> None:
        """Legitimate clients are at work, and can be asked for their counts until the battlefield goes."""

    def phase(self, name: str) -> None:
        """The run enters a phase."""

    def stage_started(self, stage: Stage) -> None:
        """A stage of the attack is tried now."""

    def stage_ended(self, receipt: Receipt) -> None:
        """A stage is over, or was not attempted."""
