"""Counters summed over the distinct flows of a window, with a bounded memory of flows."""

from __future__ import annotations

import msgspec

from secloop_ai.contracts import Flow

from .sighting import Counters

FLOWS_KEPT = 8
"""Flows a window remembers at once, the latest ones."""


class FlowSums(msgspec.Struct, gc=False):
    """Sum of the last counters of every distinct flow.

    Suricata's counters grow within a flow, so a flow's largest count stands for it. A window remembers its latest
    :data:`FLOWS_KEPT` flows. A flow that comes back after so many others counts again: the sum is exact up to there,
    and an upper bound beyond. Alerts without a flow id count as one flow.

    Attributes:
        flow_id, last: the flow of the latest alert and its counters.
        earlier: the flows before it.
        done: the sum over flows no longer remembered.
    """

    flow_id: int | None
    last: Counters
    earlier: dict[int | None, Counters] | None = None
    done: Counters | None = None

    def add(self, flow_id: int | None, counters: Counters) -> None:
        """Take in another alert's counters."""
        if flow_id != self.flow_id:
            self._change_to(flow_id, counters)
        else:
            self.last = _largest(self.last, counters)

    def _change_to(self, flow_id: int | None, counters: Counters) -> None:
        earlier = self.earlier
        if earlier is None:
            earlier = self.earlier = {}
        before = earlier.pop(flow_id, None)
        if len(earlier) >= FLOWS_KEPT - 1:
            self.done = _plus(self.done, earlier.pop(next(iter(earlier))))
        earlier[self.flow_id] = self.last
        self.flow_id = flow_id
        self.last = counters if before is None else _largest(before, counters)

    def absorb(self, other: FlowSums) -> None:
        """Take in another window's flows."""
        for flow_id, counters in (other.earlier or {}).items():
            self.add(flow_id, counters)
        self.add(other.flow_id, other.last)
        if other.done is not None:
            self.done = _plus(self.done, other.done)

    def total(self) -> Flow:
        """The sums."""
        sums = self.last
        for counters in (self.earlier or {}).values():
            sums = _plus(sums, counters)
        sent, back, bytes_sent, bytes_back = _plus(self.done, sums)
        return Flow(
            packets_to_server=sent, packets_to_client=back, bytes_to_server=bytes_sent, bytes_to_client=bytes_back
        )


def _plus(one: Counters | None, other: Counters) -> Counters:
    if one is None:
        return other
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3])


def _largest(one: Counters, other: Counters) -> Counters:
    return (max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
