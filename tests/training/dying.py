"""A reward worker that dies in the middle of its first job, and one that measures nonsense."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from labs.executor.evaluate import fast
from secloop_ai.contracts.errors import LabError


def once(mark: str, suite: str, scenario: str, seed: int, **what: Any) -> dict[str, Any]:
    """The fast model's report; the first call kills its own process instead."""
    path = Path(mark)
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return fast(suite, scenario, seed, **what)


def always(mark: str, **what: Any) -> dict[str, Any]:
    """Never an answer."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def fails(text: str) -> None:
    """An error of ours."""
    raise LabError(text)


def no_number(mark: str, suite: str, scenario: str, seed: int, **what: Any) -> dict[str, Any]:
    """A report whose service share is NaN."""
    return fast(suite, scenario, seed, **what) | {"rs_service": float("nan")}


def beyond(mark: str, suite: str, scenario: str, seed: int, **what: Any) -> dict[str, Any]:
    """A report whose service share is more than all."""
    return fast(suite, scenario, seed, **what) | {"rs_service": 1.5}
