"""The lab as one object: up, down, status, and hands inside it."""

from __future__ import annotations

import errno
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

from . import device, inventory, network, requirements
from .boot import Boot
from .ncx import LocalSession
from .netns import can_connect
from .paths import BASE, RunPaths
from .processes import alive, collect, environment, in_namespace, reap, run_dirs
from .state import FILE, LabState, load
from .topology import NETCONF_PORT, NETCONF_USER, device_address, namespace, namespaces

DEFAULT_NAME = "lab0"
EXEC_TIMEOUT_S = 60.0
LOCK_S, LOCK_POLL_S = 60.0, 0.05


class ProcessStatus(Frozen):
    """One process of a lab."""

    name: str
    pid: int
    alive: bool
    log: str


class LabStatus(Frozen):
    """What is there of a lab.

    Attributes:
        state: ``up``: all of it; ``degraded``: a process or a namespace is gone; ``broken``: left behind by an
            `up` that did not come to its end; ``down``: nothing.
        boot_s: seconds the last `up` took.
    """

    name: str
    state: Literal["up", "degraded", "broken", "down"]
    run_dir: Path
    namespaces: tuple[str, ...] = ()
    processes: tuple[ProcessStatus, ...] = ()
    address: str | None = None
    port: int = NETCONF_PORT
    user: str = NETCONF_USER
    key_file: Path | None = None
    known_hosts: Path | None = None
    eve_path: Path | None = None
    inventory_dir: Path | None = None
    boot_s: float | None = None

    @property
    def dead(self) -> tuple[str, ...]:
        """Names of the processes that have ended."""
        return tuple(process.name for process in self.processes if not process.alive)


class Lab:
    """Attacker, client, two servers and a gateway in network namespaces of this machine. Needs root.

    Args:
        name: a lower-case letter, then up to 11 lower-case letters or digits; labs of different names stand side
            by side.
        run_dir: private folder for everything the lab writes; by default below ``/run/secloop``.
        inventory_dir: where the Ansible inventory of the running lab goes; None writes none.

    Raises:
        LabError: the name is no name, or the run directory's path is too long.
    """

    def __init__(
        self, name: str = DEFAULT_NAME, run_dir: Path | None = None, inventory_dir: Path | None = None
    ) -> None:
        self.name = name
        self._namespaces = namespaces(name)
        self.paths = RunPaths(root=(run_dir or BASE / name).absolute()).checked()
        self.inventory_dir = inventory_dir.absolute() if inventory_dir else None
        self._env = environment(self.paths.root)

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    @property
    def eve_path(self) -> Path:
        """Suricata's event log."""
        return self.paths.eve

    def up(self) -> LabStatus:
        """Bring the lab up; a lab that is up stays as it is, remains of an earlier one are cleared first.

        Raises:
            LabError: something is missing, or a part did not start (named, with the end of its log). Nothing of
                the lab is left then.
        """
        if lacking := requirements.explain():
            raise LabError(f"{lacking}: labs/setup/install_packages.sh installs them")
        with self._locked():
            current = self.status()
            if current.state == "up":
                return current
            self._refuse_strangers(current)
            self._clear()
            begun = time.monotonic()
            finished = False
            try:
                self._build(begun)
                finished = True
            finally:
                if not finished:
                    self._clear()
        return self.status()

    def _build(self, begun: float) -> None:
        self.paths.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.paths.root.chmod(0o700)
        state = LabState(name=self.name, run_dir=str(self.paths.root), namespaces=self._namespaces).save()
        boot = Boot(state, self.paths)
        boot.run()
        self._write_inventory(boot.state)
        took = round(time.monotonic() - begun, 3)
        written = load(self.paths.root) or boot.state
        written.model_copy(update={"ready": True, "boot_s": took}).save()

    def _write_inventory(self, state: LabState) -> None:
        if self.inventory_dir is None or state.index is None:
            return
        texts = inventory.targets(self.name, state.index, self.paths, self.inventory_dir)
        folders = {path.parent for path in texts} | {self.inventory_dir}
        made = sorted((str(f) for f in folders if not f.exists()), key=len, reverse=True)
        state.model_copy(
            update={
                "inventory_dir": str(self.inventory_dir),
                "files": tuple(map(str, texts)),
                "directories": tuple(made),
            }
        ).save()
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def _refuse_strangers(self, current: LabStatus) -> None:
        """Never touch a folder that holds something else, or a lab of that name with another run directory."""
        root = self.paths.root
        if root.exists() and load(root) is None and any(root.iterdir()):
            raise LabError(f"{root} is not empty and holds no lab; choose another run directory")
        there = network.existing(self._env) & set(self._namespaces)
        if there and current.state == "down":
            raise LabError(
                f"namespaces of a lab {self.name} exist ({', '.join(sorted(there))}) but {root} does not know it: "
                f"it runs from another directory, or lost it; `secloop lab down --name {self.name}` removes it"
            )

    def down(self) -> None:
        """Remove everything of the lab, whatever state it is in; no lab at all is no error.

        Raises:
            LabError: a process or a namespace would not go.
        """
        with self._locked():
            self._clear()

    def _clear(self) -> None:
        roots = {self.paths.root, *run_dirs(self._namespaces)}
        states = [state for root in roots if (state := load(root))]
        for root in roots:
            reap(self._namespaces, root)
        for record in (record for state in states for record in state.processes):
            collect(record.pid)
        network.demolish(self.name, self._namespaces, self._env)
        for state in states:
            self._remove_files(state)
        if not any(name.startswith("sl-") for name in network.existing(self._env)):
            device.remove_sshd_run_dir()

    def _remove_files(self, state: LabState) -> None:
        for name in state.files:
            Path(name).unlink(missing_ok=True)
        for folder in map(Path, state.directories):
            _remove_empty(folder)
        root = Path(state.run_dir)
        for entry in root.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != FILE:
                entry.unlink()
        (root / FILE).unlink(missing_ok=True)  # last: what is cut off here is taken up by the next `down`
        _remove_empty(root)
        _remove_empty(BASE)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One `up` or `down` of a lab at a time, by a name in the kernel that goes with its holder."""
        with socket.socket(socket.AF_UNIX) as holder:
            deadline = time.monotonic() + LOCK_S
            while True:
                try:
                    holder.bind(f"\0secloop-lab-{self.name}")
                    break
                except OSError as error:
                    if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                        raise LabError(f"lab {self.name}: another process is at it ({error.strerror})") from None
                time.sleep(LOCK_POLL_S)
            yield

    def status(self) -> LabStatus:
        """What is there of the lab now; looks only."""
        state = load(self.paths.root)
        if state is None:
            return LabStatus(name=self.name, state="down", run_dir=self.paths.root)
        there = network.existing(self._env) & set(self._namespaces)
        processes = tuple(
            ProcessStatus(name=r.name, pid=r.pid, alive=alive(r.pid, r.start_ticks), log=r.log) for r in state.processes
        )
        whole = len(there) == len(self._namespaces) and all(process.alive for process in processes)
        kind: Literal["up", "degraded", "broken"] = "broken" if not state.ready else "up" if whole else "degraded"
        return LabStatus(
            name=self.name,
            state=kind,
            run_dir=self.paths.root,
            namespaces=tuple(sorted(there)),
            processes=processes,
            address=None if state.index is None else str(device_address(state.index)),
            key_file=self.paths.login_key,
            known_hosts=self.paths.known_hosts,
            eve_path=self.paths.eve,
            inventory_dir=Path(state.inventory_dir) if state.inventory_dir else None,
            boot_s=state.boot_s,
        )

    def netns(self, host: str) -> str:
        """The network namespace of a host (``gw``, ``attacker``, ``client``, ``web``, ``app``).

        Raises:
            LabError: the lab has no such host.
        """
        return namespace(self.name, host)

    def command(self, host: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` on the host."""
        return in_namespace(self.netns(host), argv)

    def exec(
        self, host: str, argv: Sequence[str], *, timeout_s: float = EXEC_TIMEOUT_S, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a host and return what came of it; a non-zero exit is no error here.

        Raises:
            LabError: it did not end within `timeout_s` seconds.
        """
        try:
            return subprocess.run(
                self.command(host, argv), env=self._env, input=stdin, capture_output=True, text=True, timeout=timeout_s,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{host}: {' '.join(argv)}: no end after {timeout_s:g} s") from error

    def session(self, *, timeout_s: float = 10.0) -> LocalSession:
        """A NETCONF session with the device, over netconfd's own socket.

        Raises:
            LabError: netconfd does not answer.
        """
        return LocalSession(self.paths.netconfd_socket, user=NETCONF_USER, timeout_s=timeout_s)

    def snapshot(self) -> bytes:
        """The device's running configuration, read over NETCONF, in canonical XML.

        Raises:
            LabError: netconfd does not answer.
        """
        with self.session() as session:
            return session.running()

    def can_serve(self, host_from: str, address: str, port: int, *, timeout_s: float = 2.0) -> bool:
        """Whether a TCP connection from the host to the address comes about within `timeout_s` seconds.

        Raises:
            LabError: the lab is not up, or has no such host.
        """
        return can_connect(self.netns(host_from), address, port, timeout_s)


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
