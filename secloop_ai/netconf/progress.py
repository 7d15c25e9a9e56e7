"""How far the work on many devices has come: told to whoever watches, who need not be known here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Progress(Protocol):
    """Somebody who watches. What it raises ends the work, so it had better raise nothing."""

    def begin(self, phase: str, devices: int) -> None:
        """A phase such as ``lock`` begins on so many devices."""

    def step(self, device: str, *, failed: bool) -> None:
        """One of them has ended it. Called from the threads that work on the devices, several at a time."""

    def end(self, failed: tuple[str, ...]) -> None:
        """All have ended it; the names of those that failed."""


class Unwatched:
    """Nobody."""

    def begin(self, phase: str, devices: int) -> None:
        """Say nothing."""

    def step(self, device: str, *, failed: bool) -> None:
        """Say nothing."""

    def end(self, failed: tuple[str, ...]) -> None:
        """Say nothing."""


_WATCHER: ContextVar[Progress | None] = ContextVar("secloop_progress", default=None)


def watcher() -> Progress:
    """Who watches the work that is begun here."""
    return _WATCHER.get() or Unwatched()


@contextmanager
def watched_by(progress: Progress) -> Iterator[None]:
    """While entered, transactions and recoveries begun in this thread tell `progress` how far they are."""
    token = _WATCHER.set(progress)
    try:
        yield
    finally:
        _WATCHER.reset(token)
