"""The scrubbed tree under every node's root: nothing of this machine but its programs.

No home folders, keys, shadow file, vault, ledger or checkout: the tree is generated, and of the machine's own only
``/usr`` (programs and libraries; ``/usr/local`` is masked), the Python installation and our service programs are seen.
Every node writes into layers of its own, in memory.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path

from labs.lab.topology import NETCONF_USER

from .launcher import SERVICE_ID

FOLDERS = ("dev", "etc", "home", "mnt", "opt", "proc", "root", "run", "srv", "sys", "tmp", "usr", "var/tmp", "var/log")
LINKED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
COPIED = ("services", "protocols", "ld.so.cache", "mime.types")
PYTHON_HOME = Path("/opt/python")
PYTHON_ENV = Path("/opt/venv")
SERVERS = Path("/opt/secloop/servers")
SYSTEM = Path("/usr")
LAB_USER = "lab"
"""The account of the controller's host roles; no password fits it."""
ACCOUNTS = (
    "root:*:0:0:root:/root:/bin/sh\n"
    f"{LAB_USER}:*:0:0:lab:/root:/bin/sh\n"
    f"service:*:{SERVICE_ID}:{SERVICE_ID}:service:/:/usr/sbin/nologin\n"
    "sshd:*:65533:65533:sshd:/run/sshd:/usr/sbin/nologin\n"
    "nobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
)
OWN_ID = 1000
"""Of the first of a host's own accounts."""
SSHD = "Include /etc/ssh/sshd_config.d/*.conf\nHostKey /etc/ssh/host_key\nUsePAM no\n"
"""What the SSH service of a host goes by, in the eyes of roles and of sshd itself; the controller's has its own."""
GROUPS = f"root:*:0:\nservice:*:{SERVICE_ID}:\nsshd:*:65533:\nnogroup:*:65534:\n"


def write(target: Path, hosts: Iterable[tuple[str, str]]) -> None:
    """Generate the tree of hosts; `hosts` are (address, name) for /etc/hosts."""
    for name in FOLDERS:
        (target / name).mkdir(parents=True)
    for name in LINKED:
        if (Path("/") / name).is_symlink():
            (target / name).symlink_to(f"usr/{name}")
    etc = target / "etc"
    for name in COPIED:
        source = Path("/etc") / name
        if source.is_file():
            (etc / name).write_bytes(source.read_bytes())
    _links(Path("/etc/alternatives"), etc / "alternatives")
    (etc / "passwd").write_text(ACCOUNTS, encoding="utf-8")
    (etc / "group").write_text(GROUPS, encoding="utf-8")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n", encoding="utf-8")
    (etc / "resolv.conf").write_text("options timeout:1 attempts:1\n", encoding="utf-8")
    names = "".join(f"{address} {name}\n" for address, name in hosts)
    (etc / "hosts").write_text(f"127.0.0.1 localhost\n{names}", encoding="utf-8")
    _python(target)


def write_gateway(target: Path) -> None:
    """The layer over it that gateways have: the one account of the NETCONF server."""
    (target / "etc").mkdir(parents=True)
    account = f"{NETCONF_USER}:*:0:0:device:/root:/bin/sh\n"
    (target / "etc/passwd").write_text(account + ACCOUNTS, encoding="utf-8")


def furnish(root: Path, accounts: Sequence[str], *, resolver: bool) -> None:
    """What tells one host's /etc from another's: accounts with passwords that fit nothing, folders for drop-ins.

    Args:
        root: the host's, before anything runs on it.
        accounts: its own people, who have no home.
        resolver: whether it answers names.
    """
    etc = root / "etc"
    own = "".join(f"{a}:x:{n}:{n}::/nonexistent:/bin/bash\n" for n, a in enumerate(accounts, OWN_ID))
    (etc / "passwd").write_text(ACCOUNTS + own, encoding="utf-8")
    (etc / "group").write_text(GROUPS + "".join(f"{a}:x:{n}:\n" for n, a in enumerate(accounts, OWN_ID)), "utf-8")
    for name, text in (("shadow", "".join(f"{a}:*:20000:0:99999:7:::\n" for a in accounts)), (".pwd.lock", "")):
        (etc / name).touch(mode=0o600)
        (etc / name).write_text(text, encoding="utf-8")
    (etc / "ssh/sshd_config.d").mkdir(parents=True)
    (etc / "ssh/sshd_config").write_text(SSHD, encoding="utf-8")
    if resolver:
        (etc / "dnsmasq.d").mkdir()


def _links(source: Path, target: Path) -> None:
    if not source.is_dir():
        return
    target.mkdir()
    for entry in source.iterdir():
        if entry.is_symlink():
            (target / entry.name).symlink_to(entry.readlink())


def _python(target: Path) -> None:
    """An environment like the controller's own, at a neutral place."""
    base = Path(sys.base_prefix).resolve()
    if base == SYSTEM and sys.prefix == sys.base_prefix:
        return
    home = SYSTEM if base == SYSTEM else PYTHON_HOME
    env = target / PYTHON_ENV.relative_to("/")
    (env / "bin").mkdir(parents=True)
    (env / "bin/python").symlink_to(home / "bin" / Path(sys.executable).resolve().name)
    (env / "pyvenv.cfg").write_text(f"home = {home / 'bin'}\ninclude-system-site-packages = false\n", encoding="utf-8")


def interpreter() -> Path:
    """The Python that programs on a node run with."""
    base = Path(sys.base_prefix).resolve()
    return (
        Path(sys.executable).resolve()
        if base == SYSTEM and sys.prefix == sys.base_prefix
        else PYTHON_ENV / "bin/python"
    )


def libraries() -> dict[str, str]:
    """Environment that a relocated Python finds its library by."""
    return {} if Path(sys.base_prefix).resolve() == SYSTEM else {"LD_LIBRARY_PATH": str(PYTHON_HOME / "lib")}


def binds(servers: Path) -> list[str]:
    """What of this machine every node sees beside /usr, read-only."""
    found = [f"{servers}:{SERVERS}"] if servers.is_dir() else []
    base = Path(sys.base_prefix).resolve()
    if base != SYSTEM:
        found.append(f"{base}:{PYTHON_HOME}")
    if sys.prefix != sys.base_prefix:
        packages = Path(sysconfig.get_path("purelib"))
        found.append(f"{packages}:{PYTHON_ENV / 'lib' / packages.parent.name / 'site-packages'}")
    return found


def inside(argv: Sequence[str], servers: Path) -> list[str]:
    """A command line of the controller's side as it reads on a node."""
    own = str(servers)
    return [
        str(interpreter()) if part == sys.executable else part.replace(own, str(SERVERS), 1) if own in part else part
        for part in argv
    ]
