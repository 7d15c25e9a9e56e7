"""How often a device may be spoken to while a confirmed commit is pending on it."""

from __future__ import annotations

import threading
import time


class Pace:
    """At most one RPC per interval while a confirmed commit is pending; no limit otherwise.

    Some servers serve their rollback timer only when no RPC has come for a while: a controller that polls them
    would keep the device from undoing the change by itself. The first RPC after the commit may go at once, and
    so may the first that ends what is pending (confirm or cancel): after it there is no timer left to starve. A
    second try of that is paced like any other. One Pace belongs to a device, not to a session: a reconnect does
    not reset it.
    """

    def __init__(self, interval_s: float = 1.0) -> None:
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._pending = False
        self._next = 0.0
        self._may_end = False

    @property
    def pending(self) -> bool:
        """Whether a confirmed commit may be open on the device."""
        return self._pending

    def begin(self) -> None:
        """A confirmed commit has been sent."""
        with self._lock:
            self._pending = self._may_end = True
            self._next = time.monotonic()

    def end(self) -> None:
        """The commit was confirmed or cancelled."""
        with self._lock:
            self._pending = False

    def wait(self, *, ends: bool = False) -> None:
        """Return when the next RPC may be sent; `ends` is for the one that confirms or cancels."""
        with self._lock:
            if not self._pending:
                return
            now = time.monotonic()
            at_once = ends and self._may_end
            self._may_end = self._may_end and not ends
            due = now if at_once else max(now, self._next)
            self._next = due + self._interval_s
        time.sleep(due - now)
