"""Emulated devices in a process of their own, for tests, benchmarks and the demo."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO

from secloop_ai.contracts.errors import LabError

from .client import Device
from .spec import DeviceSpec, FleetSpec, Ready

_HOST = "127.0.0.1"
_START_TIMEOUT_S, _START_TIMEOUT_PER_DEVICE_S = 30.0, 0.1
_STOP_TIMEOUT_S = 5.0


class EmulatedFleet(AbstractContextManager[tuple[Device, ...]]):
    """N devices in one child process, each on a port of its own of 127.0.0.1.

    Keys, known_hosts, log and control socket lie in a private temporary directory that goes with it. The
    child dies with the *thread* that entered this context, so enter it where that thread outlives its use.

    Args:
        devices: their specs; `gateways(n)` makes n equal ones.

    Raises:
        LabError: the child did not come up; quotes its log.
    """

    def __init__(self, devices: Sequence[DeviceSpec]) -> None:
        self._fleet = FleetSpec(devices=tuple(devices))
        self._child: subprocess.Popen[bytes] | None = None
        self._directory: Path | None = None

    def __enter__(self) -> tuple[Device, ...]:
        self._directory = directory = Path(tempfile.mkdtemp(prefix="secloop-emulator-"))
        try:
            ready = self._start(directory)
        except BaseException:
            self.stop()
            raise
        return tuple(device_of(spec, ready.ports[spec.name], directory) for spec in self._fleet.devices)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The child's process id.

        Raises:
            LabError: it does not run.
        """
        if self._child is None:
            raise LabError("the device emulator does not run")
        return self._child.pid

    def stop(self) -> None:
        """End the child and remove its directory; harmless when both are gone."""
        if self._child is not None:
            _end(self._child)
            self._child = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def _start(self, directory: Path) -> Ready:
        spec, log = directory / "fleet.json", directory / "emulator.log"
        spec.write_text(self._fleet.model_dump_json(), encoding="utf-8")
        with log.open("wb") as errors:
            self._child = spawn_serve(directory, spec, errors)
        line = first_line(self._child, start_timeout_s(len(self._fleet.devices)))
        if not line:
            raise LabError(f"the device emulator did not start: {log.read_text(encoding='utf-8').strip()}")
        return Ready.model_validate_json(line)


class EmulatedDevice(AbstractContextManager[Device]):
    """One device in a child process; see `EmulatedFleet` for its life.

    Args:
        config: its running configuration, as XML or as a file; None takes the dialect's initial one.
        capabilities: protocol capabilities, URIs or short forms such as `:candidate`; None is the vendor's.
        modules: the YANG modules it implements; None is all of its dialect's.
        user: the account its clients log in to.
        name: its name.
        dialect: its data model and, by its profile, its vendor's manners.
        variant: another way that vendor's server is set up, such as `candidate`.
        deny: paths that clients may not write to.
        yang: folder of YANG modules to check edits against.
    """

    def __init__(
        self,
        config: str | Path | None = None,
        capabilities: Sequence[str] | None = None,
        *,
        modules: Sequence[str] | None = None,
        user: str = "secloop",
        name: str = "gw1",
        dialect: str = "ietf",
        variant: str | None = None,
        deny: Sequence[str] = (),
        yang: Path | None = None,
    ) -> None:
        spec = DeviceSpec(
            name=name,
            dialect=dialect,
            config=config.read_text(encoding="utf-8") if isinstance(config, Path) else config,
            capabilities=None if capabilities is None else tuple(capabilities),
            modules=None if modules is None else tuple(modules),
            user=user,
            variant=variant,
            deny=tuple(deny),
            yang=yang,
        )
        self.fleet = EmulatedFleet([spec])

    def __enter__(self) -> Device:
        return self.fleet.__enter__()[0]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.fleet.stop()


def gateways(count: int) -> tuple[DeviceSpec, ...]:
    """Specs of `count` equal gateways, gw1 and so on."""
    return tuple(DeviceSpec(name=f"gw{number}") for number in range(1, count + 1))


def device_of(spec: DeviceSpec, port: int, directory: Path) -> Device:
    """Where a client finds a device of the emulator that runs in `directory`."""
    return Device(
        name=spec.name,
        dialect=spec.dialect,
        host=_HOST,
        port=port,
        user=spec.user,
        private_key=directory / "client_ed25519",
        known_hosts=directory / "known_hosts",
        control=directory / "control.sock",
    )


def spawn_serve(directory: Path, spec: Path, errors: IO[bytes], *, keep: bool = False) -> subprocess.Popen[bytes]:
    """Start an emulator that ends with this process; its first line is a `Ready`.

    Unless `keep`, it removes the directory where this process dies without doing so.
    """
    command = [sys.executable, "-m", "labs.emulator", "serve", "--directory", str(directory)]
    command += ["--spec", str(spec), "--parent", str(os.getpid()), *(["--keep"] if keep else [])]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=child_environment()
    )


def child_environment() -> dict[str, str]:
    """This process's environment, in which `labs` is found wherever the child stands."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def start_timeout_s(devices: int) -> float:
    """How long an emulator may take to start, in seconds."""
    return _START_TIMEOUT_S + _START_TIMEOUT_PER_DEVICE_S * devices


def first_line(child: subprocess.Popen[bytes], timeout_s: float) -> bytes:
    """The child's first line, or nothing where it ended or kept silent."""
    if child.stdout is None:
        return b""
    ready, _, _ = select.select([child.stdout], [], [], timeout_s)
    return child.stdout.readline() if ready else b""


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()
