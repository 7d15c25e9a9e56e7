"""What gets through a rate limit that everybody shares whom its entry matches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .effects import Limit
from .script import FlowScript, Sending

BURST_S = 1.0
"""A limit lets a second's worth through at once, as the kernel's does."""
PACKETS_OF_A_TRY = 3
"""Packets that must all pass for a legitimate try to be served (open, acknowledge, ask); each is sent twice."""


class Load(NamedTuple):
    """The share of its packets that each limit lets through, in one part of a run."""

    shares: tuple[tuple[Limit, float], ...] = ()

    def share(self, opening: int) -> float:
        """Of a journey's packets; 1.0 where no limit holds it."""
        return min((s for limit, s in self.shares if limit.journeys & opening), default=1.0)

    def served(self, opening: int) -> float:
        """Share of a client's tries that are served."""
        passed = self.share(opening)
        return 1.0 if passed == 1.0 else float((1 - (1 - passed) ** 2) ** PACKETS_OF_A_TRY)

    def enough(self, sending: Sending) -> bool:
        """Whether an exchange gets what it needs within the attacker's patience.

        Where nothing is throttled it does: then only its reachability counts.
        """
        passed = self.share(sending.opening)
        if passed == 1.0 or not sending.exchange.bytes_needed:
            return True
        got = passed * sending.demand_bytes_per_s * (sending.exchange.patience_s + BURST_S)
        return got >= sending.exchange.bytes_needed


def load(limits: Iterable[Limit], flows: Sequence[FlowScript], dead: int, sendings: Sequence[Sending] = ()) -> Load:
    """How full the limits are: with the clients' use, and what a stage sends beside it."""
    shares = []
    for limit in limits:
        held = limit.journeys & ~dead
        asked = sum(f.demand_bytes_per_s for f in flows if f.opening & held)
        asked += sum(s.demand_bytes_per_s for s in sendings if s.opening & held)
        shares.append((limit, min(1.0, limit.rate_bytes_per_s / asked) if asked else 1.0))
    return Load(tuple(shares))
