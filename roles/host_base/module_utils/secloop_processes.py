# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""The processes of a host, from /proc."""

from __future__ import annotations

import os
from typing import NamedTuple

NAME_LENGTH = 15
"""The kernel keeps no more of a process's name."""
STATE, PARENT, START = 0, 1, 19


class Process(NamedTuple):
    """A process.

    Attributes:
        start: in clock ticks since boot; with the id it names one process for good.
        state: one letter, ``T`` is stopped.
        name: as the kernel has it, cut to `NAME_LENGTH`.
    """

    pid: int
    start: int
    state: str
    parent: int
    name: str

    @property
    def key(self) -> list[int]:
        """What names it in a role's memory."""
        return [self.pid, self.start]


def process(pid: int) -> Process | None:
    """The process with that id; None where there is none, or only its remains."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="surrogateescape") as file:
            head, _, tail = file.read().rpartition(")")
    except OSError:
        return None
    fields = tail.split()
    if fields[STATE] in "ZX":
        return None
    return Process(pid, int(fields[START]), fields[STATE], int(fields[PARENT]), head.partition("(")[2])


def processes() -> list[Process]:
    """All of them, in the order of their ids."""
    found = (process(pid) for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()))
    return [one for one in found if one is not None]


def named(name: str) -> list[Process]:
    """Those of exactly that name."""
    return [one for one in processes() if one.name == name[:NAME_LENGTH]]


def lineage() -> set[int]:
    """This process, its ancestors, and the first process."""
    found = {1}
    pid = os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        parent = process(pid)
        pid = parent.parent if parent else 0
    return found


def command_line(pid: int) -> str:
    """What it was started with, or calls itself; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode("utf-8", "surrogateescape").strip()
    except OSError:
        return ""
