#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Install the host watch, start it detached, and take it away again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import ClassVar

from ansible.module_utils.secloop_processes import command_line, process
from ansible.module_utils.secloop_role import Change, Job, Refused, main, nothing, read, write

AGENT, CONFIG, PID = "agent.py", "config.json", "agent.pid"
START_S, END_S, PAUSE_S = 10.0, 5.0, 0.05
SILENT_LOOKS = 4
"""Looks without a sign of life after which it counts as dead; and never sooner than `START_S`."""


class DeployHids(Job):
    """One watch a host, however many mitigations ask for it. Their memories say who does."""

    role = "deploy_hids"
    options: ClassVar = {
        "agent": {"type": "str", "required": True},
        "log": {"type": "path", "required": True},
        "interval_s": {"type": "float", "required": True},
        "most_bytes": {"type": "int", "required": True},
        "auth_log": {"type": "path", "required": True},
        "keep_log": {"type": "bool", "default": False},
    }

    @property
    def _folder(self) -> str:
        return os.path.join(self.memory.state_dir, "hids")

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _config(self) -> str:
        values = {key: self.values[key] for key in ("log", "interval_s", "most_bytes", "auth_log")}
        return json.dumps({**values, "ignore": ["secloop"]}, sort_keys=True) + "\n"

    def apply(self) -> Change:
        """Install and start, or start anew where it is another version."""
        same = read(self._path(AGENT)) == self.values["agent"] and read(self._path(CONFIG)) == self._config()
        before = "the host watch runs\n" if same and self._runs() else ""
        return Change(before, "the host watch runs\n", self._install)

    def _install(self) -> None:
        self.memory.keep({"log": self.values["log"]})
        if self.apply().before:
            return  # another mitigation's runs
        self._end()
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        write(self._path(AGENT), self.values["agent"], 0o600)
        write(self._path(CONFIG), self._config(), 0o600)
        os.makedirs(os.path.dirname(self.values["log"]), exist_ok=True)
        self._start()

    def _start(self) -> None:
        begun = time.time()
        argv = [sys.executable, "-I", "-S", self._path(AGENT), self._path(CONFIG)]
        devnull = subprocess.DEVNULL
        child = subprocess.Popen(argv, cwd="/", stdin=devnull, stdout=devnull, stderr=devnull, start_new_session=True)
        one = process(child.pid)
        write(self._path(PID), f"{child.pid} {one.start if one else 0}\n", 0o600)
        until = time.monotonic() + START_S
        # its first sign of life says that it knows what was there before
        while _changed(self.values["log"]) < begun - 1:
            if child.poll() is not None or time.monotonic() > until:
                raise Refused("the host watch does not start")
            time.sleep(PAUSE_S)

    def _runs(self) -> bool:
        pid, start = self._noted()
        one = process(pid) if pid else None
        return one is not None and one.start == start and self._path(AGENT) in command_line(pid)

    def _noted(self) -> tuple[int, int]:
        fields = (read(self._path(PID)) or "0 0").split()
        return (int(fields[0]), int(fields[1])) if len(fields) == 2 and all(f.isdigit() for f in fields) else (0, 0)  # noqa: PLR2004 - process and start

    def verify(self) -> str:
        """The process, and a sign of life."""
        if not self._runs():
            raise Refused("the host watch does not run")
        silent_s = time.time() - _changed(self.values["log"])
        if silent_s > max(START_S, SILENT_LOOKS * self.values["interval_s"]):
            raise Refused(f"the host watch has been silent for {silent_s:.0f} s")
        return f"process {self._noted()[0]} looks every {self.values['interval_s']:g} s"

    def undo(self) -> Change:
        """Stop and remove, unless another mitigation still wants it."""
        own = self.memory.own()
        if own is None:
            return Change("", "", nothing)
        last = not self.memory.others()
        runs = "the host watch runs\n" if self._runs() else ""
        return Change(runs, "" if last else runs, lambda: self._remove(own["log"], last=last))

    def _remove(self, log: str, *, last: bool) -> None:
        if last:
            self._end()
            shutil.rmtree(self._folder, ignore_errors=True)
            for path in () if self.values["keep_log"] else (log, f"{log}.1"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
        self.memory.forget()

    def _end(self) -> None:
        pid = self._noted()[0]
        for number, within_s in ((signal.SIGTERM, END_S), (signal.SIGKILL, END_S)):
            until = time.monotonic() + within_s
            if self._runs():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            while self._runs():
                if time.monotonic() > until:
                    break
                time.sleep(PAUSE_S)


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


if __name__ == "__main__":
    main(DeployHids)
