"""An emulated device as another process sees it: where it listens, and its control channel."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

from .faults import Fault, FaultKind, Step
from .spec import DeviceState, Served

_CONTROL_TIMEOUT_S = 10.0


class Device(Frozen):
    """Where an emulated device listens; its methods work past NETCONF, through the control socket.

    Attributes:
        dialect: its data model.
        private_key: the client key's file.
        known_hosts: an OpenSSH known_hosts file with the device's key.
        control: the unix socket of the emulator.
    """

    name: str
    dialect: str = "ietf"
    host: str
    port: int
    user: str
    private_key: Path
    known_hosts: Path
    control: Path

    def running(self) -> str:
        """The running configuration in canonical XML; equal configurations give equal text."""
        return str(self.command("get"))

    def candidate(self) -> str:
        """The candidate configuration in canonical XML."""
        return str(self.command("get", datastore="candidate"))

    def set_running(self, xml: str) -> None:
        """Replace running, as an operator on the console would."""
        self.command("set", xml=xml)

    def foreign_edit(self, xml: str) -> None:
        """Merge an edit into running, past all locks; `operation` attributes work as in edit-config."""
        self.command("edit", xml=xml)

    def fault(
        self,
        step: Step | str,
        kind: FaultKind | str,
        *,
        times: int | None = 1,
        seconds: float = 0.0,
        error_tag: str = "operation-failed",
    ) -> None:
        """Put a fault in force for the next `times` operations of that step (None: until cleared)."""
        fault = Fault(step=Step(step), kind=FaultKind(kind), times=times, seconds=seconds, error_tag=error_tag)
        self.command("fault", fault=fault.model_dump(mode="json"))

    def deny(self, *paths: str) -> None:
        """Let clients write to none of these paths, such as `/acl:acls`; without any, to all again."""
        self.command("deny", paths=paths)

    def reboot(self, seconds: float = 0.0) -> None:
        """Restart the device: sessions and candidate are lost, a pending commit is undone; down for `seconds`."""
        self.command("reboot", seconds=seconds)

    def jump_clock(self, seconds: float) -> None:
        """Set the device's clock forward: a pending commit ends that much earlier (negative: later)."""
        self.command("clock", seconds=seconds)

    def log(self) -> list[Served]:
        """What the device has served, oldest first (the last 10,000 lines)."""
        return [Served.model_validate(line) for line in self.command("log")]

    def served(self, *operations: str) -> list[Served]:
        """The lines of the log with one of these operations that the device performed."""
        return [line for line in self.log() if line.performed and line.operation in operations]

    def clear(self, *what: str) -> None:
        """Forget faults and log, or only the one named (`faults`, `log`)."""
        self.command("clear", what=what or ("faults", "log"))

    def state(self) -> DeviceState:
        """Sessions, locks, uncommitted changes and the pending confirmed commit."""
        return DeviceState.model_validate(self.command("state"))

    def reset(self) -> None:
        """Back to the initial configuration: sessions closed, no faults, an empty log."""
        self.command("reset")

    def command(self, do: str, **parameters: Any) -> Any:
        """Send one command down the control channel; its value.

        Raises:
            LabError: the emulator is gone, or refuses the command.
        """
        line = json.dumps({"do": do, "device": self.name, **parameters}).encode() + b"\n"
        try:
            with socket.socket(socket.AF_UNIX) as channel:
                channel.settimeout(_CONTROL_TIMEOUT_S)
                channel.connect(str(self.control))
                channel.sendall(line)
                with channel.makefile("rb") as answers:
                    answer = json.loads(answers.readline() or b"{}")
        except OSError as error:
            raise LabError(f"emulated device {self.name}: control channel {self.control}: {error}") from error
        if not answer.get("ok"):
            raise LabError(f"emulated device {self.name}: {do}: {answer.get('error', 'no answer')}")
        return answer["value"]
