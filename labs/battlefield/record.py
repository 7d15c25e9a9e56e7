"""What a battlefield has put on the machine, written down before it is put there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pydantic import ValidationError

from labs.lab.paths import FIELDS
from labs.lab.processes import alive, start_ticks
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

BASE = FIELDS
FILE = "record.json"
MAX_FIELDS = 2048
CLAIM_S = 10.0
"""Seconds between the making of a folder and the first record in it, at most."""


class FieldRecord(Frozen):
    """One battlefield.

    Attributes:
        owner, owner_ticks: the process that made it, and when that started, in clock ticks since boot.
        namespaces: names of its network namespaces.
        links: management links in this machine's own namespace.
    """

    index: int
    case_id: str
    owner: int
    owner_ticks: int
    namespaces: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def run_dir(self) -> Path:
        """Its private folder."""
        return run_dir(self.index)

    @property
    def owned(self) -> bool:
        """Whether the process that made it still runs."""
        return alive(self.owner, self.owner_ticks)

    def save(self) -> FieldRecord:
        """Write the record in one step."""
        path = self.run_dir / FILE
        fresh = path.with_suffix(".new")
        fresh.write_text(self.model_dump_json(), encoding="utf-8")
        fresh.replace(path)
        return self


def run_dir(index: int) -> Path:
    """The folder of the battlefield with that number."""
    return BASE / str(index)


def claim(case_id: str) -> FieldRecord:
    """Take the lowest free number; the folder's making is the lock.

    Raises:
        LabError: every number is taken.
    """
    for index in range(MAX_FIELDS):
        if not _take(run_dir(index)):
            continue
        owner = os.getpid()
        return FieldRecord(index=index, case_id=case_id, owner=owner, owner_ticks=start_ticks(owner) or 0).save()
    raise LabError(f"{BASE}: all {MAX_FIELDS} battlefields are taken; `secloop lab reap` removes abandoned ones")


def _take(folder: Path) -> bool:
    """Make the folder; False when somebody has it. The last to leave removes the folder above it, at any time."""
    while True:
        BASE.mkdir(mode=0o711, parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            return False
        except FileNotFoundError:
            continue
        return True


def load(folder: Path) -> FieldRecord | None:
    """The record in the folder; None where there is none.

    Raises:
        LabError: the file is there but is no record.
    """
    try:
        return FieldRecord.model_validate_json((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise LabError(f"{folder / FILE}: not the record of a battlefield: {error.errors()[0]['msg']}") from None


def forget(record: FieldRecord) -> None:
    """Remove the folder, the record last, so that what is cut off here is taken up by the next reaper."""
    root = record.run_dir
    for entry in root.iterdir():
        if entry.name == FILE:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    (root / FILE).unlink(missing_ok=True)
    root.rmdir()
