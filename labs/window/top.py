"""``secloop lab top``: looks, draws, reads keys, over and over."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from .frame import frame
from .lookout import Lookout, lookouts
from .view import View

Reader = Callable[[float], str]
EVERY_S = 0.5
"""Seconds between two frames."""
ONCE_S = 0.5
"""Seconds that rates are measured over for a single frame."""


class Gallery:
    """Everything there is to look at, and which of it is shown.

    The first one that is played on is shown, and its case again when its next clone comes: a run is played on one clone
    after another. Who goes to the next one by hand stays with that one's case.
    """

    def __init__(self) -> None:
        self._all: dict[str, Lookout] = {}
        self._shown = self._case = ""

    def refresh(self) -> None:
        """Take up what is new, leave what is gone; what is known keeps its counts.

        Raises:
            LabError: not root, or a record that cannot be read.
        """
        found = {one.name: one for one in lookouts()}
        known = self._all
        same = {n for n, one in found.items() if n in known and known[n].identity == one.identity}
        self._all = {name: known[name] if name in same else one for name, one in found.items()}
        if self._case and self._shown in self._all and self._all[self._shown].case == self._case:
            return
        wanted = [n for n, one in found.items() if one.case == self._case or (not self._case and one.played)]
        if wanted:
            self.show(wanted[0])
        elif self._shown not in self._all:
            self._shown = next(iter(self._all), "")

    def next(self) -> None:
        """Show the one after."""
        names = list(self._all)
        if names:
            number = names.index(self._shown) + 1 if self._shown in names else 0
            self.show(names[number % len(names)])

    def show(self, name: str) -> None:
        """Show that one, if it is there."""
        if name in self._all:
            self._shown, self._case = name, self._all[name].case

    @property
    def place(self) -> str:
        """Which of how many."""
        names = list(self._all)
        return f"{names.index(self._shown) + 1} of {len(names)}" if self._shown in names else "none"

    def view(self) -> View | None:
        """The one that is shown; when it has just gone, it is forgotten."""
        one = self._all.get(self._shown)
        found = one.view() if one else None
        if found is None:
            self._all.pop(self._shown, None)
        return found

    def views(self) -> list[View]:
        """All of them."""
        return [view for one in self._all.values() if (view := one.view())]


def once(only: str = "") -> tuple[list[View], str]:
    """Views with rates measured over half a second, and the place of the first.

    Args:
        only: name of what is looked at (``battlefield 3``); everything without it.

    Raises:
        LabError: not root, or a record that cannot be read.
    """
    gallery = Gallery()
    gallery.refresh()
    gallery.views()
    time.sleep(ONCE_S)
    found = [v for v in gallery.views() if not only or v.name == only]
    return found, gallery.place


def watch(console: Console, only: str = "") -> None:
    """Draw until ``q``, the end of input, or an interrupt.

    Raises:
        LabError: not root, or a record that cannot be read.
    """
    gallery = Gallery()
    with _keys() as read, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            gallery.refresh()
            if only:
                gallery.show(only)
            view = gallery.view()
            live.update(frame(view, gallery.place, console.width, console.height), refresh=True)
            key = read(EVERY_S)
            if key in {"q", "Q", "\x03", "\x04"}:
                return
            if key in {"n", "N"}:
                only = ""
                gallery.next()


@contextmanager
def _keys() -> Iterator[Reader]:
    """Reads single keys without an echo, where there is a terminal; waits, where there is none."""
    if not sys.stdin.isatty():
        yield _wait
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number)
        yield _read
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _wait(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def _read(seconds: float) -> str:
    number = sys.stdin.fileno()
    ready, _, _ = select.select([number], [], [], seconds)
    return os.read(number, 1).decode("ascii", errors="replace") or "\x04" if ready else ""
