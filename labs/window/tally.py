"""Series in the making: what a recorder adds up sample by sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from labs.battlefield.atlas import netns
from secloop_ai.contracts.errors import LabError

from .counters import Count, Meter, Rate, read, total
from .status import ProbeState
from .timeline import PortFact, PortRates, ProbeTotal, ProbeTurned, Series

Counts = Mapping[tuple[str, str], tuple[int, int]]
"""Tries and served by client and service."""


def port_counts(index: int, ports: Sequence[PortFact]) -> dict[str, Count]:
    """Port → its totals, read inside the gateways of that battlefield; a gateway that is gone is left out."""
    found: dict[str, Count] = {}
    for device in {p.device: None for p in ports}:
        try:
            counts = read(netns(index, device))
        except LabError:
            continue
        found |= {p.key: total(counts, p.links) for p in ports if p.device == device}
    return found


class TrafficTally:
    """Port rates over time."""

    def __init__(self, index: int, ports: Sequence[PortFact]) -> None:
        self._index, self._ports = index, ports
        self._meter = Meter()
        self._rates: dict[str, list[Rate]] = {p.key: [] for p in ports}

    def sample(self) -> None:
        """Read every port once."""
        counts = port_counts(self._index, self._ports)
        for key, rates in self._rates.items():
            rates.append(self._meter.rate(key, counts[key]) if key in counts else Rate())

    def series(self) -> dict[str, PortRates]:
        """All samples so far."""
        return {key: _columns(rates) for key, rates in self._rates.items()}


def _columns(rates: Sequence[Rate]) -> PortRates:
    names = Rate._fields
    return PortRates(**{name: tuple(getattr(rate, name) for rate in rates) for name in names})


class ProbeTally:
    """What the clients got, and when that changed."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[int, int]] = {}
        self._failing: set[tuple[str, str]] = set()
        self._tries: list[float] = []
        self._served: list[float] = []

    def sample(self, counts: Counts, at_s: float, passed_s: float) -> Iterator[ProbeTurned]:
        """Take the totals of this moment; says whose luck has turned."""
        tries = served = 0
        for place, now in sorted(counts.items()):
            before = self._last.get(place, (0, 0))
            more, good = now[0] - before[0], now[1] - before[1]
            tries, served = tries + more, served + good
            if more and (good < more) != (place in self._failing):
                self._failing ^= {place}
                yield ProbeTurned(at_s=at_s, client=place[0], service=place[1], served=place not in self._failing)
        self._last = {**self._last, **counts}
        self._tries.append(round(tries / passed_s, 2) if passed_s > 0 else 0.0)
        self._served.append(round(served / passed_s, 2) if passed_s > 0 else 0.0)

    def states(self) -> tuple[ProbeState, ...]:
        """Each pair now."""
        return tuple(
            ProbeState(client=c, service=s, tries=t, served=ok, failing=(c, s) in self._failing)
            for (c, s), (t, ok) in sorted(self._last.items())
        )

    def totals(self) -> tuple[ProbeTotal, ...]:
        """Each pair over the whole run."""
        return tuple(
            ProbeTotal(client=c, service=s, tries=t, served=ok) for (c, s), (t, ok) in sorted(self._last.items())
        )

    def series(self, at_s: Sequence[float], ports: dict[str, PortRates]) -> Series:
        """All samples so far, with those of the ports."""
        return Series(at_s=tuple(at_s), ports=ports, tries_per_s=tuple(self._tries), served_per_s=tuple(self._served))
