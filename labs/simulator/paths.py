"""Which ports a packet of a case passes: from its sender's port through the gateways to its receiver's."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from labs.scenario import Case
from secloop_ai.contracts import IPAddress


class Place(NamedTuple):
    """A port that addresses hang on."""

    device: str
    interface: str


class Hop(NamedTuple):
    """One gateway on the way: the port a packet enters by, and the one it leaves by."""

    device: str
    entered: str
    left: str


class Paths:
    """The ways through one case's network. The gateways form a tree, so there is one way at most."""

    def __init__(self, case: Case) -> None:
        self._environment = case.environment
        self._attackers = {a.address: Place(a.device, a.interface) for a in case.attackers}
        self._cables: dict[Place, Place] = {}
        for link in case.links:
            one, other = Place(link.one, link.one_port), Place(link.other, link.other_port)
            self._cables |= {one: other, other: one}
        self.place = cache(self._place)
        self.between = cache(self._between)

    def _place(self, address: IPAddress) -> Place | None:
        """The port behind which an address is, whoever sends from it; None where no port leads to it.

        A host is where the inventory has it. Another address is behind the port with the longest prefix, at the one
        gateway where that port is no cable to another gateway.
        """
        if there := self._attackers.get(address):
            return there
        places = (Place(d.name, i.name) for d, i in self._environment.entries_for(address))
        return next((p for p in places if p not in self._cables), None)

    def _between(self, source: IPAddress, destination: IPAddress) -> tuple[Hop, ...] | None:
        """The gateways on the way, in order; none on a shared segment; None where there is no way at all."""
        start, end = self.place(source), self.place(destination)
        if start is None or end is None:
            return None
        if start == end:
            return ()
        way = self._gateways(start.device, end.device)
        return tuple(_hops(start, way, end)) if way is not None else None

    def _gateways(self, start: str, end: str) -> list[tuple[Place, Place]] | None:
        """The cables from one gateway to another, each as its two ends in the direction of travel."""
        found: dict[str, list[tuple[Place, Place]]] = {start: []}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            if here == end:
                return found[here]
            for near, far in self._cables.items():
                if near.device == here and far.device not in found:
                    found[far.device] = [*found[here], (near, far)]
                    queue.append(far.device)
        return None


def _hops(start: Place, cables: list[tuple[Place, Place]], end: Place) -> Iterator[Hop]:
    entered = start
    for near, far in cables:
        yield Hop(entered.device, entered.interface, near.interface)
        entered = far
    yield Hop(entered.device, entered.interface, end.interface)
