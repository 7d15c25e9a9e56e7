"""Removes battlefields: the one at hand, or those whose maker is gone."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labs.lab import processes, strays
from labs.lab.processes import NETNS_DIR, environment
from secloop_ai.contracts.errors import LabError

from .record import BASE, CLAIM_S, FILE, FieldRecord, forget, load
from .wiring import batch

MNT_DETACH = 2
LOCK_S, LOCK_POLL_S = 60.0, 0.05
BIRTH_S = 1.0
"""Seconds from a record's last writing in which its maker may have begun a process that cannot be told by its mark yet:
one that was forked and has not become its program."""


def standing() -> tuple[FieldRecord, ...]:
    """The battlefields of this machine, whoever made them; looks only."""
    return tuple(record for folder in _folders() if (record := _read(folder)))


def reap(*, everything: bool = False) -> tuple[FieldRecord, ...]:
    """Remove battlefields whose maker is gone, or with `everything` all but this process's own; returns them.

    What else an executor's dead workers have left running is ended, too.

    Raises:
        LabError: a process or a namespace would not go.
    """
    found = []
    with _alone():
        strays.kill_strays()
        for folder in _folders():
            record = _read(folder)
            if record is None:
                _forget_claim(folder)
            elif not record.owned or (everything and record.owner != os.getpid()):
                _await_births(record)
                demolish(record)
                found.append(record)
    return tuple(found)


@contextmanager
def _alone() -> Iterator[None]:
    """One reaper at a time, by a name in the kernel that goes with its holder."""
    deadline = time.monotonic() + LOCK_S
    with socket.socket(socket.AF_UNIX) as holder:
        while True:
            try:
                holder.bind("\0secloop-field-reaper")
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise LabError(f"another reaper is at work ({error.strerror})") from None
            time.sleep(LOCK_POLL_S)
        yield


def _folders() -> list[Path]:
    try:
        return sorted(BASE.iterdir())
    except FileNotFoundError:
        return []


def _read(folder: Path) -> FieldRecord | None:
    try:
        return load(folder)
    except NotADirectoryError:
        return None


def _await_births(record: FieldRecord) -> None:
    try:
        age_s = time.time() - (record.run_dir / FILE).stat().st_mtime
    except FileNotFoundError:
        return
    time.sleep(min(BIRTH_S, max(0.0, BIRTH_S - age_s)))


def _forget_claim(folder: Path) -> None:
    """A maker that died before its first record had made nothing but the folder; a live one gets its time."""
    if folder.is_dir() and time.time() - folder.stat().st_mtime > CLAIM_S:
        for entry in folder.iterdir():
            entry.unlink()
        folder.rmdir()


def demolish(record: FieldRecord) -> None:
    """Remove everything of a battlefield, whatever state it is in.

    Raises:
        LabError: a process or a namespace would not go.
    """
    processes.reap(record.namespaces, record.run_dir)
    if links := [link for link in record.links if Path("/sys/class/net", link).exists()]:
        batch(None, (f"link del {link}" for link in links), environment(record.run_dir), force=True)
    for name in record.namespaces:
        _unname(NETNS_DIR / name)
    if record.run_dir.is_dir():
        forget(record)
    _remove_if_empty(BASE)
    _remove_if_empty(BASE.parent)


def _unname(path: Path) -> None:
    """Take a network namespace's name away; it goes with it, nobody being in it any more."""
    libc = ctypes.CDLL(None, use_errno=True)
    while path.exists() and os.path.ismount(path):
        if libc.umount2(str(path).encode(), MNT_DETACH):
            raise LabError(f"{path}: {os.strerror(ctypes.get_errno())}")
    path.unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
