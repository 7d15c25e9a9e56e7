"""How often the test split was looked at: every run on it, written down before it begins.

An append-only file, each line with the SHA-256 of the one before, so that a line taken out is seen.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import InputError

from .cells import RESULTS, Side

FILE = "test_runs.jsonl"
FIRST = "0" * 64
GIT_S = 10.0


class Look(Frozen):
    """One look.

    Attributes:
        date: UTC, to the second.
        commit: of the checkout; empty where there is none.
        policies: label → digest.
        cells: that were to be run; those done before are not looked at again.
        previous: SHA-256 (hex) of the line before.
    """

    date: str
    commit: str
    side: Side
    suites: tuple[str, ...]
    seeds: tuple[int, ...]
    policies: dict[str, str]
    cells: int
    previous: str


def record(
    side: Side,
    suites: Sequence[str],
    seeds: Sequence[int],
    policies: Mapping[str, str],
    cells: int,
    folder: Path = RESULTS,
) -> Look:
    """Append a look that is about to be taken.

    Raises:
        InputError: the file is broken, or cannot be written.
    """
    lines = _lines(folder / FILE)
    run = Look(
        date=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        commit=commit(),
        side=side,
        suites=tuple(suites),
        seeds=tuple(seeds),
        policies=dict(policies),
        cells=cells,
        previous=_sha(lines[-1]) if lines else FIRST,
    )
    runs(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(run.model_dump(mode="json"), separators=(",", ":")) + "\n")
    except OSError as error:
        raise InputError(f"{folder / FILE}: {error.strerror}") from None
    return run


def runs(folder: Path = RESULTS) -> tuple[Look, ...]:
    """Every look so far.

    Raises:
        InputError: a line is no record, or the chain is broken: something was taken out or changed.
    """
    found: list[Look] = []
    before = FIRST
    for number, line in enumerate(_lines(folder / FILE), 1):
        try:
            run = Look.model_validate_json(line)
        except ValidationError:
            raise InputError(f"{folder / FILE}: line {number}: not a record of a test run") from None
        if run.previous != before:
            raise InputError(f"{folder / FILE}: line {number}: the lines before it are not those it was written after")
        before = _sha(line)
        found.append(run)
    return tuple(found)


def commit() -> str:
    """The checkout's commit, with a plus where something is changed; empty where there is none."""
    said = [_git("rev-parse", "--short=12", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")]
    return said[0] + ("+" if said[0] and said[1] else "")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=GIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None


def _sha(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
