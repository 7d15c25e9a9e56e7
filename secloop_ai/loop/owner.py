"""Who works on an open commit: so that recovery takes up what a dead controller left, and nothing of a living one."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path

from secloop_ai.contracts import PendingCommit

STARTTIME = 19
"""Index of a process's start among the fields that follow its name in /proc/PID/stat."""
SLACK_S = 60.0
"""On another machine nobody can look: its controller counts as dead this long after the commit's timeout."""


def me() -> str:
    """This process, told apart from every other one that had or will have its number."""
    return f"{socket.gethostname()}/{os.getpid()}/{_start(os.getpid())}"


def is_worked_on(pending: PendingCommit, *, now: datetime) -> bool:
    """Whether another controller is still at work on the commit.

    What ended in doubt, or was begun by this very process, is not: whoever asks has taken it up.
    """
    owner = pending.safeguard.owner
    if pending.state != "pending" or not owner or owner == me():
        return False
    host, _, process = owner.partition("/")
    if host != socket.gethostname():
        return now < pending.started_at + timedelta(seconds=pending.timeout_s + SLACK_S)
    number, _, start = process.partition("/")
    return start != "" and _start(int(number)) == start


def _start(process: int) -> str:
    """When a process was started, as its system counts; empty when there is none, or nobody can tell."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[STARTTIME]
