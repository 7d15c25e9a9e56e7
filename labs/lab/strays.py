"""Processes that a worker of an executor leaves behind: told by a mark in their environment, ended with it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from .processes import alive, start_ticks

MARK = "SECLOOP_WORKER"
PARENT_FIELD = 1


def mark_offspring() -> None:
    """Mark everything that this process starts from now on."""
    os.environ[MARK] = f"{os.getpid()}.{start_ticks(os.getpid())}"


def kill_tree(pid: int) -> None:
    """Kill a process and everything that descends from it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)  # nothing new is started while we look
    parents = dict(_parents())
    doomed, added = {pid}, {pid}
    while added:
        added = {child for child, parent in parents.items() if parent in added} - doomed
        doomed |= added
    for one in doomed:
        _kill(one)


def kill_offspring(pid: int, started: int | None) -> int:
    """Kill what carries the mark of a worker that has ended; returns how many there were."""
    return _kill_marked(lambda maker, ticks: (maker, ticks) == (pid, started))


def kill_strays() -> int:
    """Kill what carries the mark of any worker that has ended; returns how many there were."""
    return _kill_marked(lambda maker, ticks: not alive(maker, ticks))


def _kill_marked(chosen: Callable[[int, int], bool]) -> int:
    found = [pid for pid, maker, ticks in _marked() if chosen(maker, ticks)]
    for pid in found:
        _kill(pid)
    return len(found)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _marked() -> Iterator[tuple[int, int, int]]:
    """Process, and the id and start of the worker it is marked with."""
    prefix = f"{MARK}=".encode()
    for entry in _processes():
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        for variable in variables:
            maker, dot, ticks = variable.removeprefix(prefix).partition(b".")
            if variable.startswith(prefix) and dot and maker.isdigit() and ticks.isdigit():
                yield int(entry.name), int(maker), int(ticks)


def _parents() -> Iterator[tuple[int, int]]:
    for entry in _processes():
        try:
            text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        yield int(entry.name), int(text.rpartition(")")[2].split()[PARENT_FIELD])


def _processes() -> Iterator[Path]:
    return (entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid())


__all__ = ["kill_offspring", "kill_strays", "kill_tree", "mark_offspring", "start_ticks"]
