"""A bar on the terminal while many devices are worked on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Shown

AT_LEAST = 2
"""Devices that are worth a bar."""


@contextmanager
def bar(stream: TextIO | None = None) -> Iterator[None]:
    """While entered, transactions show phase, devices done and devices failed; off where `stream` is no terminal.

    Args:
        stream: by default standard error, so that what is piped stays clean.
    """
    out = stream or sys.stderr
    if not out.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Shown

    from secloop_ai.netconf import watched_by

    failures = TextColumn("[red]{task.fields[failed]}")
    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), failures)
    with Shown(*columns, console=Console(file=out), transient=True) as shown, watched_by(Bar(shown)):
        yield


class Bar:
    """Implements :class:`secloop_ai.netconf.Progress`: the phase in hand on one line, failed devices above it."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._task = shown.add_task("", total=None, visible=False, failed="")
        self._phase = ""

    def begin(self, phase: str, devices: int) -> None:
        """Start the line anew."""
        self._phase = phase
        self._shown.reset(self._task, total=devices, description=phase, visible=devices >= AT_LEAST, failed="")

    def step(self, device: str, *, failed: bool) -> None:
        """One further; a device that failed is named at once."""
        self._shown.advance(self._task)
        if failed:
            self._shown.update(self._task, failed=f"{device} failed")

    def end(self, failed: tuple[str, ...]) -> None:
        """Leave the names of those that failed on the screen."""
        if failed:
            self._shown.console.print(f"{self._phase}: failed on {', '.join(failed)}", markup=False, highlight=False)
