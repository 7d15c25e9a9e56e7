"""What other processes do to a ledger in the tests."""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.synchronize import Barrier
from typing import Protocol

from secloop_ai.contracts.errors import LedgerError
from secloop_ai.ledger import open_ledger

from .make import T0, mitigation, pending


class Answers(Protocol):
    """The part of a queue a child uses."""

    def put(self, obj: object) -> None: ...


def die_after_begin(url: str) -> None:
    """Begin a commit and be gone the moment the call returns."""
    ledger = open_ledger(url)
    ledger.begin_commit(pending("t1", [mitigation()]), [mitigation()])
    os.kill(os.getpid(), signal.SIGKILL)


def race_to_begin(url: str, number: int, barrier: Barrier, answers: Answers) -> None:
    """Begin a commit on gw1 at the same time as others."""
    incident = f"{number:010x}"
    mine = mitigation(incident=incident)
    with open_ledger(url) as ledger:
        barrier.wait()
        try:
            ledger.begin_commit(pending(f"t{number}", [mine], incident=incident), [mine])
        except LedgerError as error:
            answers.put(str(error))
        else:
            answers.put(number)


def race_to_create(url: str, number: int, barrier: Barrier, answers: Answers) -> None:
    """Open a ledger that is not there yet at the same time as others, and write to it."""
    barrier.wait()
    try:
        with open_ledger(url) as ledger:
            for line in range(5):
                ledger.audit("note", f"{number}-{line}", digests={}, detail="", now=T0)
    except LedgerError as error:
        answers.put(str(error))
    else:
        answers.put(number)


def fill(url: str) -> None:
    """Write until it fails, and say how."""
    try:
        with open_ledger(url) as ledger:
            while True:
                ledger.audit("note", "s", digests={}, detail="x" * 4000, now=T0)
    except LedgerError as error:
        sys.stdout.write(str(error))


if __name__ == "__main__":
    {"fill": fill, "die_after_begin": die_after_begin}[sys.argv[1]](sys.argv[2])
