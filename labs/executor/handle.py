"""A worker as an executor holds it, whatever it is made of."""

from __future__ import annotations

from typing import Protocol

from secloop_ai.contracts.errors import LabError

from .calls import Answer
from .model import Job


class WorkerLostError(LabError):
    """A worker is gone, or its time was up; the job may be tried on another one."""


class Worker(Protocol):
    """Runs one job at a time; started when it is made."""

    def run(self, job: Job, following: Job | None) -> Answer:
        """Run a job.

        Args:
            job: what to do.
            following: what it will probably do next, to be prepared for.

        Raises:
            WorkerLostError: it is gone, or out of time; then `bury` it.
        """

    def interrupt(self) -> None:
        """End it at once, from any thread; its `run` then raises."""

    def bury(self) -> str:
        """End it with all that it started; returns what could not be removed, empty when nothing is left."""

    def close(self) -> None:
        """Let it end by itself, then make sure of it."""
