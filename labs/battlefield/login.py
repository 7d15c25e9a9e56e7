"""The SSH daemon of every host: a door for the controller's host roles, on the host's loopback alone.

No packet of the case reaches it. The controller comes through the host's network namespace (pipe.py).
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from secloop_ai.contracts.errors import LabError

from .gateway import Keys
from .launcher import Starting
from .nodes import Nodes
from .skeleton import LAB_USER, furnish

ADDRESS, PORT = "127.0.0.1", 2222
FOLDER = Path("/etc/ssh")
DIGEST = Path(__file__).with_name("digest.py")
DIGEST_S = 20.0
PIPE = Path(__file__).with_name("pipe.py")
CONFIG = f"""\
Port {PORT}
ListenAddress {ADDRESS}
HostKey {FOLDER}/host_key
AuthorizedKeysFile {FOLDER}/authorized_keys
AllowUsers {LAB_USER}
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
UsePAM no
UseDNS no
StrictModes no
PrintMotd no
AllowTcpForwarding no
X11Forwarding no
Subsystem sftp internal-sftp
"""


class HostLogin(NamedTuple):
    """How the controller logs in on a host.

    Attributes:
        sockets: folder of connections that are kept open between tasks. Hosts of two battlefields may have one name,
            and Ansible names its own folder's sockets by that alone.
    """

    host: str
    user: str
    key_file: Path
    known_hosts: Path
    proxy_command: str
    sockets: Path

    def ssh_args(self) -> list[str]:
        """Options for ``ssh`` (and, joined by ``shlex.join``, Ansible's ``ansible_ssh_common_args``)."""
        return [
            *("-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"),
            *("-o", f"UserKnownHostsFile={self.known_hosts}", "-o", f"HostKeyAlias={self.host}"),
            *("-o", f"ProxyCommand={self.proxy_command}"),
        ]

    def variables(self) -> dict[str, str]:
        """Ansible's connection variables for the host."""
        return {
            "ansible_connection": "ssh",
            "ansible_host": self.host,
            "ansible_user": self.user,
            "ansible_ssh_private_key_file": str(self.key_file),
            "ansible_ssh_common_args": shlex.join(self.ssh_args()),
            "ansible_control_path_dir": str(self.sockets),
            "ansible_python_interpreter": "/usr/bin/python3",
        }


def start(nodes: Nodes, keys: Keys) -> Iterator[Starting]:
    """Put the daemon's files on every host and start it."""
    for host in nodes.atlas.hosts():
        known = nodes.atlas.case.environment.host(host.name)
        access = known.access if known else None
        root = nodes.inside(host.name)
        furnish(root, access.accounts if access else (), resolver=bool(access and access.resolver))
        folder = root / FOLDER.relative_to("/")
        for name, text in (("host_key", keys.hosts_key), ("authorized_keys", keys.authorized + "\n"), ("lab", CONFIG)):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(text, encoding="utf-8")
        argv = ["/usr/sbin/sshd", "-D", "-e", "-f", str(FOLDER / "lab")]
        yield nodes.start(f"sshd-{host.name}", host.name, argv, rights="admin")


def digest(nodes: Nodes, host: str) -> str:
    """A number for what roles may have changed there.

    Raises:
        LabError: no such host, or it could not be looked at.
    """
    look = [sys.executable, "-I", "-S", "-"]
    done = nodes.run(host, look, rights="admin", timeout_s=DIGEST_S, stdin=DIGEST.read_text(encoding="utf-8"))
    if done.returncode:
        raise LabError(f"{host}: not looked at: {done.stderr.strip()[-400:] or f'code {done.returncode}'}")
    return done.stdout


def login(nodes: Nodes, keys: Keys, host: str) -> HostLogin:
    """How the controller logs in on that host."""
    netns = nodes.atlas.nodes[host].netns
    proxy = shlex.join([sys.executable, "-I", "-S", str(PIPE), netns, ADDRESS, str(PORT)])
    return HostLogin(host, LAB_USER, keys.login, keys.known_hosts, proxy, nodes.root / "ssh")
