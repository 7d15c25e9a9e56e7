"""Jobs that hold a battlefield."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from labs.battlefield import Battlefield
from tests.battlefield.support import office


def hold(log: str, seconds: float = 0.0) -> int:
    """Stand on a clone for a while and note its number, when it was up and when it went."""
    with Battlefield.clone(office(), 7, host_services=False) as field:
        began = time.monotonic()
        time.sleep(seconds)
        with Path(log).open("a", encoding="ascii") as file:
            file.write(f"{field.index} {began} {time.monotonic()}\n")
        return len(field.atlas.nodes)


def lose(log: str) -> int:
    """The first worker is killed on its clone, the second is not."""
    first = not Path(log).exists()
    with Battlefield.clone(office(), 7, host_services=False) as field:
        with Path(log).open("a", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
        if first:
            os.kill(os.getpid(), signal.SIGKILL)
        return field.index


def hang(log: str) -> None:
    """A tool of the red team that never ends."""
    with Battlefield.clone(office(), 7, host_services=False) as field:
        Path(log).write_text(str(os.getpid()), encoding="ascii")
        field.exec(field.case.names["jump"], ["sleep", "600"], timeout_s=600)
