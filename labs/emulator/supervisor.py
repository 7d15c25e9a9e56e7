"""`python -m labs.emulator supervise`: keeps an emulator running, on the same ports, until it is told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from secloop_ai.contracts.base import Frozen

from .process import first_line, spawn_serve, start_timeout_s
from .spec import FleetSpec, Ready

SPEC, STATE, LOG = "fleet.json", "supervisor.json", "emulator.log"
_RESTARTS, _WITHIN_S = 5, 60.0
_STOP_TIMEOUT_S = 5.0


class Supervised(Frozen):
    """What the supervisor last wrote down.

    Attributes:
        emulator: process id of the emulator.
        ports: where each device listens.
        started_s: when the emulator was started, in UNIX seconds.
        boot_s: seconds until every device listened.
        restarts: how often it had to be started again; its devices then are as they were at first.
    """

    emulator: int
    ports: dict[str, int]
    started_s: float
    boot_s: float
    restarts: int = 0


def supervise(directory: Path) -> int:
    """Run the fleet of `directory/fleet.json` until SIGTERM; start the emulator again when it dies.

    Returns:
        0 when told to end, 1 where the emulator does not start, or dies `_RESTARTS` times within `_WITHIN_S` seconds.
    """
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    deaths: list[float] = []
    while True:
        child = _started(directory, restarts=len(deaths))
        if child is None:
            return 1
        try:
            child.wait()
        finally:
            _stop(child)
        _say(f"the emulator ended with status {child.returncode}")
        deaths.append(time.monotonic())
        if len(deaths) >= _RESTARTS and deaths[-1] - deaths[-_RESTARTS] < _WITHIN_S:
            _say(f"{_RESTARTS} times within {_WITHIN_S:g} s: giving up")
            return 1


def _started(directory: Path, *, restarts: int) -> subprocess.Popen[bytes] | None:
    """A new emulator, its ports written into the fleet's file so that the next one has the same."""
    spec = directory / SPEC
    fleet = FleetSpec.model_validate_json(spec.read_bytes())
    begun = time.time()
    with (directory / LOG).open("ab") as errors:
        child = spawn_serve(directory, spec, errors, keep=True)
    try:
        line = first_line(child, start_timeout_s(len(fleet.devices)))
        if not line:
            _say("the emulator did not start")
            _stop(child)
            return None
        ready = Ready.model_validate_json(line)
        fixed = tuple(d.model_copy(update={"port": ready.ports[d.name]}) for d in fleet.devices)
        _write(spec, FleetSpec(devices=fixed).model_dump_json())
        took = round(time.time() - begun, 3)
        now = Supervised(emulator=child.pid, ports=ready.ports, started_s=begun, boot_s=took, restarts=restarts)
        _write(directory / STATE, now.model_dump_json())
    except BaseException:
        _stop(child)
        raise
    return child


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _end(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise SystemExit(0)


def _say(text: str) -> None:
    sys.stderr.write(f"supervisor {os.getpid()}: {text}\n")
    sys.stderr.flush()
