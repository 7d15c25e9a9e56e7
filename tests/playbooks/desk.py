"""An operator's desk: the real commands, run as a person runs them, against an emulated device."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from labs.emulator import Device
from tests.respond.world import World

PROJECT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
RECAP = re.compile(r"^localhost\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
ALTERING = ("lock", "discard", "edit", "validate", "commit", "confirm", "cancel")
COMMAND_TIMEOUT_S = 100
RECKLESS = Path(__file__).with_name("reckless")
"""On PYTHONPATH, `SECLOOP_POLICY=reckless` is a policy that wants every source blocked, whatever the evidence."""


class Done(NamedTuple):
    """A command that has ended."""

    rc: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything a person saw."""
        return self.out + self.err

    @property
    def changed(self) -> int:
        """ansible-playbook's count of changed tasks."""
        return int(self._recap(2))

    @property
    def failed(self) -> int:
        """ansible-playbook's count of failed tasks."""
        return int(self._recap(4))

    def json(self) -> Any:
        """Standard output, which is JSON."""
        return json.loads(self.out)

    def _recap(self, group: int) -> str:
        found = RECAP.search(self.out)
        assert found, f"no recap: {self.said}"
        return found.group(group)


class Desk(World):
    """A world whose steps are taken by ansible-playbook and secloop, in processes of their own."""

    def __init__(self, device: Device, root: Path) -> None:
        super().__init__(device, root)
        self.scratch = root / "tmp"
        self.scratch.mkdir()

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every command here: nothing of it comes from a checkout's state."""
        ours = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(self.root),
            "TMPDIR": str(self.scratch),
            "COLUMNS": "100",
            "SECLOOP_STATE_DIR": str(self.root / "state"),
            "SECLOOP_PENDING_RPC_INTERVAL_S": "0",
            # these tests tell the table's answers to the letter; weights may come to answer otherwise
            "SECLOOP_POLICY": "playbook",
        }
        return {**super().environ, **ours}

    def run(self, *command: str | Path, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Done:
        """Run a command to its end, in the checkout unless told otherwise."""
        done = subprocess.run(
            list(map(str, command)),
            cwd=cwd or PROJECT,
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def play(
        self,
        playbook: str,
        *options: str,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        **variables: str | Path | float,
    ) -> Done:
        """ansible-playbook, with `variables` by -e."""
        extra = [part for name, value in variables.items() for part in ("-e", f"{name}={value}")]
        path = PROJECT / "playbooks" / playbook
        return self.run("ansible-playbook", path, "-i", self.inventory, *extra, *options, cwd=cwd, environ=environ)

    def secloop(self, *arguments: str | Path, columns: int = 100, environ: Mapping[str, str] | None = None) -> Done:
        """The secloop command on a terminal of that width."""
        return self.run("secloop", *arguments, environ={"COLUMNS": str(columns), **(environ or {})})

    def on_inventory(self, *arguments: str | Path, environ: Mapping[str, str] | None = None) -> Done:
        """The secloop command with this desk's inventory."""
        return self.secloop(*arguments, "-i", self.inventory, environ=environ)

    def altering(self) -> list[str]:
        """Operations the device performed since its log was cleared, of those that a reader never needs."""
        return [line.operation for line in self.device.served(*ALTERING)]

    def protect(self, prefix: str) -> None:
        """Add a prefix to the inventory's protected set."""
        path = self.inventory / "group_vars" / "all.yml"
        path.write_text(path.read_text().replace("secloop_protected:", f"secloop_protected:\n- {prefix}"))


def reckless() -> dict[str, str]:
    """Environment of a command whose policy wants what no guard allows."""
    return {"PYTHONPATH": str(RECKLESS), "SECLOOP_POLICY": "reckless"}
