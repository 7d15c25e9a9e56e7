"""The executor without processes: each job in the caller's own, when its result is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from .calls import perform
from .model import Job, Result

NAME = "inline"


class InlineExecutor:
    """For tests, debugging and jobs too short to hand over; no timeout is held here."""

    workers = 1

    def run(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Results in the order of the jobs."""
        for job in jobs:
            began = time.monotonic()
            value, error = perform(job.call, job.arguments)
            seconds = round(time.monotonic() - began, 4)
            yield Result(key=job.key, value=value, error=error, seconds=seconds, worker=NAME)
