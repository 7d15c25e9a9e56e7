"""The red team's hands on a lab of five hosts: tools in the namespace of one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

from labs.lab import Lab
from labs.lab.processes import environment
from labs.lab.topology import port_of
from labs.scenario import Stage
from secloop_ai.contracts import IPAddress

TIMED_OUT = 124


class LabRed:
    """A :class:`labs.attacks.base.Red` upon a :class:`labs.lab.Lab` that is up.

    Args:
        lab: the lab.
        folder: private folder for word lists; the caller removes it.
        canaries: the loot, by means.
        host: of the lab, where the stage starts.
    """

    def __init__(self, lab: Lab, folder: Path, canaries: Mapping[str, str], host: str = "attacker") -> None:
        self._lab = lab
        self._folder = folder
        self._canaries = canaries
        self._host = host
        self._begun = time.monotonic()

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a tool on the host; with all its children it is ended after `timeout_s`, as return code 124."""
        command = self._lab.command(self._host, argv)
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=self._folder,
            env=environment(self._lab.paths.root, {"HOME": str(self._folder)}),
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(stdin, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, err = process.communicate()
                return subprocess.CompletedProcess(command, TIMED_OUT, out, err)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def canary(self, stage: Stage) -> str:
        """The loot of the stage's means."""
        return self._canaries[stage.means]

    def scratch(self) -> Path:
        """The private folder."""
        return self._folder

    def clock_s(self) -> float:
        """Seconds since this object was made."""
        return time.monotonic() - self._begun

    def address(self) -> IPAddress:
        """The host's IPv4 address."""
        return ip_address(port_of(self._host).host_v4.ip)
