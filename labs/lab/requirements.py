"""What the lab needs of the machine, and what of it lacks."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

from secloop_ai.contracts.errors import LabError

from . import yang

# program, Debian package
PROGRAMS = (
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("netconfd", "netconfd"),
    ("sshd", "openssh-server"),
    ("ssh-keygen", "openssh-client"),
    ("suricata", "suricata"),
    ("hydra", "hydra"),
    ("nmap", "nmap"),
    ("hping3", "hping3"),
    ("gcc", "gcc"),
)
FILES = (
    ("/usr/sbin/netconf-subsystem", "netconfd"),
    ("/usr/include/yuma/agt/agt.h", "libyuma-dev"),
    ("/usr/include/libxml2/libxml/xmlstring.h", "libxml2-dev"),
    ("/usr/share/yuma/nmda-modules", "libyuma-base"),
    ("/usr/include/stdio.h", "libc6-dev"),
)
SEARCH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
PACKAGES = (
    *("iproute2", "nftables", "netconfd", "libyuma-dev", "libyuma-base", "libxml2-dev", "gcc", "libc6-dev"),
    *("openssh-server", "openssh-client", "hydra", "nmap", "hping3", "suricata"),
)


def missing() -> list[tuple[str, str]]:
    """What the lab lacks here: (tool or file, the package that brings it); empty when it can run.

    Looks only; changes nothing. Root and network namespaces count as tools, with what to do in the package's place.
    """
    path = f"{os.environ.get('PATH', '')}:{SEARCH}"
    lacking = [(tool, package) for tool, package in PROGRAMS if shutil.which(tool, path=path) is None]
    lacking += [(file, package) for file, package in FILES if not Path(file).exists()]
    try:
        ctypes.CDLL("libnftables.so.1")
    except OSError:
        lacking.append(("libnftables.so.1", "libnftables1"))
    try:
        yang.module_dir()
    except LabError:
        lacking.append(("RFC 8519 YANG modules", "the Python package pyang"))
    if os.geteuid() != 0:
        lacking.append(("root", "run it as root"))
    elif not Path("/proc/self/ns/net").exists():
        lacking.append(("network namespaces", "a Linux kernel with CONFIG_NET_NS"))
    return lacking


def explain() -> str:
    """One sentence that names what lacks; empty when nothing does."""
    lacking = missing()
    return "the lab needs " + ", ".join(f"{tool} ({package})" for tool, package in lacking) if lacking else ""
