"""Starts the parts of a lab side by side and waits until each is ready."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from secloop_ai.contracts.errors import LabError

from . import device, network, plugin, sensor, yang
from .ncx import LocalSession
from .netns import can_connect
from .paths import RunPaths
from .processes import alive, environment, in_namespace, spawn, start_ticks, tail
from .state import LabState, ProcessRecord
from .topology import GATEWAY, NETCONF_PORT, NETCONF_USER, device_address, namespace, port_of

READY_S = 20.0
POLL_S = 0.005
BANNER_S = 2.0
ROOT = Path(__file__).resolve().parents[2]
HTTPD = Path(__file__).resolve().parent / "httpd.py"
WEB_PORT, APP_PORT, SSH_PORT = 80, 8080, 22


@contextmanager
def part(name: str, log: Path | None = None) -> Iterator[None]:
    """Names the part that failed, with the end of its log.

    Raises:
        LabError: whatever went wrong inside, with the part's name in front.
    """
    try:
        yield
    except (LabError, OSError) as error:
        shown = f"\n{log}:\n{tail(log)}" if log and log.exists() else ""
        raise LabError(f"{name}: {error}{shown}") from error


class Boot:
    """One `up` of a lab, step by step. Every step writes down what it makes before it makes it."""

    def __init__(self, state: LabState, paths: RunPaths) -> None:
        self.state = state
        self.paths = paths
        self.env = environment(paths.root)

    def run(self) -> None:
        """Bring everything up. Needs root; makes namespaces, links and processes.

        Raises:
            LabError: a part failed; it is named, with the end of its log.
        """
        for folder in (self.paths.logs, self.paths.attacks):
            folder.mkdir(mode=0o700)
        with part("network"):
            network.build(self.state.name, self.state.namespaces, self.env)
        self._start_applier()
        self._start_sensor()
        self._start_services()
        with part("network"):
            self._update(index=network.connect_management(self.state.name, self.env))
        self._start_netconf()
        self._wait_for_netconf()
        self._wait_for_services()
        self._await("suricata", lambda: sensor.STARTED in tail(self.paths.log("suricata"), 50))

    def _update(self, **changes: object) -> None:
        self.state = self.state.model_copy(update=changes).save()

    def _start(self, name: str, host: str, argv: list[str], *, extra: dict[str, str] | None = None,
               binds: dict[str, str] | None = None) -> None:  # fmt: skip
        log = self.paths.log(name)
        with part(name, log):
            where = namespace(self.state.name, host)
            inside = in_namespace(where, argv, binds)
            pid = spawn(inside, log, {**self.env, **(extra or {})}, self.paths.root)
            record = ProcessRecord(name=name, pid=pid, start_ticks=start_ticks(pid) or 0, log=str(log))
            self._update(processes=(*self.state.processes, record))

    def _start_applier(self) -> None:
        argv = [sys.executable, "-m", "labs.lab.applier", str(self.paths.root)]
        self._start("applier", GATEWAY, argv, extra={"PYTHONPATH": str(ROOT)})

    def _start_sensor(self) -> None:
        with part("suricata"):
            config = sensor.write_config(self.paths)
        self._start("suricata", GATEWAY, sensor.argv(config, self.paths))

    def _start_services(self) -> None:
        with part("keys"):
            device.make_keys(self.paths, self.env)
            device.make_sshd_run_dir()
            config = self.paths.root / "host_sshd_config"
            config.write_text(device.host_sshd_config(self.paths), encoding="utf-8")
        for host, port in (("web", WEB_PORT), ("app", APP_PORT)):
            self._start(f"http-{host}", host, [sys.executable, "-I", "-S", str(HTTPD), str(port)])
            sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", str(config)]
            self._start(f"sshd-{host}", host, sshd, binds=device.own_failed_logins(self.paths))

    def _start_netconf(self) -> None:
        address = str(device_address(self.state.index or 0))
        with part("netconfd"):
            modpath = yang.prepare(self.paths.modules)
            plugin.install(self.paths.plugin, self.env)
            accounts = device.write_accounts(self.paths)
            device.write_known_hosts(self.paths, address)
            config = self.paths.root / "netconf_sshd_config"
            config.write_text(device.netconf_sshd_config(self.paths, address), encoding="utf-8")
        argv = device.netconfd_argv(self.paths, modpath)
        self._start(
            "netconfd", GATEWAY, argv, extra=device.netconfd_env(self.paths), binds=device.netconfd_binds(self.paths)
        )
        sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", str(config)]
        self._start("sshd-netconf", GATEWAY, sshd, binds=accounts)

    def _wait_for_netconf(self) -> None:
        self._await("applier", self.paths.applier_socket.exists)
        self._await("netconfd", self.paths.netconfd_socket.exists)
        with part("netconfd", self.paths.log("netconfd")), self._session() as session:
            session.edit(device.initial_config())
            session.commit()
        address = str(device_address(self.state.index or 0))
        self._await("sshd-netconf", lambda: _banner(address, NETCONF_PORT))

    def _session(self) -> LocalSession:
        return LocalSession(self.paths.netconfd_socket, user=NETCONF_USER)

    def _wait_for_services(self) -> None:
        """Seen from the client, so that forwarding is proved with it."""
        client = namespace(self.state.name, "client")
        served = (
            ("http-web", "web", WEB_PORT),
            ("sshd-web", "web", SSH_PORT),
            ("http-app", "app", APP_PORT),
            ("sshd-app", "app", SSH_PORT),
        )
        for process, host, port in served:
            address = str(port_of(host).host_v4.ip)
            self._await(process, lambda a=address, p=port: can_connect(client, a, p, BANNER_S))  # type: ignore[misc]

    def _await(self, name: str, ready: Callable[[], bool]) -> None:
        """Wait for a started part; its end, or `READY_S` without success, is an error."""
        record = next(r for r in self.state.processes if r.name == name)
        deadline = time.monotonic() + READY_S
        with part(name, Path(record.log)):
            while not ready():
                if not alive(record.pid, record.start_ticks):
                    raise LabError("ended while it was starting")
                if time.monotonic() > deadline:
                    raise LabError(f"not ready after {READY_S:g} s")
                time.sleep(POLL_S)


def _banner(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=BANNER_S) as connection:
            return connection.recv(16).startswith(b"SSH-")
    except OSError:
        return False
