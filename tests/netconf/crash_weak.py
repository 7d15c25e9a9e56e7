"""A controller that gets as far as it is told, says so, and waits to be killed.

`python -m tests.netconf.crash_weak POINT TIMEOUT_S WATCHDOGS DEVICE_JSON...`; its first line is the pending commit.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from secloop_ai.contracts import Device, PendingCommit
from secloop_ai.loop.deadman import Watchdogs
from secloop_ai.netconf import settle, steps

from .change import Journal, transact, work_on
from .watches import Watch, probe

POINTS = ("begun", "committing", "committed", "confirming")
"""Just after the journal; with one device committed; with all; with all confirmed but those that only a decision
confirms."""


def main() -> None:
    """Run the change up to the point."""
    point, timeout_s, root, *devices = sys.argv[1:]
    journal = Journal()
    journal.on_begin = lambda: _begin(journal, point)
    if point == "committing":
        steps.commit = _once(steps.commit)
    if point == "confirming":
        settle.ByEdit.confirm = lambda *_, **__: _linger()  # type: ignore[method-assign]
    works = [work_on(Device.model_validate_json(d)) for d in devices]
    watch = Watch(during=(probe("during"),), on_wait=_linger if point == "committed" else lambda: None)
    transact(works, journal, timeout_s=float(timeout_s), watch=watch, dead_man=Watchdogs(Path(root)))


def die(point: str, devices: Iterable[Device], root: Path, *, timeout_s: float) -> PendingCommit:
    """Run this file for these devices, kill it with SIGKILL once it is at the point; what its journal had."""
    command = [sys.executable, "-m", __name__, point, str(timeout_s), str(root)]
    command += [d.model_dump_json() for d in devices]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        begun, said = child.stdout.readline(), child.stdout.readline()
        child.kill()
    assert said == "there\n", said
    return PendingCommit.model_validate_json(begun)


def _begin(journal: Journal, point: str) -> None:
    _say(journal.begun[-1].model_dump_json())
    if point == "begun":
        _linger()


def _once(commit: Callable[..., None]) -> Callable[..., None]:
    """The second device's commit never comes."""
    begun: list[str] = []

    def wrapped(member: object) -> None:
        begun.append("")
        if len(begun) > 1:
            time.sleep(0.5)  # let the first one through
            _linger()
        commit(member)

    return wrapped


def _linger() -> None:
    _say("there")
    time.sleep(600)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
