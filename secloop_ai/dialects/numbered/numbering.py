"""Numbers for our entries: in the order of their marks, before everything that is not ours, moving as few as may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secloop_ai.dialects.marks import Mark


@dataclass(frozen=True, slots=True)
class Room:
    """The numbers from `first` up to, not including, `limit`; every entry takes `span` of them."""

    first: int
    limit: int
    span: int
    step: int

    @property
    def holds(self) -> int:
        """How many entries fit."""
        return max(0, (self.limit - self.first) // self.span)


def numbered(held: Mapping[Mark, int], new: Sequence[Mark], room: Room) -> dict[Mark, int] | None:
    """A number for every entry; those that are there keep theirs where that is possible. None: there is no room."""
    order = sorted([*held, *new])
    kept = _in_order(held, room)
    if kept is not None and (found := _between(order, kept, room)) is not None:
        return found
    return _between(order, {}, room)


def _in_order(held: Mapping[Mark, int], room: Room) -> Mapping[Mark, int] | None:
    """What is there, if it stands in the order of the marks and within the room."""
    at = room.first
    for mark in sorted(held):
        if held[mark] < at:
            return None
        at = held[mark] + room.span
    return held if at <= room.limit else None


def _between(order: Sequence[Mark], kept: Mapping[Mark, int], room: Room) -> dict[Mark, int] | None:
    """Fill the gaps between the kept numbers; None when one is too small."""
    found: dict[Mark, int] = {}
    low, waiting = room.first, list[Mark]()
    for mark in (*order, None):
        if mark is not None and mark not in kept:
            waiting.append(mark)
            continue
        high = room.limit if mark is None else kept[mark]
        spread = _spread(len(waiting), Room(low, high, room.span, room.step))
        if spread is None:
            return None
        found |= zip(waiting, spread, strict=True)
        waiting = []
        if mark is not None:
            found[mark] = high
            low = high + room.span
    return found


def _spread(count: int, room: Room) -> list[int] | None:
    """That many numbers, a step apart where there is room for it, evenly where there is less."""
    if count > room.holds:
        return None
    step = min(room.step, (room.limit - room.first) // count) if count else 0
    return [room.first + (index + 1) * step - room.span for index in range(count)]
