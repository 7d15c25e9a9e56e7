"""The NETCONF server of a gateway: netconfd and sshd on the node, the applier as a thread of the controller.

The applier works in the gateway's network namespace, where threads of one process may each be in another one. That
spares a Python process a gateway: its start would cost more than all the rest of a clone's boot.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from labs.lab import device, plugin, yang
from labs.lab.applier import Applier
from labs.lab.kernel import Nftables
from labs.lab.ncx import LocalSession
from labs.lab.netns import enter
from labs.lab.paths import RunPaths
from labs.lab.topology import NETCONF_PORT, NETCONF_USER
from secloop_ai.contracts.errors import LabError

from .atlas import MANAGEMENT_PORT, Atlas, Management
from .launcher import Starting
from .nodes import Nodes

READY_S = 20.0
POLL_S = 0.005
BANNER_S = 2.0
# the controller's side is out of reach from the case, and so is the NETCONF server from anywhere but there
GUARD = """\
table inet battlefield {{
  chain forward {{
    type filter hook forward priority -10; policy accept;
    iifname "{port}" drop
    oifname "{port}" drop
  }}
  chain input {{
    type filter hook input priority -10; policy accept;
    iifname != "{port}" ip daddr {device} drop
  }}
}}
"""


class Keys:
    """The controller's login key, and host keys of gateways and of hosts, made anew for each battlefield."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.login, self.known_hosts = folder / "login", folder / "known_hosts"
        self.host_key, self._host = _key_pair()
        self.hosts_key, self._hosts = _key_pair()
        text, self.authorized = _key_pair()
        _private(self.login, text)

    def know(self, addresses: Iterable[str], hosts: Iterable[str]) -> None:
        """Note where clients look for it which key the gateways at these addresses, and these hosts, have."""
        lines = [f"[{address}]:{NETCONF_PORT} {self._host}\n" for address in addresses]
        lines += [f"{name} {self._hosts}\n" for name in hosts]
        self.known_hosts.write_text("".join(lines), encoding="utf-8")


def _key_pair() -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


class Gateway:
    """One gateway's NETCONF server.

    Args:
        atlas: the plan.
        name: of the device.
        root: the battlefield's folder.
    """

    def __init__(self, atlas: Atlas, name: str, root: Path) -> None:
        self.atlas, self.name = atlas, name
        self.management: Management = atlas.management[name]
        self.paths = RunPaths(root=root / "device" / name).checked()
        self.plugin = root / "plugin"
        found = atlas.case.environment.device(name)
        self.ports = tuple(i.name for i in (found.interfaces if found else ()) if not i.management)
        self._applier: Applier | None = None
        self._thread: threading.Thread | None = None

    def prepare(self, keys: Keys) -> None:
        """Write what the server reads."""
        for folder in (self.paths.root, self.paths.keys, self.paths.home):
            folder.mkdir(mode=0o700, parents=True)
        _private(self.paths.host_key, keys.host_key)
        self.paths.authorized_keys.write_text(keys.authorized + "\n", encoding="utf-8")
        address = str(self.management.device.ip)
        (self.paths.root / "sshd_config").write_text(device.netconf_sshd_config(self.paths, address), encoding="utf-8")

    def binds(self) -> list[str]:
        """What of the battlefield's folder the gateway sees."""
        modules = self.plugin.parent / "yang"
        own = [f"{self.paths.root}:{self.paths.root}:rw", f"{self.plugin}:{self.plugin}", f"{modules}:{modules}"]
        return [*own, f"{self.plugin}:{device.PLUGIN_DIR}"] if Path(device.PLUGIN_DIR).is_dir() else own

    def enforce(self) -> None:
        """Start the applier and shut the management port off from the case.

        Raises:
            LabError: nftables refused, or the namespace is not there.
        """
        failed: list[LabError | OSError] = []
        begun = threading.Event()
        self._thread = threading.Thread(
            target=self._apply, args=(begun, failed), daemon=True, name=f"applier-{self.name}"
        )
        self._thread.start()
        begun.wait(READY_S)
        if failed or self._applier is None:
            raise LabError(f"{self.name}: applier: {failed[0] if failed else 'not started'}")

    def _apply(self, begun: threading.Event, failed: list[LabError | OSError]) -> None:
        try:
            enter(self.atlas.nodes[self.name].netns)
            text = GUARD.format(port=MANAGEMENT_PORT, device=self.management.device.ip)
            Nftables().run(text, check_only=False)
            self._applier = Applier(self.paths.root, (*self.ports, MANAGEMENT_PORT))
        except (LabError, OSError) as error:
            failed.append(error)
        finally:
            begun.set()
        if self._applier:
            self._applier.serve_forever()

    def start(self, nodes: Nodes, modpath: str) -> Iterator[Starting]:
        """Start netconfd and its SSH daemon."""
        env = {**device.netconfd_env(self.paths), "YUMA_RUNPATH": str(self.plugin)}
        argv = device.netconfd_argv(self.paths, modpath)
        folder = str(self.paths.home)
        yield nodes.start(f"netconfd-{self.name}", self.name, argv, rights="admin", env=env, folder=folder)
        sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.paths.root / "sshd_config")]
        yield nodes.start(f"sshd-{self.name}", self.name, sshd, rights="admin")

    def configure(self) -> None:
        """Wait for the server and give it the configuration it boots with: its ports.

        Raises:
            LabError: it does not answer.
        """
        with self._first_session() as session:
            session.edit(_ports_config((*self.ports, MANAGEMENT_PORT)))
            session.commit()
        deadline = time.monotonic() + READY_S
        while not _banner(str(self.management.device.ip)):
            if time.monotonic() > deadline:
                raise LabError(f"sshd of {self.name}: not ready after {READY_S:g} s")
            time.sleep(POLL_S)

    def _first_session(self) -> LocalSession:
        deadline = time.monotonic() + READY_S
        while True:
            try:
                return self.session()
            except LabError:  # there is no socket yet, or nobody listens yet
                if time.monotonic() > deadline:
                    raise
            time.sleep(POLL_S)

    def session(self) -> LocalSession:
        """A NETCONF session over netconfd's own socket.

        Raises:
            LabError: netconfd does not answer.
        """
        return LocalSession(self.paths.netconfd_socket, user=NETCONF_USER)

    def stop(self) -> None:
        """Have the applier end; safe to call twice."""
        if self._applier:
            self._applier.stop()

    def join(self) -> None:
        """Wait until the applier has ended."""
        if self._thread:
            self._thread.join()


def install(root: Path, env: dict[str, str]) -> str:
    """What all gateways share: YANG modules and the plug-in; returns netconfd's module search path.

    Raises:
        LabError: a module is missing, or the plug-in does not compile.
    """
    plugin.install(root / "plugin", env)
    return yang.prepare(root / "yang")


def _ports_config(ports: tuple[str, ...]) -> str:
    interfaces = "".join(
        f"<interface><name>{port}</name>"
        '<type xmlns:ianaift="urn:ietf:params:xml:ns:yang:iana-if-type">ianaift:ethernetCsmacd</type>'
        "<enabled>true</enabled></interface>"
        for port in ports
    )
    return f'<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">{interfaces}</interfaces>'


def _banner(address: str) -> bool:
    try:
        with socket.create_connection((address, NETCONF_PORT), timeout=BANNER_S) as connection:
            return connection.recv(16).startswith(b"SSH-")
    except OSError:
        return False
