"""What the battlefield's tests share: the machine before and after, leftovers, waiting."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.battlefield.record import BASE, FieldRecord
from labs.lab.processes import NETNS_DIR, members
from labs.lab.requirements import explain
from labs.scenario import Scenario, load_scenario

ROOT = Path(__file__).resolve().parents[2]
OFFICE = ROOT / "tests/scenario/office.yaml"
LACKING = explain()
needs_lab = [pytest.mark.lab, pytest.mark.skipif(bool(LACKING), reason=LACKING or "battlefields can run")]
RESTLESS = ("random/", "dentry-state", "inode-", "file-nr", "ns_last_pid", "pty/nr", "conntrack_count", "sched_domain")
"""Settings that are counters of the machine."""


def office() -> Scenario:
    """Two gateways, a jump host, a database, desks, a partner outside."""
    return load_scenario(OFFICE)


def eventually(condition: Callable[[], bool], within_s: float = 15.0) -> bool:
    """Whether the condition comes true while we wait."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def leftovers(record: FieldRecord) -> list[str]:
    """Everything of a battlefield that is still on the machine."""
    found = [f"namespace {name}" for name in record.namespaces if (NETNS_DIR / name).exists()]
    found += [f"process {pid}" for pid in members(record.namespaces, record.run_dir)]
    found += [f"link {link}" for link in record.links if Path("/sys/class/net", link).exists()]
    found += [f"folder {record.run_dir}"] if record.run_dir.exists() else []
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    return found + [f"mount {name}" for name in (*record.namespaces, f"{record.run_dir}/") if name in mounts]


def children() -> set[int]:
    """Processes whose parent this one is, zombies too."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            found.add(int(stat.parent.name))
    return found


def settings() -> dict[str, str]:
    """This machine's own kernel settings, as far as they stand still."""
    return dict(_settings())


def _settings() -> Iterator[tuple[str, str]]:
    for path in Path("/proc/sys").rglob("*"):
        name = str(path)
        # interfaces come and go with whoever else works on this machine
        if any(word in name for word in RESTLESS) or "/conf/" in name or "/neigh/" in name:
            continue
        try:
            if path.is_file():
                yield name, path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue


def mounts() -> set[str]:
    """Mount points of this machine that are no lab's."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return {line.split()[1] for line in lines if "/netns/sl-" not in line and "/netns/bf" not in line}


TOUCHED = ("/etc", "/var/lib/secloop", "/var/log/secloop-hids.json", "/usr/local")
"""What host roles touch, on the host they are for."""
LOUD = ("/etc/apt", "/etc/alternatives", "/etc/ld.so.cache")
"""What whoever else installs something here touches, too."""


def machine() -> dict[str, object]:
    """This machine, as far as a host role could change it, were it run here."""
    found = (p for tree in TOUCHED for p in (Path(tree), *Path(tree).rglob("*")) if not str(p).startswith(LOUD))
    files = {str(p): (p.lstat().st_mode, p.lstat().st_size, p.lstat().st_mtime_ns) for p in found if _is_file(p)}
    ours = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    stopped = {line for line in _states() if line.endswith(" T")}
    return {"files": files, "filter": ours, "stopped": stopped, "settings": settings(), "mounts": mounts()}


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _states() -> Iterator[str]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if (stat.parent / "ns/pid").readlink() == Path("/proc/self/ns/pid").readlink():  # no battlefield's
                head, _, tail = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")
                yield f"{head} {tail.split()[0]}"


def holders(folder: Path) -> list[str]:
    """Command lines of processes that name a folder."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            text = line.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            found += [text] if str(folder) in text else []
    return found


def base_is_clean(index: int) -> bool:
    """Whether nothing of that number is left under the battlefields' folder."""
    return not (BASE / str(index)).exists()
