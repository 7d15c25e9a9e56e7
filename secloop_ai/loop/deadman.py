"""Arming and calling off watchdogs: processes of their own, which outlive the one that arms them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from secloop_ai.contracts import WatchdogError, Watched
from secloop_ai.settings import Settings

from . import watchfolder

SUPERVISOR = "secloop_ai.loop.supervise"
START_S = 60.0
TOLD_CHARACTERS = 400


class Watchdogs:
    """Implements :class:`secloop_ai.contracts.DeadMan`: one detached, supervised process per transaction.

    Args:
        root: folder of the watchdogs' folders.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def arm(self, transaction_id: str, watched: Sequence[Watched], *, timeout_s: float) -> str:
        """Start one; returns its folder once it watches.

        Raises:
            WatchdogError: it did not come up.
        """
        from .watchdog import Charge, Item

        items = tuple(
            Item(
                device=w.device,
                password=w.password.get_secret_value() if w.password else None,
                session=w.session,
                undo=w.undo,
            )
            for w in watched
        )
        charge = Charge(fires_at=time.monotonic() + timeout_s, items=items)
        try:
            folder = watchfolder.make(self._root, transaction_id)
            child = _start(folder)
        except OSError as error:
            raise WatchdogError(f"no watchdog can be started in {self._root}: {error.strerror or error}") from None
        if not _armed(child, charge.model_dump_json().encode()):
            _end_group(child)
            raise WatchdogError(f"the watchdog did not come up: {_last_words(folder)}")
        threading.Thread(target=child.wait, daemon=True).start()  # takes its exit status, should we live to see it
        return str(folder)

    def stand_down(self, where: str, *, settled: str) -> bool:
        """Call it off; False when it has begun to undo. What is settled need not be undone any more in any case."""
        folder = Path(where)
        if not where or not folder.is_dir():
            return True
        stood = watchfolder.decide(folder, settled) != watchfolder.FIRED
        if stood or settled == watchfolder.UNDONE:
            watchfolder.settle(folder)
        return stood

    def verdict(self, where: str) -> str:
        """How it was ended; empty while nobody has decided."""
        return watchfolder.decision_of(Path(where)) if where else ""


def watchdogs(settings: Settings) -> Watchdogs:
    """Those of a run's state folder."""
    return Watchdogs(Path(settings.state_dir) / "watchdogs")


def standing(where: str) -> str:
    """How a watchdog stands, for a person."""
    folder = Path(where)
    decision = watchfolder.decision_of(folder)
    if not decision:
        return "its watchdog waits" if watchfolder.alive(folder) else "ITS WATCHDOG IS GONE: nothing will undo it"
    if decision != watchfolder.FIRED:
        return f"its watchdog was called off: {decision}"
    failing = [error for error in watchfolder.tried(folder).values() if error]
    if not failing:
        return "its watchdog has undone the change" if watchfolder.tried(folder) else "its watchdog is undoing it"
    went = "goes on trying" if watchfolder.alive(folder) else "HAS ENDED"
    return f"its watchdog {went}: {'; '.join(failing)}"


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """A supervisor in a session of its own: no terminal, no signal of ours, no parent that it needs."""
    home = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    with (folder / watchfolder.LOG).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", SUPERVISOR, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,
        )


def _armed(child: subprocess.Popen[bytes], charge: bytes) -> bool:
    """Hand the charge over and wait until it says that it watches."""
    if child.stdin is None or child.stdout is None:
        return False
    try:
        with child.stdin as pipe:
            pipe.write(charge)
    except BrokenPipeError:
        return False
    with child.stdout as answers:
        ready, _, _ = select.select([answers], [], [], START_S)
        return bool(ready) and answers.readline() == b"armed\n"


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """End a watchdog that never watched, with what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _last_words(folder: Path) -> str:
    try:
        said = (folder / watchfolder.LOG).read_text(errors="replace")
    except OSError:
        said = ""
    return said.strip()[-TOLD_CHARACTERS:] or f"it said nothing within {START_S:g} s"
