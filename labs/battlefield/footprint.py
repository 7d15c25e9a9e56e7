"""What a machine looks like, to be compared with itself later: settings, mounts, processes, files.

    before = take()
    ...                                  # battlefields, attacks, roles
    print(differences(before, take()))

Everything that moves by itself is listed here, with the reason, and left out. On a machine where others are at work,
run in namespaces of your own (``unshare --mount --pid --net``): what others do is no difference of yours.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOTS = tuple(map(Path, ("/etc", "/root", "/home", "/var", "/tmp", "/run")))
SETTINGS = Path("/proc/sys")
MOVING = {
    r"/kernel/random/": "a new random number with every look",
    r"/fs/(dentry-state|inode-nr|inode-state|file-nr|aio-nr)$": "counters of what is open and cached",
    r"/fs/(quota|inotify|epoll)/.*(nr|count)": "counters",
    r"/kernel/(ns_last_pid|pty/nr|threads-nr)$": "counters of what runs",
    r"/kernel/perf_event_max_sample_rate$": "the kernel lowers it by itself when it is busy",
    r"/kernel/sched_domain/": "the scheduler's own estimates",
    r"/net/netfilter/nf_conntrack_count$": "a counter of connections",
    r"/vm/stat_refresh$": "counts afresh whenever it is read",
}
"""Settings that are no settings: pattern of their path → why they move."""
OWN = ("~/.cache", "~/.config", "~/.ansible")
"""What the controller's own programs and whoever is logged in keep: caches, settings, Ansible's temporary files."""


class Footprint(NamedTuple):
    """A machine at one moment; each part maps a name to what is compared.

    Attributes:
        settings: kernel settings, by path.
        mounts: of this mount namespace, by mount point.
        processes: of this PID namespace, by id; this process is none of them.
        files: by path; folders by mode and owner alone, as what is in them stands for itself.
    """

    settings: Mapping[str, str]
    mounts: Mapping[str, str]
    processes: Mapping[str, str]
    files: Mapping[str, str]


def take(roots: Sequence[Path] = ROOTS, *, leave_out: Sequence[str | Path] = OWN) -> Footprint:
    """Look at the machine; changes nothing.

    Args:
        roots: folders whose files are looked at.
        leave_out: folders that are not; ``~`` is the home folder.
    """
    skipped = frozenset(str(Path(p).expanduser()) for p in leave_out)
    files = {path: about for root in roots for path, about in _files(str(root), skipped)}
    return Footprint(dict(_settings()), dict(_mounts()), dict(_processes()), files)


def differences(before: Footprint, after: Footprint) -> tuple[str, ...]:
    """Every difference in a line: what it is, its name, what it was, what it is now."""
    return tuple(
        f"{kind} {name}: {was.get(name, 'absent')} -> {now.get(name, 'absent')}"
        for kind, was, now in zip(("setting", "mount", "process", "file"), before, after, strict=True)
        for name in sorted({*was, *now})
        if was.get(name) != now.get(name)
    )


def _settings() -> Iterator[tuple[str, str]]:
    moving = re.compile("|".join(MOVING))
    for folder, _, names in os.walk(SETTINGS):
        for name in names:
            path = f"{folder}/{name}"
            if not moving.search(path):
                try:
                    yield path, Path(path).read_bytes().decode("utf-8", "replace").strip()
                except OSError:  # write-only, or not set
                    continue


def _mounts() -> Iterator[tuple[str, str]]:
    """Without ids and peer groups: numbers that the kernel deals out."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        front, _, back = line.partition(" - ")
        _, _, _, root, point, options, *_ = front.split()
        yield point, f"{root} {options} {back}"


def _processes() -> Iterator[tuple[str, str]]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            front, _, back = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:  # it has ended meanwhile
            continue
        yield entry.name, f"{front.partition('(')[2]} begun at {back.split()[19]}"


def _files(folder: str, skipped: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Whatever disappears while it is looked at was not there."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        if here in skipped:
            continue
        try:
            with os.scandir(here) as entries:
                found = list(entries)
        except OSError:
            continue
        for entry in found:
            try:
                about = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            yield entry.path, _about(about)
            if stat.S_ISDIR(about.st_mode):
                waiting.append(entry.path)


def _about(about: os.stat_result) -> str:
    owner = f"{stat.filemode(about.st_mode)} {about.st_uid}:{about.st_gid} inode {about.st_ino}"
    if stat.S_ISDIR(about.st_mode):
        return owner
    return f"{owner} {about.st_size} bytes at {about.st_mtime_ns}"
