"""A controller that gets as far as verifying, says so, and waits to be killed.

`python -m tests.netconf.crash_child TIMEOUT_S DEVICE_JSON...`; its first line is the pending commit as JSON.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable

from secloop_ai.contracts import Device, PendingCommit

from .change import Journal, transact, work_on
from .watches import Watch, probe


def main() -> None:
    """Run the change; the verification never ends."""
    timeout_s, *devices = sys.argv[1:]
    journal = Journal()
    journal.on_begin = lambda: _say(journal.begun[-1].model_dump_json())
    works = [work_on(Device.model_validate_json(d)) for d in devices]
    transact(works, journal, timeout_s=float(timeout_s), watch=Watch(during=(probe("during"),), on_wait=_linger))


def die_while_pending(devices: Iterable[Device], *, timeout_s: float) -> PendingCommit:
    """Run this file for these devices, kill it with SIGKILL while its commit is pending; what its journal had."""
    command = [sys.executable, "-m", __name__, str(timeout_s), *(d.model_dump_json() for d in devices)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        begun, said = child.stdout.readline(), child.stdout.readline()
        child.kill()
    assert said == "pending\n"
    return PendingCommit.model_validate_json(begun)


def _linger() -> None:
    _say("pending")
    time.sleep(600)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
