#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Freeze every process of a name, so that it can go on later as if nothing had been."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import ClassVar

from ansible.module_utils.secloop_processes import Process, lineage, named, process
from ansible.module_utils.secloop_role import Change, Job, Refused, main, nothing

STOPPED = "Tt"
ROUNDS = 50
PAUSE_S = 0.02


class StopProcess(Job):
    """Its memory: ``froze`` are [pid, start] of processes that ran before, ``name`` is theirs."""

    role = "stop_process"
    options: ClassVar = {"process": {"type": "str", "required": True}}

    def apply(self) -> Change:
        """Freeze, in several rounds: one may have started another meanwhile."""
        here = self._here()
        running = [one for one in here if one.state not in STOPPED]
        before = "".join(f"{one.name} {one.pid}: {_word(one)}\n" for one in here)
        return Change(
            before, "".join(f"{one.name} {one.pid}: stopped\n" for one in here), lambda: self._freeze(running)
        )

    def _here(self) -> list[Process]:
        name = self.values["process"]
        here = named(name)
        if not here:
            raise Refused(f"no process is named {name}")
        if safe := sorted(lineage() & {one.pid for one in here}):
            raise Refused(f"{name} is what this very login, or the host, stands on (process {safe[0]})")
        return here

    def _freeze(self, running: list[Process]) -> None:
        own = self.memory.own() or {}
        froze = [list(key) for key in own.get("froze", [])]
        # what another mitigation froze had been running before it, and goes on only after the last of them
        same = [other for other in self.memory.others() if other["name"] == self.values["process"]]
        froze += [key for other in same for key in other["froze"] if _alive(key) and key not in froze]
        for _ in range(ROUNDS):
            froze += [one.key for one in running if one.key not in froze]
            self.memory.keep({"name": self.values["process"], "froze": froze})
            for one in running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGSTOP)
            time.sleep(PAUSE_S)
            running = [one for one in named(self.values["process"]) if one.state not in STOPPED]
            if not running:
                return
        raise Refused(f"process {running[0].pid} does not stop, or more of them keep starting")

    def verify(self) -> str:
        """Their states, from the kernel."""
        here = named(self.values["process"])
        if going := [one for one in here if one.state not in STOPPED]:
            raise Refused(f"process {going[0].pid} ({going[0].name}) is {_word(going[0])}")
        return f"{len(here)} processes stopped"

    def undo(self) -> Change:
        """Let go on what we froze and no other mitigation wants frozen."""
        own = self.memory.own()
        if own is None:
            return Change("", "", nothing)
        held = [key for other in self.memory.others() for key in other["froze"]]
        ours = [key for key in own["froze"] if key not in held and _alive(key)]
        before = f"frozen by us: {own['froze']}\n"
        return Change(before, "", lambda: self._thaw(ours))

    def _thaw(self, keys: list[list[int]]) -> None:
        for key in keys:
            if _alive(key):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(key[0], signal.SIGCONT)
        self.memory.forget()


def _alive(key: list[int]) -> bool:
    one = process(key[0])
    return one is not None and one.start == key[1]


def _word(one: Process) -> str:
    return "stopped" if one.state in STOPPED else "running"


if __name__ == "__main__":
    main(StopProcess)
