"""The watch over devices that cannot undo a commit by themselves, as one transaction holds it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from secloop_ai.contracts import DeadMan, Watched

GRACE_S = 10.0
"""Seconds the watch waits longer than the transaction: time to confirm the others once verification is over."""


class Watch:
    """One armed watch: all its devices are confirmed by one decision, or none of them is.

    Attributes:
        where: where others find it.
    """

    def __init__(self, dead_man: DeadMan, transaction_id: str, watched: Sequence[Watched], timeout_s: float) -> None:
        self._dead_man = dead_man
        self._lock = threading.Lock()
        self.fires_s = timeout_s + GRACE_S
        self.where = dead_man.arm(transaction_id, watched, timeout_s=self.fires_s)

    def stand_down(self, settled: str) -> bool:
        """End the watch; False when it has begun to undo. The devices' threads may all ask."""
        with self._lock:
            return self._dead_man.stand_down(self.where, settled=settled)


class Unwatched:
    """A dead man that watches nothing: for a change whose breaking off is taken up again from the ledger."""

    def arm(self, transaction_id: str, watched: Sequence[Watched], *, timeout_s: float) -> str:
        """Nothing stands."""
        del transaction_id, watched, timeout_s
        return ""

    def stand_down(self, where: str, *, settled: str) -> bool:
        """Nothing stood."""
        del where, settled
        return True

    def verdict(self, where: str) -> str:
        """Nobody knows."""
        del where
        return ""
