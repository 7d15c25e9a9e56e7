"""The folder by which a watchdog and those who armed it understand each other, whoever of them still lives.

    TRANSACTION/
      decision      confirmed, undone or fired: made once, by whoever is first, and never changed
      now           its time is up, whatever the clock says
      settled       nothing is left to do on any device: a watchdog that still tries may stop
      lock          process id of the watchdog's supervisor, which holds it as long as it lives
      tried.json    device → what became of the last try to undo the change there
      log           what its processes had to say

Imports nothing but the standard library: the watchdog's supervisor is to be small.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

CONFIRMED, UNDONE, FIRED = "confirmed", "undone", "fired"
DECISION, NOW, SETTLED, LOCK, TRIED, LOG = "decision", "now", "settled", "lock", "tried.json", "log"
KEPT_S = 30 * 86400.0


def make(root: Path, name: str) -> Path:
    """A new private folder; those of a month ago are removed.

    Raises:
        OSError: it cannot be made.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in root.iterdir():
        if time.time() - old.stat().st_mtime > KEPT_S and not alive(old):
            shutil.rmtree(old, ignore_errors=True)
    folder = root / name
    folder.mkdir(mode=0o700)
    return folder


def decide(folder: Path, decision: str) -> str:
    """Make the decision, unless it is made; the one that stands. One of several that try at once wins."""
    draft = folder / f".{decision}.{os.getpid()}"
    draft.write_text(decision)
    try:
        os.link(draft, folder / DECISION)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    return decision_of(folder)


def decision_of(folder: Path) -> str:
    """The decision; empty while there is none, or no such folder."""
    try:
        return (folder / DECISION).read_text()
    except OSError:
        return ""


def settle(folder: Path) -> None:
    """Nothing is left to do."""
    (folder / SETTLED).touch()


def is_settled(folder: Path) -> bool:
    """Whether nothing is left to do; also where the folder is gone."""
    return not folder.is_dir() or (folder / SETTLED).exists()


def hurry(folder: Path) -> None:
    """Have the watchdog undo the change now, unless the decision is made."""
    (folder / NOW).touch()


def is_hurried(folder: Path) -> bool:
    """Whether its time is up, whatever the clock says."""
    return (folder / NOW).exists()


def note(folder: Path, tried: Mapping[str, str]) -> None:
    """Keep what became of the last tries."""
    draft = folder / f".{TRIED}"
    draft.write_text(json.dumps(dict(tried), indent=2))
    draft.replace(folder / TRIED)


def tried(folder: Path) -> dict[str, str]:
    """Device → what became of the last try there."""
    try:
        found: dict[str, str] = json.loads((folder / TRIED).read_text())
    except (OSError, ValueError):
        return {}
    return found


@contextmanager
def living(folder: Path) -> Iterator[None]:
    """While entered, :func:`alive` says so, in every process; it ends with ours, however that ends."""
    with (folder / LOCK).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def supervisor(folder: Path) -> int:
    """Process id of the one that lives, or lived, there.

    Raises:
        OSError, ValueError: there never was one.
    """
    return int((folder / LOCK).read_text())


def alive(folder: Path) -> bool:
    """Whether the folder's watchdog lives."""
    try:
        with (folder / LOCK).open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
