"""What an executor is given and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from pydantic import Field

from secloop_ai.contracts.base import Frozen

CALL = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"
JOB_S = 600.0


class Job(Frozen):
    """One call, to be made in a process of its own choice; what it answers depends on its arguments alone.

    Attributes:
        key: the caller's name for it; no two jobs of a run have the same.
        call: ``package.module:function``, found by import wherever the job runs.
        arguments: of the call, by keyword; JSON.
        timeout_s: seconds that one try may take; then its worker is killed with all that it started.
        group: jobs of a group go to the same worker while that loses no time, for what the worker keeps between them.
        warm: ``package.module:function`` that is called with the same arguments in a worker that is still at another
            job, to prepare this one; it may be called for a job that goes elsewhere, or not at all.
    """

    key: str = Field(min_length=1)
    call: str = Field(pattern=CALL)
    arguments: dict[str, Any] = Field(default_factory=dict)
    timeout_s: float = Field(default=JOB_S, gt=0)
    group: str = ""
    warm: str = Field(default="", pattern=rf"^$|{CALL}")


class Result(Frozen):
    """What became of a job.

    Attributes:
        value: what the call returned, as JSON; None where there is an error.
        error: why there is no value; empty where there is one.
        seconds: of the last try, from handing the job over to its answer.
        worker: who ran the last try.
        tries: how often it was tried.
    """

    key: str
    value: Any = None
    error: str = ""
    seconds: float = 0.0
    worker: str = ""
    tries: int = 1

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return not self.error


class Executor(Protocol):
    """Runs jobs, somewhere."""

    @property
    def workers(self) -> int:
        """Jobs that may run at once."""

    def run(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Results as they are done, in no order: one for every job, whatever becomes of it.

        Jobs are taken from the iterable as workers get free, so that it may be long or be computed. Leaving the loop
        early ends what is under way. One run at a time.

        Raises:
            InputError: another run is under way.
        """
