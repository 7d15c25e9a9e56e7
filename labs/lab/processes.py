"""Processes of a lab: start them, tell them from strangers, end them all."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from secloop_ai.contracts.errors import LabError

MARK = "SECLOOP_LAB"
KEPT = ("PATH", "LANG", "LC_ALL", "TZ")
STATE_FIELD, START_FIELD = 0, 19
REAP_S = 10.0
NETNS_DIR = Path("/run/netns")


def environment(run_dir: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A small environment that marks the process as the lab's: an unrecorded one is still found by it."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    path = kept.get("PATH", "")
    if "/usr/sbin" not in path.split(":"):
        kept["PATH"] = f"{path}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin".lstrip(":")
    return {**kept, MARK: str(run_dir), **(extra or {})}


def in_namespace(namespace: str, argv: Sequence[str], binds: Mapping[str, str] | None = None) -> list[str]:
    """The command line that runs `argv` inside the namespace.

    Args:
        namespace: its name.
        argv: what to run.
        binds: file or folder to lay over an existing one (source: target), seen by this process alone.
    """
    inner = list(argv)
    if binds:
        script = "".join('mount --bind "$1" "$2" && shift 2 && ' for _ in binds) + 'exec "$@"'
        pairs = [part for pair in binds.items() for part in pair]
        inner = ["sh", "-c", script, "sh", *pairs, *argv]
    return ["ip", "netns", "exec", namespace, *inner]


def spawn(argv: Sequence[str], log: Path, env: Mapping[str, str], folder: Path) -> int:
    """Start a daemon in its own session, working in `folder`, output to `log`; returns its process id.

    Not in the caller's folder: netconfd writes its backup of every confirmed commit where it stands.

    Raises:
        LabError: the program cannot be started.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    inside = ["env", "-C", str(folder), *argv]
    try:
        return os.posix_spawnp(
            inside[0], inside, dict(env), file_actions=actions, setsid=True, setsigdef=[signal.SIGPIPE]
        )
    except OSError as error:
        raise LabError(f"{argv[0]} cannot be started: {error.strerror}") from error


def start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[STATE_FIELD] in "ZX" else int(fields[START_FIELD])


def alive(pid: int, started: int) -> bool:
    """Whether the very process that was started then still runs."""
    return start_ticks(pid) == started


def members(namespaces: Iterable[str], run_dir: Path) -> set[int]:
    """Processes that sit in one of the namespaces or carry the lab's mark, this one excepted."""
    inodes = {inode for name in namespaces if (inode := _inode(NETNS_DIR / name))}
    mark = f"{MARK}={run_dir}".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _belongs(entry, inodes, mark):
            found.add(int(entry.name))
    return found


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _belongs(entry: Path, inodes: set[int], mark: bytes) -> bool:
    inode = _inode(entry / "ns" / "net")
    if inode is None:
        return False
    if inode in inodes:
        return True
    try:
        return mark in (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def run_dirs(namespaces: Iterable[str]) -> set[Path]:
    """Run directories that the processes in the namespaces are marked with."""
    prefix = f"{MARK}=".encode()
    found = set()
    for pid in members(namespaces, Path("/nowhere")):
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        found |= {Path(v.removeprefix(prefix).decode()) for v in variables if v.startswith(prefix)}
    return found


def reap(namespaces: Iterable[str], run_dir: Path) -> int:
    """Kill every process of the lab and wait until none is left; returns how many there were.

    Raises:
        LabError: one would not die within `REAP_S`.
    """
    names = tuple(namespaces)
    seen: set[int] = set()
    deadline = time.monotonic() + REAP_S
    while pids := members(names, run_dir):
        if time.monotonic() > deadline:
            raise LabError(f"lab processes that would not end: {', '.join(map(str, sorted(pids)))}")
        for pid in pids:
            _kill(pid, names, run_dir)
        seen |= pids
        time.sleep(0.005)
    return len(seen)


def _kill(pid: int, namespaces: tuple[str, ...], run_dir: Path) -> None:
    """Kill the process if, held by a descriptor so that the number cannot pass on, it is still the lab's."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        inodes = {inode for name in namespaces if (inode := _inode(NETNS_DIR / name))}
        if _belongs(Path(f"/proc/{pid}"), inodes, f"{MARK}={run_dir}".encode()):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)


def collect(pid: int) -> None:
    """Wait for a killed daemon if it is this process's child, so that it leaves no zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"({log}: {error.strerror})"
    return "\n".join(text.strip().splitlines()[-lines:]) or "(empty log)"
