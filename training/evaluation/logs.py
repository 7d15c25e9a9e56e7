"""What training and benchmarks left behind, one JSON object a line: learning curves, latency, free decoding."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from secloop_ai.contracts.errors import InputError

from .cells import RESULTS

CURVES, LATENCY, FREE = "curves", "latency.jsonl", "free.jsonl"
Log = list[Mapping[str, Any]]


def curves(folder: Path = RESULTS) -> dict[str, Log]:
    """Run → its lines (``step``, ``reward``, ``correct``, ...), from ``curves/RUN.jsonl``; none without a folder.

    Raises:
        InputError: a file cannot be used, or a line has no step.
    """
    found = {path.stem: rows(path) for path in sorted((folder / CURVES).glob("*.jsonl"))}
    for name, log in found.items():
        if any(not isinstance(line.get("step"), int | float) for line in log):
            raise InputError(f"{folder / CURVES / name}.jsonl: a line without a step")
    return found


def latency(folder: Path = RESULTS) -> Log:
    """The lines of ``secloop policy bench --json``; none where there is no file.

    Raises:
        InputError: the file cannot be used.
    """
    return rows(folder / LATENCY)


def free(folder: Path = RESULTS) -> Log:
    """The lines of ``python -m training.free_decoding``; none where there is no file.

    Raises:
        InputError: the file cannot be used.
    """
    return rows(folder / FREE)


def rows(path: Path) -> Log:
    """The objects of a file of JSON lines, or of one JSON list; none where there is no file.

    Raises:
        InputError: it cannot be read, or holds something else; names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from None
    if text.lstrip().startswith("["):
        return _objects(path, 1, text)
    lines = ((n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip())
    return [row for number, line in lines for row in _objects(path, number, line)]


def _objects(path: Path, number: int, text: str) -> Log:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"{path}: line {number}: not JSON ({error})") from None
    every = found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in every):
        raise InputError(f"{path}: line {number}: not an object")
    return every
