"""Open windows by key, in a bounded table: spoofed sources can fill it, but not exhaust the machine."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from secloop_ai.contracts import UNTRUSTED_LIMIT, Untrusted

from .keeper import Keeper
from .sighting import Sighting
from .window import Key, Window

WINDOW_S = 30.0
"""Most seconds from a summary's first alert to its last."""

MAX_OPEN = 65_536
MAX_KEPT = 10_000
_TEXTS = 1024
_SHORT_TEXT = 256

_Slot = tuple[Key, bool]


class WindowTable:
    """Groups sightings by (signature, source, destination, destination port) and time.

    A key has one open window. An alert that would stretch it beyond the window's length closes it and opens the
    next. An alert is *late* when it is more than a window older than the newest alert seen: late ones still join
    their key's window where they fit, and otherwise share a second, late window of their key, so that stragglers and
    files joined in the wrong order leave the current windows alone.

    At `max_open` open windows the one that has waited longest for an alert is closed. All closed windows go to a
    :class:`Keeper`.

    Attributes:
        late: late alerts.
        evicted: windows closed for want of room before they were over; their alerts are kept.
        peak: most windows open at once.
    """

    def __init__(self, *, window_s: float = WINDOW_S, max_open: int = MAX_OPEN, max_kept: int = MAX_KEPT) -> None:
        self._window_us = round(window_s * 1e6)
        self._max_open = max_open
        self._open: OrderedDict[_Slot, Window] = OrderedDict()
        self._texts: dict[int, Untrusted] = {}
        self._newest_us = 0
        self.keeper = Keeper(max_kept)
        self.late = 0
        self.evicted = 0
        self.peak = 0

    def __len__(self) -> int:
        return len(self._open)

    def add(self, seen: Sighting) -> None:
        """Count an alert into its window."""
        slot, window = self._slot(seen)
        if window is not None and window.fits(seen.time_us, self._window_us):
            window.add(seen)
            self._open.move_to_end(slot)
            return
        if window is not None:
            self.keeper.push(slot[0], self._open.pop(slot))
        elif len(self._open) >= self._max_open:
            self._evict()
        self._open[slot] = Window.of(seen, self._text(seen.signature_id, seen.signature))
        self.peak = max(self.peak, len(self._open))

    def _slot(self, seen: Sighting) -> tuple[_Slot, Window | None]:
        """Where a sighting belongs, and the window that is open there."""
        key = (seen.signature_id, seen.source, seen.destination, seen.destination_port)
        slot: _Slot = (key, False)
        window = self._open.get(slot)
        self._newest_us = max(self._newest_us, seen.time_us)
        if seen.time_us >= self._newest_us - self._window_us:
            return slot, window
        self.late += 1
        if window is None or not window.fits(seen.time_us, self._window_us):
            slot = (key, True)
            window = self._open.get(slot)
        return slot, window

    def _evict(self) -> None:
        """Close the window that has waited longest: early, unless no alert in time could join it any more."""
        (key, late), window = self._open.popitem(last=False)
        self.evicted += late or self._newest_us - window.first_us <= self._window_us
        self.keeper.push(key, window)

    def _text(self, signature_id: int, text: str) -> Untrusted:
        """One object for a signature's text. Past 1,024 signatures, or when a text varies, only its start is kept."""
        known = self._texts.get(signature_id)
        if known is not None and known.length == len(text) and known.raw == text[:UNTRUSTED_LIMIT]:
            return known
        if known is None and len(self._texts) < _TEXTS:
            return self._texts.setdefault(signature_id, Untrusted.of(text))
        return Untrusted.model_construct(raw=text[:_SHORT_TEXT], length=len(text))

    def close(self) -> Iterator[tuple[Key, Window]]:
        """Close every window; the kept ones, each with its key. Call it once, at the end."""
        while self._open:
            (key, _), window = self._open.popitem(last=False)
            self.keeper.push(key, window)
        return self.keeper.merged(self._window_us)
