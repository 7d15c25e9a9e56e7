"""Every packet whose fate decides a case, each with its way through the network, as one bit of a mask.

A set of journeys is an int with their bits, so that a strategy's effect on all of them is a handful of operations.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from secloop_ai.contracts import WITH_PORTS, Direction, IPAddress, Packet

from .paths import Hop, Paths

EPHEMERAL = 50000
"""The client's port in packets made here; no rule of ours looks at it."""
Side = tuple[str, str, Direction]
"""A device, its port, and whether packets enter or leave there."""


class Journey(NamedTuple):
    """One packet on its way.

    Attributes:
        bit: its place in masks, as an int with one bit set.
        hops: none when sender and receiver share a segment.
    """

    bit: int
    packet: Packet
    hops: tuple[Hop, ...]


class Journeys:
    """The journeys of a case; the same packet is the same journey.

    Attributes:
        lost: journeys for which there is no way at all.
        by_side: for each filtered side of a port, the journeys that pass it.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._known: dict[Packet, Journey] = {}
        self.lost = 0
        self.by_side: dict[Side, list[Journey]] = defaultdict(list)

    def add(self, packet: Packet) -> Journey:
        """The packet's journey."""
        if known := self._known.get(packet):
            return known
        hops = self._paths.between(packet.source, packet.destination)
        journey = Journey(1 << len(self._known), packet, hops or ())
        self._known[packet] = journey
        if hops is None:
            self.lost |= journey.bit
        for hop in journey.hops:
            self.by_side[hop.device, hop.entered, Direction.INGRESS].append(journey)
            self.by_side[hop.device, hop.left, Direction.EGRESS].append(journey)
        return journey

    def mask(self, holds: Callable[[Journey], bool]) -> int:
        """The journeys of which something holds."""
        return sum(j.bit for j in self._known.values() if holds(j))


def packet_of(initiator: IPAddress, responder: IPAddress, protocol: int, port: int | None) -> Packet:
    """The packet that opens an exchange."""
    ports = protocol in WITH_PORTS
    return Packet(
        source=initiator,
        destination=responder,
        protocol=protocol,
        source_port=EPHEMERAL if ports else None,
        destination_port=port if ports else None,
    )


def answer_to(packet: Packet) -> Packet:
    """The packet that comes back."""
    return Packet(
        source=packet.destination,
        destination=packet.source,
        protocol=packet.protocol,
        source_port=packet.destination_port,
        destination_port=packet.source_port,
    )
