"""The gateway's NETCONF server: keys, SSH daemon, netconfd, and the configuration it starts with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from . import network, yang
from .paths import RunPaths
from .topology import NETCONF_PORT, NETCONF_USER, PORT_NAMES, PORTS

PLUGIN_DIR = "/usr/lib/x86_64-linux-gnu/yuma"
FAILED_LOGINS = Path("/var/log/btmp")
SSHD_RUN_DIR = Path("/run/sshd")
OUR_MODE = 0o711
SUBSYSTEM = "/usr/sbin/netconf-subsystem"
_COMMON = """\
HostKey {host_key}
PidFile none
UsePAM no
UseDNS no
StrictModes no
PrintMotd no
X11Forwarding no
AllowTcpForwarding no
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256
MaxStartups 200
LoginGraceTime 30
KbdInteractiveAuthentication no
"""
# the one login: the generated key, for the NETCONF subsystem alone
_NETCONF = """\
Port {port}
ListenAddress {address}
PasswordAuthentication no
AuthorizedKeysFile {authorized_keys}
AllowUsers {user}
PermitRootLogin prohibit-password
PermitTTY no
Subsystem netconf "{subsystem} --ncxserver-sockname={port}@{socket}"
"""
# asks for passwords and knows nobody
_NO_LOGIN = """\
Port 22
PasswordAuthentication yes
PubkeyAuthentication no
PermitRootLogin no
AllowUsers nobody-may-log-in-here
"""


def make_keys(paths: RunPaths, env: Mapping[str, str]) -> None:
    """Generate the lab's host key and the controller's login key.

    Raises:
        LabError: ssh-keygen failed.
    """
    paths.keys.mkdir(mode=0o700, exist_ok=True)
    for key in (paths.host_key, paths.login_key):
        network.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "secloop-lab", "-f", str(key)], env)
    paths.authorized_keys.write_text(_public(paths.login_key) + "\n", encoding="utf-8")


def _public(key: Path) -> str:
    return key.with_suffix(".pub").read_text(encoding="utf-8").strip()


def write_known_hosts(paths: RunPaths, address: str) -> None:
    """Note the device's host key where clients look for it; host key checking stays on."""
    kind, key, *_ = _public(paths.host_key).split()
    paths.known_hosts.write_text(f"[{address}]:{NETCONF_PORT} {kind} {key}\n", encoding="utf-8")


def write_accounts(paths: RunPaths) -> dict[str, str]:
    """The account database the device's SSH daemon sees: one login, with a quick shell and no start-up files.

    Returns:
        What has to be laid over which system file, for that process alone.
    """
    paths.home.mkdir(mode=0o700, exist_ok=True)
    accounts = (
        f"{NETCONF_USER}:*:0:0:lab device:{paths.home}:/bin/sh\n"
        "root:*:0:0:root:/root:/bin/sh\n"
        "sshd:*:65534:65534:sshd:/run/sshd:/usr/sbin/nologin\n"
        "nobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    )
    paths.accounts.write_text(accounts, encoding="utf-8")
    return {str(paths.accounts): "/etc/passwd"}


def netconf_sshd_config(paths: RunPaths, address: str) -> str:
    """sshd_config of the NETCONF server."""
    return _COMMON.format(host_key=paths.host_key) + _NETCONF.format(
        port=NETCONF_PORT,
        address=address,
        authorized_keys=paths.authorized_keys,
        user=NETCONF_USER,
        subsystem=SUBSYSTEM,
        socket=paths.netconfd_socket,
    )


def host_sshd_config(paths: RunPaths) -> str:
    """sshd_config of a server of the lab: a banner and a password prompt, and never a login."""
    return _COMMON.format(host_key=paths.host_key) + _NO_LOGIN


def own_failed_logins(paths: RunPaths) -> dict[str, str]:
    """A record of failed logins for the lab's SSH daemons, so that the machine's own one stays as it is.

    Returns:
        What has to be laid over which system file, for those processes alone.
    """
    if not FAILED_LOGINS.exists():
        return {}
    own = paths.root / FAILED_LOGINS.name
    own.touch(mode=0o600)
    return {str(own): str(FAILED_LOGINS)}


def make_sshd_run_dir() -> None:
    """Make the folder that sshd insists on, where it is missing because the machine runs no sshd."""
    if not SSHD_RUN_DIR.is_dir():
        SSHD_RUN_DIR.mkdir()
        SSHD_RUN_DIR.chmod(OUR_MODE)


def remove_sshd_run_dir() -> None:
    """Remove that folder if a lab made it; the machine's own sshd makes it with another mode."""
    if SSHD_RUN_DIR.is_dir() and SSHD_RUN_DIR.stat().st_mode & 0o777 == OUR_MODE and not any(SSHD_RUN_DIR.iterdir()):
        SSHD_RUN_DIR.rmdir()


def netconfd_argv(paths: RunPaths, modpath: str) -> list[str]:
    """Command line of netconfd. Its level of logging is `info`, which names the plug-in's refusals."""
    return [
        "/usr/sbin/netconfd",
        f"--ncxserver-sockname={paths.netconfd_socket}",
        f"--superuser={NETCONF_USER}",
        f"--modpath={modpath}",
        *(f"--module={name}" for name in yang.LOADED),
        "--target=candidate",
        "--with-startup=false",
        "--with-validate=true",
        "--no-startup",
        "--idle-timeout=0",
        "--log-level=info",
    ]


def netconfd_env(paths: RunPaths) -> dict[str, str]:
    """What netconfd and the plug-in read from their environment; HOME is kept from the user's own settings."""
    return {
        "HOME": str(paths.home),
        "YUMA_RUNPATH": str(paths.plugin),
        "SECLOOP_APPLIER_SOCKET": str(paths.applier_socket),
    }


def netconfd_binds(paths: RunPaths) -> dict[str, str]:
    """What is laid over the machine's own for netconfd alone.

    Debian's plug-ins are hidden: the one for interfaces aborts netconfd on its first read of state. The accounts have
    its user's home in the run directory: netconfd asks them, not HOME, where to keep its startup configuration.
    """
    plugins = {str(paths.plugin): PLUGIN_DIR} if os.path.isdir(PLUGIN_DIR) else {}  # noqa: PTH112
    return {**plugins, str(paths.accounts): "/etc/passwd"}


def initial_config() -> str:
    """The operator's configuration the device boots with.

    The ports, and an ACL of the operator's own on the outside port: no packet from outside may claim an inside
    source, all else passes. SecLoop has to leave it as it is.
    """
    interfaces = "".join(
        f"<interface><name>{port}</name>"
        '<type xmlns:ianaift="urn:ietf:params:xml:ns:yang:iana-if-type">ianaift:ethernetCsmacd</type>'
        "<enabled>true</enabled></interface>"
        for port in PORT_NAMES
    )
    inside = [port for port in PORTS if port.zone != "outside"]
    entries = [
        _entry(
            f"spoofed-{port.name}-v{net.version}",
            f"<ipv{net.version}><source-ipv{net.version}-network>{net}"
            f"</source-ipv{net.version}-network></ipv{net.version}>",
            "drop",
        )
        for port in inside
        for net in (port.v4.network, port.v6.network)
    ]
    entries.append(_entry("rest", "", "accept"))
    outside = next(port.name for port in PORTS if port.zone == "outside")
    return (
        f'<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">{interfaces}</interfaces>'
        '<acls xmlns="urn:ietf:params:xml:ns:yang:ietf-access-control-list" '
        'xmlns:acl="urn:ietf:params:xml:ns:yang:ietf-access-control-list">'
        "<acl><name>edge-in</name><type>acl:mixed-eth-ipv4-ipv6-acl-type</type>"
        f"<aces>{''.join(entries)}</aces></acl>"
        f"<attachment-points><interface><interface-id>{outside}</interface-id><ingress><acl-sets><acl-set>"
        "<name>edge-in</name></acl-set></acl-sets></ingress></interface></attachment-points></acls>"
    )


def _entry(name: str, match: str, action: str) -> str:
    matches = f"<matches>{match}</matches>" if match else ""
    return f"<ace><name>{name}</name>{matches}<actions><forwarding>acl:{action}</forwarding></actions></ace>"
