"""How much passes the ports of a network namespace: the kernel's own counters, read from outside."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from labs.lab.netns import run_in

COUNTERS = Path("/proc/thread-self/net/dev")
RX_BYTES, RX_PACKETS, TX_BYTES, TX_PACKETS = 0, 1, 8, 9


class Count(NamedTuple):
    """Totals of a port since it was made; `in` is what enters the namespace."""

    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    def plus(self, other: Count) -> Count:
        """Both together."""
        return Count(*(a + b for a, b in zip(self, other, strict=True)))


class Rate(NamedTuple):
    """The same a second."""

    packets_in_per_s: float = 0.0
    packets_out_per_s: float = 0.0
    bytes_in_per_s: float = 0.0
    bytes_out_per_s: float = 0.0


def read(netns: str) -> dict[str, Count]:
    """Link → its totals, in a namespace of this machine. Needs root; a thread goes there and ends.

    Raises:
        LabError: there is no such namespace, or it may not be entered.
    """
    found: list[str] = []
    run_in(netns, lambda: found.append(COUNTERS.read_text(encoding="ascii")))
    return parse(found[0])


def parse(text: str) -> dict[str, Count]:
    """The table of ``/proc/net/dev``."""
    counts = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        if not colon:
            continue
        fields = [int(f) for f in rest.split()]
        counts[name.strip()] = Count(fields[RX_PACKETS], fields[TX_PACKETS], fields[RX_BYTES], fields[TX_BYTES])
    return counts


def total(counts: Mapping[str, Count], links: Iterable[str]) -> Count:
    """Several links as one port; one that is gone counts nothing."""
    found = Count()
    for link in links:
        found = found.plus(counts.get(link, Count()))
    return found


class Meter:
    """Turns totals into rates since the reading before.

    The first reading of a key gives zeros, and so does a total that went back: the link was made anew.
    """

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, Count]] = {}

    def rate(self, key: str, count: Count, at: float | None = None) -> Rate:
        """The rate of a key, now; `at` is the monotonic time of the reading, in seconds."""
        moment = time.monotonic() if at is None else at
        then, before = self._before.get(key, (moment, count))
        self._before[key] = (moment, count)
        passed = moment - then
        steps = [a - b for a, b in zip(count, before, strict=True)]
        if passed <= 0 or min(steps) < 0:
            return Rate()
        return Rate(*(round(step / passed, 1) for step in steps))
