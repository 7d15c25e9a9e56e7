"""How much this machine can do at once, and places on it that all executors share."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

MIB = 1 << 20
CLONE_BYTES = 400 * MIB
"""What a worker with a battlefield, its sensor and its attack tools needs, generously (benchmarks/cycle.py)."""
POLL_S = 0.01
PATIENCE_S = 2.0
PLACE, TURN = "\0secloop-place-{}", "\0secloop-turn-of-{}"


def workers_here() -> int:
    """Jobs with a battlefield each that this machine takes at once: by cores, and by the memory that is free now."""
    return max(1, min(len(os.sched_getaffinity(0)), free_bytes() // CLONE_BYTES))


def free_bytes() -> int:
    """Memory that may still be used, by the kernel and by the control group this process is in."""
    free = [1024 * int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemAvailable:")]
    limit, used = _lines("/sys/fs/cgroup/memory.max"), _lines("/sys/fs/cgroup/memory.current")
    if limit and used and limit[0].isdigit():
        free.append(max(0, int(limit[0]) - int(used[0])))
    return min(free, default=CLONE_BYTES)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except OSError:
        return []


def tell(message: str) -> None:
    """Say something to whoever watches."""
    sys.stderr.write(f"{message}\n")


class Places:
    """Places for jobs on this machine, shared by all executors on it: a job runs while its worker holds one.

    A place is a name in the kernel (an abstract socket), which goes with its holder, however that ends. Nobody is
    starved by a neighbour with short jobs: those who look for a place do so in turn, by one more such name.

    Args:
        limit: how many there are; those of executors with other limits overlap.
        say: told once when the places are all taken by others for long.
    """

    def __init__(self, limit: int, say: Callable[[str], None] = tell) -> None:
        self.limit = limit
        self._say = say
        self._held, self._told = 0, False
        self._lock = threading.Lock()

    @contextmanager
    def take(self, unwanted: Callable[[], bool]) -> Iterator[bool]:
        """Hold a place for the block; waits for it until it is `unwanted`, and is then False."""
        patience = time.monotonic() + PATIENCE_S
        place = self._hold(lambda: self._free((TURN.format(self.limit),)), unwanted, patience)
        if place is not None:
            with place:
                place = self._hold(self._any, unwanted, patience)
        if place is None:
            yield False
            return
        with place:
            self._count(1)
            try:
                yield True
            finally:
                self._count(-1)

    def _any(self) -> socket.socket | None:
        return self._free(tuple(PLACE.format(n) for n in range(self.limit)))

    def _hold(
        self, attempt: Callable[[], socket.socket | None], unwanted: Callable[[], bool], patience: float
    ) -> socket.socket | None:
        while (found := attempt()) is None and not unwanted():
            if time.monotonic() > patience and self._strangers():
                self._say(f"waiting: others use the {self.limit} place(s) for battlefields on this machine")
            time.sleep(POLL_S)
        return found

    def _count(self, change: int) -> None:
        with self._lock:
            self._held += change

    def _strangers(self) -> bool:
        """Whether it is to be said now that places are not ours; once."""
        with self._lock:
            if self._told or self._held:
                return False
            self._told = True
            return True

    @staticmethod
    def _free(names: tuple[str, ...]) -> socket.socket | None:
        for name in names:
            holder = socket.socket(socket.AF_UNIX)
            try:
                holder.bind(name)
            except OSError as error:
                holder.close()
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return holder
        return None
