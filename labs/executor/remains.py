"""What a dead worker has left on its machine, and its removal."""

from __future__ import annotations

import json
from collections.abc import Iterator

from labs.lab import strays
from labs.lab.paths import FIELDS
from secloop_ai.contracts.errors import LabError


def clear(pid: int, started: int | None) -> str:
    """End what a dead worker started, and remove its battlefields; returns why it could not be done.

    Args:
        pid: the worker's process.
        started: when that started, in clock ticks since boot.
    """
    strays.kill_offspring(pid, started)
    if pid not in _owners():
        return ""
    from labs.battlefield import reap  # most of SecLoop comes with it

    try:
        reap()
    except LabError as error:
        return str(error)
    return ""


def _owners() -> Iterator[int]:
    """The makers of the battlefields that stand."""
    for record in FIELDS.glob("*/record.json"):
        try:
            yield json.loads(record.read_bytes())["owner"]
        except (OSError, ValueError, KeyError):
            continue
