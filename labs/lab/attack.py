"""Real attack tools in the attacker's namespace, bounded in number and time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

from .lab import Lab
from .processes import environment, tail
from .topology import port_of

MAX_ATTEMPTS = 5000
MAX_SECONDS = 600.0
MAX_TASKS = 16
SSH_PORT = 22


class AttackResult(Frozen):
    """What became of an attack.

    Attributes:
        seconds: how long it ran.
        finished: the tool came to its own end; False: it was stopped at its time limit or by hand.
        returncode: of the tool; negative when a signal ended it.
        output: the last lines it printed.
    """

    tool: str
    target: str
    seconds: float
    finished: bool
    returncode: int
    output: str


class RunningAttack:
    """An attack under way. As a context manager it is stopped at the end of the block."""

    def __init__(self, tool: str, target: str, process: subprocess.Popen[bytes], log: Path, limit_s: float) -> None:
        self.tool = tool
        self.target = target
        self._process = process
        self._log = log
        self._begun = time.monotonic()
        self._limit_s = limit_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the tool is still at it; past its time limit it is stopped here."""
        if time.monotonic() - self._begun > self._limit_s:
            self.stop()
        return self._process.poll() is None

    def wait(self) -> AttackResult:
        """Wait for the tool's end, at most until its time limit."""
        try:
            self._process.wait(max(0.0, self._limit_s - (time.monotonic() - self._begun)))
        except subprocess.TimeoutExpired:
            return self.stop()
        return self._result(finished=True)

    def stop(self) -> AttackResult:
        """End the tool and its children now."""
        finished = self._process.poll() is not None
        if not finished:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        return self._result(finished=finished)

    def _result(self, *, finished: bool) -> AttackResult:
        return AttackResult(
            tool=self.tool,
            target=self.target,
            seconds=round(time.monotonic() - self._begun, 3),
            finished=finished,
            returncode=self._process.returncode,
            output=tail(self._log, 20),
        )


class Attack:
    """The red side of a lab that is up."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def start_ssh_brute_force(
        self, *, target: str = "app", attempts: int = 200, tasks: int = 8, timeout_s: float = 60.0, family: int = 4
    ) -> RunningAttack:
        """Let hydra try `attempts` passwords against the target's SSH server. No password ever fits.

        Args:
            target: host of the lab.
            attempts: passwords tried, at most `MAX_ATTEMPTS`.
            tasks: connections side by side, at most `MAX_TASKS`.
            timeout_s: the attack is stopped after this many seconds, at most `MAX_SECONDS`.
            family: 4 or 6, the version of IP.

        Raises:
            LabError: the lab is not up, or a bound is exceeded.
        """
        _within("attempts", attempts, MAX_ATTEMPTS)
        _within("tasks", tasks, MAX_TASKS)
        _within("timeout_s", timeout_s, MAX_SECONDS)
        port = port_of(target)
        address = f"{port.host_v4.ip}" if family == 4 else f"[{port.host_v6.ip}]"  # noqa: PLR2004 - the IP version
        folder = self._lab.paths.attacks
        if not folder.is_dir():
            raise LabError(f"lab {self._lab.name} is not up")
        words = folder / "words.txt"
        words.write_text("".join(f"guess-{number:05d}\n" for number in range(attempts)), encoding="utf-8")
        url = f"ssh://{address}:{SSH_PORT}"
        version = ["-6"] if family == 6 else []  # noqa: PLR2004 - the IP version
        # -w: after the sixth failure the server hangs up, and libssh sits that many seconds over the dead connection
        argv = ["hydra", *version, "-I", "-t", str(tasks), "-w", "1", "-l", "root", "-P", str(words), url]
        return self._start("hydra", url, argv, timeout_s)

    def ssh_brute_force(
        self, *, target: str = "app", attempts: int = 40, tasks: int = 8, timeout_s: float = 30.0, family: int = 4
    ) -> AttackResult:
        """:meth:`start_ssh_brute_force`, and wait for its end or its time limit."""
        with self.start_ssh_brute_force(
            target=target, attempts=attempts, tasks=tasks, timeout_s=timeout_s, family=family
        ) as attack:
            return attack.wait()

    def _start(self, tool: str, target: str, argv: list[str], timeout_s: float) -> RunningAttack:
        log = self._lab.paths.attacks / f"{tool}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._lab.command("attacker", argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._lab.paths.attacks,
                env=environment(self._lab.paths.root, {"HOME": str(self._lab.paths.attacks)}),
                start_new_session=True,
            )
        return RunningAttack(tool, target, process, log, timeout_s)


def _within(name: str, value: float, most: float) -> None:
    if not 0 < value <= most:
        raise LabError(f"{name} = {value:g}: between 1 and {most:g}")
