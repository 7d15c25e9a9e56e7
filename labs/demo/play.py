"""Runs the project's playbooks as a user would, and reads the recap."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from secloop_ai.loop.runner import project_dir

from .screen import Screen

RECAP = re.compile(r"^localhost\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


class Played(NamedTuple):
    """How a playbook ended; `changed` is -1 when there was no recap."""

    rc: int
    changed: int
    output: str


class Player:
    """Runs playbooks with a private state directory and one inventory."""

    def __init__(self, screen: Screen, inventory: Path, state: Path) -> None:
        self._screen = screen
        self._inventory = inventory
        self.project = project_dir()
        self.bin = Path(sys.executable).parent
        self.environ = {
            **os.environ,
            "ANSIBLE_CONFIG": str(self.project / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "SECLOOP_STATE_DIR": str(state),
            "PATH": f"{self.bin}:{os.environ.get('PATH', '')}",
        }

    def play(self, name: str, variables: Mapping[str, str] | None = None, *options: str, quiet: bool = False) -> Played:
        """Run playbooks/NAME, showing its output unless quiet."""
        extra = [part for key, value in (variables or {}).items() for part in ("-e", f"{key}={value}")]
        command = ["ansible-playbook", f"playbooks/{name}", "-i", str(self._inventory), *extra, *options]
        self._screen.fact("$ " + " ".join(command))
        done = self._run([str(self.bin / command[0]), *command[1:]])
        for line in () if quiet else done.output.splitlines():
            if line.strip():
                self._screen.fact(f"| {line}")
        return done

    def secloop(self, *arguments: str) -> Played:
        """Run the ``secloop`` command, showing its output."""
        self._screen.fact("$ secloop " + " ".join(arguments))
        done = self._run([str(self.bin / "secloop"), *arguments])
        for line in done.output.splitlines():
            self._screen.fact(f"| {line}")
        return done

    def _run(self, command: list[str]) -> Played:
        done = subprocess.run(
            command, cwd=self.project, env=self.environ, capture_output=True, text=True, check=False, timeout=300
        )
        recap = RECAP.search(done.stdout)
        return Played(done.returncode, int(recap.group(2)) if recap else -1, done.stdout + done.stderr)
