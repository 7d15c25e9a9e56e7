"""Which devices commit first: canaries, then more. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def sizes(serial: Sequence[str], count: int) -> tuple[int, ...]:
    """How many devices each batch holds, as Ansible's ``serial`` counts them.

    Args:
        serial: numbers, or shares of all devices as ``10%`` (rounded down, at least one); the last one is repeated
            until every device has a batch. Nothing: all at once.
        count: of all devices.
    """
    found: list[int] = []
    wanted = [_size(s, count) for s in serial] or [count]
    while (left := count - sum(found)) > 0:
        found.append(min(left, wanted[min(len(found), len(wanted) - 1)]))
    return tuple(found)


def _size(wanted: str, count: int) -> int:
    if wanted.endswith("%"):
        return max(1, count * int(wanted[:-1]) // 100)
    return int(wanted)


def batches(items: Sequence[T], serial: Sequence[str]) -> tuple[tuple[T, ...], ...]:
    """The items in their batches, in order."""
    found: list[tuple[T, ...]] = []
    for size in sizes(serial, len(items)):
        begun = sum(map(len, found))
        found.append(tuple(items[begun : begun + size]))
    return tuple(found)
