"""What a lab has put on the machine, written down before it is put there."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

FILE = "state.json"


class ProcessRecord(Frozen):
    """A process of the lab. `start_ticks` tells it from a later process with the same number."""

    name: str
    pid: int
    start_ticks: int
    log: str


class LabState(Frozen):
    """The record of one lab.

    Attributes:
        index: of the management subnet; None until one is picked.
        files: written outside the run directory, removed when the lab goes.
        directories: made outside the run directory, removed when empty.
        ready: `up` came to its end.
        boot_s: seconds from the start of `up` to ready.
    """

    name: str
    run_dir: str
    namespaces: tuple[str, ...]
    index: int | None = None
    inventory_dir: str = ""
    files: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    processes: tuple[ProcessRecord, ...] = ()
    ready: bool = False
    boot_s: float | None = None

    def save(self) -> LabState:
        """Write the record in one step; a reader never sees half of it."""
        path = Path(self.run_dir) / FILE
        fresh = path.with_suffix(".new")
        fresh.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        fresh.replace(path)
        return self


def load(run_dir: Path) -> LabState | None:
    """The record in the run directory; None where there is none.

    Raises:
        LabError: the file is there but is no record of a lab.
    """
    path = run_dir / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return LabState.model_validate_json(text)
    except ValidationError as error:
        raise LabError(f"{path}: not the record of a lab: {error.errors()[0]['msg']}") from None
