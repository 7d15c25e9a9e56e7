"""A worker that is a process of this machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from typing import IO

from labs.lab import strays

from .calls import Answer
from .channel import Channel
from .handle import WorkerLostError
from .model import Job
from .remains import clear

START_S, CLOSE_S = 60.0, 30.0
LOG_BYTES = 2000
# the folders this process imports from, whatever it is and wherever it stands
BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from labs.executor.worker import main; main(sys.argv[2:])"
)


class ProcessWorker:
    """A fresh Python in a session of its own. It ends with this process, whatever ends this one.

    The thread that makes it has to outlive it: the kernel tells a process of its parent *thread's* end.

    Raises:
        WorkerLostError: it did not start; with the end of what it said.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open while the worker lives
        ours, theirs = socket.socketpair()
        path = json.dumps([os.path.abspath(part) for part in sys.path])  # noqa: PTH100 - an empty entry is the folder
        argv = [sys.executable, "-c", BOOT, path, str(theirs.fileno()), str(os.getpid())]
        with theirs:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
                pass_fds=(theirs.fileno(),), start_new_session=True,
            )  # fmt: skip
        self._started = strays.start_ticks(self._process.pid)
        self._channel = Channel(ours)
        try:
            self._channel.receive(START_S)
        except (EOFError, TimeoutError) as error:
            why = self._why(error, START_S)
            self.bury()
            raise WorkerLostError(f"{name} did not start: {why}") from None

    def run(self, job: Job, following: Job | None) -> Answer:
        """See :class:`labs.executor.handle.Worker`."""
        ahead = following.model_dump() if following and following.warm else None
        self._log.seek(0)
        self._log.truncate()
        try:
            self._channel.send({"job": job.model_dump(), "following": ahead})
            said = self._channel.receive(job.timeout_s)
        except (OSError, EOFError) as error:
            raise WorkerLostError(self._why(error, job.timeout_s)) from None
        return Answer(said["value"], said["error"])

    def _why(self, error: Exception, timeout_s: float) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {timeout_s:g} s"
        try:
            code = self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            return "the worker hung up"
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with status {code}"
        said = self._said()
        return f"the worker ended {how}{': ' if said else ''}{said}"

    def _said(self) -> str:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - LOG_BYTES))
        return self._log.read().decode(errors="replace").strip()

    def interrupt(self) -> None:
        """See :class:`labs.executor.handle.Worker`."""
        self._process.kill()

    def bury(self) -> str:
        """See :class:`labs.executor.handle.Worker`."""
        if self._process.poll() is None:
            strays.kill_tree(self._process.pid)
            self._process.wait()
        self._channel.close()
        self._log.close()
        return clear(self._process.pid, self._started)

    def close(self) -> None:
        """See :class:`labs.executor.handle.Worker`."""
        self._channel.close()
        try:
            self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.bury()
