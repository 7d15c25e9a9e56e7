"""Sets of packets as boxes of header fields, with exact difference: is anything left of a rule behind other rules?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from secloop_ai.contracts import WITH_PORTS, Family, IPAddress, IPNetwork, Packet, PacketRule, PortRange

Span = tuple[int, int]
"""Both ends included."""
NO_PORT = -1
"""Stands for the port of a packet whose protocol has none."""
_ANY_PORT: Span = (NO_PORT, 65535)
_TOP_ADDRESS: dict[Family, int] = {4: 2**32 - 1, 6: 2**128 - 1}
_ADDRESS: dict[Family, type[IPAddress]] = {4: IPv4Address, 6: IPv6Address}
_PROTOCOLS: Span = (0, 255)
PIECES = 5_000
"""So many pieces of a box are looked at."""


class Box(NamedTuple):
    """A product of spans: what one filter rule matches, or a piece of that."""

    protocol: Span
    source: Span
    destination: Span
    source_port: Span
    destination_port: Span

    @classmethod
    def of(cls, rule: PacketRule, family: Family) -> Box:
        """What the rule matches of a family."""
        protocol = _PROTOCOLS if rule.protocol is None else (rule.protocol, rule.protocol)
        source, destination = _addresses(rule.source, family), _addresses(rule.destination, family)
        return cls(protocol, source, destination, _ports(rule.source_port), _ports(rule.destination_port))

    def meets(self, other: Box) -> bool:
        """Whether they have anything in common."""
        a, b, c, d, e = self
        v, w, x, y, z = other
        return (
            (a[0] <= v[1] and v[0] <= a[1])
            and (b[0] <= w[1] and w[0] <= b[1])
            and (c[0] <= x[1] and x[0] <= c[1])
            and (d[0] <= y[1] and y[0] <= d[1])
            and (e[0] <= z[1] and z[0] <= e[1])
        )

    def without(self, other: Box) -> Iterator[Box]:
        """Boxes, no two of which meet, that are this one but for the other; the two must meet."""
        rest = self
        for at, (mine, taken) in enumerate(zip(self, other, strict=True)):
            for low, high in ((mine[0], taken[0] - 1), (taken[1] + 1, mine[1])):
                if low <= high:
                    yield rest.narrowed(at, (low, high))
            rest = rest.narrowed(at, (max(mine[0], taken[0]), min(mine[1], taken[1])))

    def narrowed(self, at: int, span: Span) -> Box:
        """The box with another span in one place."""
        return Box(*(span if n == at else held for n, held in enumerate(self)))

    def packet(self, family: Family) -> Packet | None:
        """A packet of the box; None where no packet is: tcp and udp have ports, other protocols have none."""
        low, high = self.protocol
        with_ports = [p for p in WITH_PORTS if low <= p <= high]
        without = next((p for p in range(low, high + 1) if p not in WITH_PORTS), None)
        for protocol in (*with_ports, *(() if without is None else (without,))):
            source, destination = _port(self.source_port, protocol), _port(self.destination_port, protocol)
            if source is not None and destination is not None:
                return Packet(
                    source=_address(self.source[0], family),
                    destination=_address(self.destination[0], family),
                    protocol=protocol,
                    source_port=None if source == NO_PORT else source,
                    destination_port=None if destination == NO_PORT else destination,
                )
        return None


def left_of(box: Box, taken: Iterable[Box], family: Family) -> Packet | None:
    """A packet of the box that none of the others holds; None where they hold every one.

    Beyond so many pieces the search ends, and a packet of the box is given as if nothing else held it: rather a
    change is said that is none than one is left out.
    """
    others = [other for other in taken if other.meets(box)]
    pieces = [(box, 0)]
    for _ in range(PIECES):
        if not pieces:
            return None
        piece, at = pieces.pop()
        while at < len(others) and not others[at].meets(piece):
            at += 1
        if at < len(others):
            pieces += [(part, at + 1) for part in piece.without(others[at])]
        elif packet := piece.packet(family):
            return packet
    return box.packet(family)


def _addresses(network: IPNetwork | None, family: Family) -> Span:
    if network is None:
        return 0, _TOP_ADDRESS[family]
    return int(network.network_address), int(network.broadcast_address)


def _ports(ports: PortRange | None) -> Span:
    return _ANY_PORT if ports is None else (ports.low, ports.high)


def _port(span: Span, protocol: int) -> int | None:
    """A port of the span that a packet of the protocol may have; None for none."""
    if protocol not in WITH_PORTS:
        return NO_PORT if span[0] == NO_PORT else None
    return max(span[0], 0) if span[1] >= 0 else None


def _address(number: int, family: Family) -> IPAddress:
    return _ADDRESS[family](number)
