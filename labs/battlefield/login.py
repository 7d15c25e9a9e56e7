"""The SSH daemon of every host: a door for the controller's host roles, on the host's loopback alone.

No packet of the case reaches it. The controller comes through the host's network namespace (pipe.py).
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .gateway import Keys
from .launcher import Starting
from .nodes import Nodes
from .skeleton import LAB_USER

ADDRESS, PORT = "127.0.0.1", 2222
FOLDER = Path("/etc/ssh")
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
    """How the controller logs in on a host."""

    host: str
    user: str
    key_file: Path
    known_hosts: Path
    proxy_command: str

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
            "ansible_python_interpreter": "/usr/bin/python3",
        }


def start(nodes: Nodes, keys: Keys) -> Iterator[Starting]:
    """Put the daemon's files on every host and start it."""
    for host in nodes.atlas.hosts():
        folder = nodes.inside(host.name) / FOLDER.relative_to("/")
        folder.mkdir(exist_ok=True)
        for name, text in (("host_key", keys.hosts_key), ("authorized_keys", keys.authorized + "\n"), ("lab", CONFIG)):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(text, encoding="utf-8")
        argv = ["/usr/sbin/sshd", "-D", "-e", "-f", str(FOLDER / "lab")]
        yield nodes.start(f"sshd-{host.name}", host.name, argv, rights="admin")


def login(nodes: Nodes, keys: Keys, host: str) -> HostLogin:
    """How the controller logs in on that host."""
    netns = nodes.atlas.nodes[host].netns
    proxy = shlex.join([sys.executable, "-I", "-S", str(PIPE), netns, ADDRESS, str(PORT)])
    return HostLogin(host, LAB_USER, keys.login, keys.known_hosts, proxy)
