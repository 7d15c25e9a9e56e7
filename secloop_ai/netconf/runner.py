"""A Nornir runner whose threads stay from one phase to the next."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from nornir.core.inventory import Host
from nornir.core.task import AggregatedResult, Task


class SteadyRunner:
    """Works on at most `workers` devices at a time; Nornir's own starts and ends its threads in every run."""

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix="secloop-fleet")

    def run(self, task: Task, hosts: Sequence[Host]) -> AggregatedResult:
        """Run the task on every host; returns when all have ended."""
        result = AggregatedResult(task.name)
        begun = [(host, self._pool.submit(task.copy().start, host)) for host in hosts]
        for host, future in begun:
            result[host.name] = future.result()
        return result

    def close(self) -> None:
        """End the threads once they are idle; safe to call twice."""
        self._pool.shutdown()
