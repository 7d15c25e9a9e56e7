"""What a playing process says of its battlefield while it plays: two small files in the battlefield's folder.

`facts.json` is written once, `window.json` anew with every sample, in one step each; they go with the folder.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from secloop_ai.contracts import Name
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

from .timeline import CaseFacts, Mode, Plain

FACTS, STATUS = "facts.json", "window.json"
FRESH_S = 5.0
"""A status older than this is not of now."""
Model = TypeVar("Model", bound=Frozen)
StageWord = Literal["waiting", "running", "succeeded", "failed", "not-attempted"]


class StageState(Frozen):
    """How far a stage is."""

    index: int
    state: StageWord = "waiting"
    began_s: float | None = None
    ended_s: float | None = None


class ProbeState(Frozen):
    """A client's use of a service so far.

    Attributes:
        failing: the latest try was not served.
    """

    client: Name
    service: Name
    tries: int = Field(ge=0)
    served: int = Field(ge=0)
    failing: bool = False


class Status(Frozen):
    """The present.

    Attributes:
        written_at: seconds since 1970.
        clock_s: seconds on the battlefield's clock.
        alerts: raised so far.
    """

    written_at: float
    clock_s: float
    mode: Mode
    policy: Plain = ""
    phase: Plain = ""
    stages: tuple[StageState, ...] = ()
    probes: tuple[ProbeState, ...] = ()
    alerts: int = 0

    @property
    def age_s(self) -> float:
        """Seconds since it was written."""
        return max(0.0, time.time() - self.written_at)


def put(folder: Path, name: str, model: Frozen) -> None:
    """Write a file in one step; a reader never sees half of it.

    Raises:
        LabError: it cannot be written.
    """
    fresh = folder / f".{name}.new"
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(model.model_dump_json())
        fresh.replace(folder / name)
    except OSError as error:
        raise LabError(f"{folder / name}: {error.strerror}") from None


def facts_in(folder: Path) -> CaseFacts | None:
    """What is known of the battlefield; None where nobody plays on it in this manner.

    Raises:
        LabError: the file is there, but is none of ours.
    """
    return _read(folder / FACTS, CaseFacts)


def status_in(folder: Path) -> Status | None:
    """The latest word of the playing process; None where there is none.

    Raises:
        LabError: the file is there, but is none of ours.
    """
    return _read(folder / STATUS, Status)


def _read(path: Path, model: type[Model]) -> Model | None:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        raise LabError(f"{path}: not a window's file: {error.errors()[0]['msg']}") from None
