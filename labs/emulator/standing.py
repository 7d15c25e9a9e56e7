"""A fleet that stands until it is taken down: a supervised emulator and the inventory of its network."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from labs.lab.paths import BASE
from labs.lab.processes import alive, collect, spawn, start_ticks, tail
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

from .client import Device
from .inventory import HEADER, port_names, write_fleet_inventory
from .process import child_environment, device_of, start_timeout_s
from .spec import DeviceSpec, FleetSpec
from .supervisor import LOG, SPEC, STATE, Supervised

DEFAULT_NAME = "fleet0"
RECORD, SUPERVISOR_LOG = "standing.json", "supervisor.log"
_LONGEST = 90
_STOP_TIMEOUT_S, _POLL_S = 15.0, 0.02
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


class Record(Frozen):
    """What `up` wrote down for `status` and `down`."""

    supervisor: int
    start_ticks: int
    files: tuple[str, ...] = ()


class FleetStatus(Frozen):
    """What is there of a fleet.

    Attributes:
        state: ``up``: every device listens; ``degraded``: the emulator or its supervisor is gone; ``down``: nothing.
        dialects: how many devices speak which dialect.
        boot_s: seconds until every device listened.
        restarts: how often the emulator died and was started again, its devices as they were at first.
        memory_mb: resident memory of the emulator.
    """

    name: str
    state: Literal["up", "degraded", "down"]
    run_dir: Path
    devices: int = 0
    dialects: dict[str, int] = Field(default_factory=dict)
    ports: tuple[int, int] | None = None
    user: str = ""
    key_file: Path | None = None
    known_hosts: Path | None = None
    inventory: Path | None = None
    boot_s: float | None = None
    restarts: int = 0
    memory_mb: float | None = None
    log: Path | None = None


class StandingFleet:
    """Emulated devices that outlive the process that started them. Needs no root.

    Args:
        name: of the fleet; fleets of different names stand side by side.
        run_dir: private folder for keys, logs and sockets; by default below /run/secloop, or for who is not root
            below a folder of the user's own.
    """

    def __init__(self, name: str = DEFAULT_NAME, run_dir: Path | None = None) -> None:
        self.name = name
        self.root = (run_dir or _base() / name).absolute()

    @property
    def exists(self) -> bool:
        """Whether an `up` left something here."""
        return (self.root / RECORD).is_file()

    def up(self, specs: Sequence[DeviceSpec], inventory: Path) -> FleetStatus:
        """Start the devices and write the inventory; a fleet that is up stays as it is.

        Raises:
            LabError: the emulator did not come up (with the end of its log), or a folder is somebody else's.
        """
        if (current := self.status()).state == "up":
            return current
        for spec in specs:
            port_names(spec.dialect)
        self._refuse_strangers(inventory)
        self.down()
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)
        (self.root / SPEC).write_text(FleetSpec(devices=tuple(specs)).model_dump_json(), encoding="utf-8")
        try:
            self._start(len(specs))
            record = self._record()
            files = write_fleet_inventory(self.devices(), inventory.absolute())
            self._save(record.model_copy(update={"files": tuple(map(str, files))}))
        except BaseException:
            self.down()
            raise
        return self.status()

    def down(self) -> None:
        """End the devices and remove what belongs to them; harmless when there is nothing.

        Raises:
            LabError: the supervisor would not end.
        """
        if not self.exists:
            return
        record = self._record()
        self._end(record)
        folders = set()
        for name in record.files:
            path = Path(name)
            if _ours(path):
                path.unlink()
            folders |= {path.parent, path.parent.parent}
        for folder in sorted((f for f in folders if f.is_dir()), key=lambda f: len(str(f)), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()  # unless something else is in it
        shutil.rmtree(self.root, ignore_errors=True)

    def status(self) -> FleetStatus:
        """What is there of the fleet now; looks only."""
        if not self.exists or (now := self._supervised()) is None:
            state: Literal["down", "degraded"] = "degraded" if self.exists else "down"
            return FleetStatus(name=self.name, state=state, run_dir=self.root)
        record, specs, devices = self._record(), self._specs(), self.devices()
        whole = alive(record.supervisor, record.start_ticks) and start_ticks(now.emulator) is not None
        return FleetStatus(
            name=self.name,
            state="up" if whole and record.files else "degraded",
            run_dir=self.root,
            devices=len(devices),
            dialects=dict(Counter(spec.dialect for spec in specs)),
            ports=(min(now.ports.values()), max(now.ports.values())),
            user=devices[0].user,
            key_file=devices[0].private_key,
            known_hosts=devices[0].known_hosts,
            inventory=Path(record.files[0]).parent if record.files else None,
            boot_s=now.boot_s,
            restarts=now.restarts,
            memory_mb=_memory_mb(now.emulator),
            log=self.root / LOG,
        )

    def devices(self) -> tuple[Device, ...]:
        """Where the devices listen.

        Raises:
            LabError: the fleet is not up.
        """
        if (now := self._supervised()) is None:
            raise LabError(f"fleet {self.name} is not up")
        return tuple(device_of(spec, now.ports[spec.name], self.root) for spec in self._specs())

    def _start(self, count: int) -> None:
        argv = [sys.executable, "-m", "labs.emulator", "supervise", "--directory", str(self.root)]
        log = self.root / SUPERVISOR_LOG
        pid = spawn(argv, log, child_environment(), self.root)
        ticks = start_ticks(pid)
        self._save(Record(supervisor=pid, start_ticks=ticks or 0))
        deadline = time.monotonic() + start_timeout_s(count)
        while self._supervised() is None:
            if ticks is None or not alive(pid, ticks) or time.monotonic() > deadline:
                reason = tail(self.root / LOG) if (self.root / LOG).exists() else tail(log)
                raise LabError(f"fleet {self.name} did not start: {reason}")
            time.sleep(_POLL_S)

    def _end(self, record: Record) -> None:
        """The supervisor takes its emulator with it."""
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        if alive(record.supervisor, record.start_ticks):
            os.kill(record.supervisor, signal.SIGTERM)
        while alive(record.supervisor, record.start_ticks):
            if time.monotonic() > deadline:
                raise LabError(f"fleet {self.name}: supervisor {record.supervisor} would not end")
            time.sleep(_POLL_S)
        collect(record.supervisor)

    def _refuse_strangers(self, inventory: Path) -> None:
        if len(str(self.root)) > _LONGEST:
            raise LabError(f"{self.root}: too long for a UNIX socket; choose a shorter run directory")
        if self.root.exists() and not self.exists and any(self.root.iterdir()):
            raise LabError(f"{self.root} is not empty and holds no fleet; choose another run directory")
        hosts = inventory / "hosts.yml"
        if hosts.exists() and not _ours(hosts):
            raise LabError(f"{hosts}: there is an inventory of somebody else's; choose another inventory folder")

    def _supervised(self) -> Supervised | None:
        try:
            return Supervised.model_validate_json((self.root / STATE).read_bytes())
        except OSError:
            return None

    def _specs(self) -> tuple[DeviceSpec, ...]:
        return FleetSpec.model_validate_json((self.root / SPEC).read_bytes()).devices

    def _record(self) -> Record:
        return Record.model_validate_json((self.root / RECORD).read_bytes())

    def _save(self, record: Record) -> None:
        (self.root / RECORD).write_text(record.model_dump_json(), encoding="utf-8")


def _base() -> Path:
    if os.geteuid() == 0:
        return BASE
    own = os.environ.get("XDG_RUNTIME_DIR")
    return Path(own, "secloop") if own else Path(tempfile.gettempdir(), f"secloop-{os.geteuid()}")


def _ours(path: Path) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8").startswith(HEADER.partition(":")[0])


def _memory_mb(pid: int) -> float | None:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return None
    return round(pages * _PAGE_MB, 1)
