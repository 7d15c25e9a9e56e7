"""Jobs for the executors under test, found by name in their workers."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from labs.executor import Job
from secloop_ai.contracts.errors import LabError

HERE = __name__
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


def job(key: object, function: str, *, timeout_s: float = 30.0, group: str = "", **arguments: Any) -> Job:
    """A job of this module."""
    return Job(key=str(key), call=f"{HERE}:{function}", arguments=arguments, timeout_s=timeout_s, group=group)


def double(number: int) -> int:
    return 2 * number


def whoami() -> int:
    return os.getpid()


def wait_and_say() -> int:
    time.sleep(0.02)
    return os.getpid()


def wait(seconds: float, log: str) -> None:
    """Note begin and end, for who wants to know what ran at once."""
    note(log, "+")
    time.sleep(seconds)
    note(log, "-")


def note(log: str, word: str) -> None:
    with Path(log).open("a", encoding="ascii") as file:
        file.write(f"{word}\n")


def at_once(log: Path) -> int:
    """How many jobs ran at once, at most."""
    now = most = 0
    for word in log.read_text(encoding="ascii").split():
        now += 1 if word == "+" else -1
        most = max(most, now)
    return most


def noisy() -> str:
    sys.stdout.write("a job may say what it likes\n" * 1000)
    sys.stdout.flush()
    return "heard"


def refuse() -> None:
    raise LabError("the bridge is up")


def blunder() -> float:
    return 1 / (len("") * 1.0)


def no_json() -> object:
    return {1, 2}


def leave() -> None:
    """A job that ends its process does not end the executor."""
    sys.exit(3)


def hang(pids: str = "") -> None:
    """Hang with three children: a plain one, one in a session of its own, one whose parent has gone."""
    if pids:
        children = [subprocess.Popen(SLEEPER), subprocess.Popen(SLEEPER, start_new_session=True)]
        code = f"import subprocess as s; print(s.Popen({SLEEPER!r}, stdout=s.DEVNULL, stderr=s.DEVNULL).pid)"
        orphan = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        found = [os.getpid(), *(c.pid for c in children), int(orphan)]
        fresh = Path(f"{pids}.{os.getpid()}")
        fresh.write_text(" ".join(map(str, found)), encoding="ascii")
        fresh.replace(pids)
    time.sleep(600)


def die(times: int, log: str, how: str = "kill") -> int:
    """End the worker the first times; then answer with how often."""
    note(log, "+")
    tries = len(Path(log).read_text(encoding="ascii").split())
    if tries > times:
        return tries
    if how == "segfault":
        ctypes.string_at(0)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0
