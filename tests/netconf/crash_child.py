"""A controller that gets as far as verifying, says so, and waits to be killed.

`python -m tests.netconf.crash_child TIMEOUT_S DEVICE_JSON...`; its first line is the pending commit as JSON.
"""

from __future__ import annotations

import sys
import time

from labs.emulator import Device as Emulated

from .change import Journal, transact, work
from .watches import Watch, probe


def main() -> None:
    """Run the change; the verification never ends."""
    timeout_s, *devices = sys.argv[1:]
    journal = Journal()
    journal.on_begin = lambda: _say(journal.begun[-1].model_dump_json())
    works = [work(Emulated.model_validate_json(d)) for d in devices]
    transact(works, journal, timeout_s=float(timeout_s), watch=Watch(during=(probe("during"),), on_wait=_linger))


def _linger() -> None:
    _say("pending")
    time.sleep(600)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
