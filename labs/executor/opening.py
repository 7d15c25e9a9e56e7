"""Which executor: the one place that knows all kinds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

from secloop_ai.contracts.errors import InputError

from .inline import InlineExecutor
from .model import Executor

Kind = Literal["inline", "local", "ray"]
KINDS: tuple[str, ...] = get_args(Kind)
RETRIES = 1


@contextmanager
def open_executor(
    kind: str = "local", workers: int | None = None, *, limit: int | None = None, retries: int = RETRIES
) -> Iterator[Executor]:
    """An executor for as long as the block lasts; its workers end with it, and so does what they started.

    Args:
        kind: one of `KINDS`.
        workers: jobs at once; by default as many as the machine (or the Ray cluster) has cores and memory for.
        limit: jobs at once on this machine, over all executors that run on it; by default as many as it has cores and
            memory for, or as there are workers here, if those are more.
        retries: how often a job is tried again whose worker was lost or was out of time.

    Raises:
        InputError: no such kind, or a number below one.
        LabError: Ray is not installed, or does not start.
    """
    if kind not in KINDS:
        raise InputError(f"no executor {kind!r}; there are {', '.join(KINDS)}")
    if any(number is not None and number < 1 for number in (workers, limit)) or retries < 0:
        raise InputError("an executor needs a worker and a place at least, and no fewer than 0 retries")
    if kind == "inline":
        yield InlineExecutor()
        return
    from .pool import Pool

    with Pool.open(kind, workers, limit, retries) as pool:
        yield pool
