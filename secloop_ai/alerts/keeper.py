"""The closed windows that matter most, at most so many."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from .window import Key, Window

Rank = tuple[int, bool, int]


class Keeper:
    """A bounded heap of closed windows.

    What matters more: the more severe; among equals one with a proven handshake (so that spoofed sources cannot push
    real ones out), then the one with more alerts, then the one closed later.

    Attributes:
        dropped: windows that fell out, with their alerts.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[Rank, int, Key, Window]] = []
        self._closed = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, key: Key, window: Window) -> None:
        """Keep a closed window, or the more important ones instead."""
        self._closed += 1
        item = ((-window.severity, window.handshake, window.count), self._closed, key, window)
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, item)
            return
        heapq.heappushpop(self._heap, item)
        self.dropped += 1

    def merged(self, window_us: int) -> Iterator[tuple[Key, Window]]:
        """The kept windows by key and time, those of one key joined where they fit into one window again.

        A window that was closed early and its rest become one summary; no two have the same key and first time.
        Call it once: joined windows are changed.
        """
        before: tuple[Key, Window] | None = None
        for *_, key, window in sorted(self._heap, key=_by_key_and_time):
            if before is not None and before[0] == key and _join(before[1], window, window_us):
                continue
            if before is not None:
                yield before
            before = key, window
        if before is not None:
            yield before


def _by_key_and_time(item: tuple[Rank, int, Key, Window]) -> tuple[int, bytes, bytes, int, int, int, int]:
    _, closed, (signature_id, source, destination, port), window = item
    return signature_id, source, destination, -1 if port is None else port, window.first_us, window.last_us, closed


def _join(earlier: Window, later: Window, window_us: int) -> bool:
    """Merge the later window into the earlier one if both fit into one."""
    if max(earlier.last_us, later.last_us) - earlier.first_us > window_us:
        return False
    earlier.absorb(later)
    return True
