"""Which waiting job a free worker gets: one of the group it is at, or of none that another is at, or what is spare."""

from __future__ import annotations

import queue
import threading
from collections import Counter, deque
from dataclasses import dataclass, field

from .model import Job, Result

IDLE_S = 0.25
"""How long a worker waits for a job that fits before it takes one of a group that another worker is at."""


@dataclass
class Round:
    """One run of an executor: its results, and whether anybody still wants them."""

    results: queue.SimpleQueue[Result] = field(default_factory=queue.SimpleQueue)
    abandoned: bool = False


@dataclass
class Task:
    """A job on its way."""

    job: Job
    of: Round
    tries: int = 0


class Schedule:
    """The jobs that wait, for workers in threads of their own."""

    def __init__(self) -> None:
        self._waiting: deque[Task] = deque()
        self._at: dict[str, str] = {}
        self._changed = threading.Condition()
        self._closed = False

    def put(self, task: Task) -> None:
        """Let a job wait; one that was tried already goes first."""
        with self._changed:
            (self._waiting.appendleft if task.tries else self._waiting.append)(task)
            self._changed.notify_all()

    def take(self, worker: str) -> Task | None:
        """The worker's next job, as soon as there is one; None when there will be none any more."""
        with self._changed:
            while not self._closed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                self._changed.wait_for(lambda: self._fitting(worker) or self._closed, IDLE_S)
                if task := self._fitting(worker) or self._spare():
                    self._waiting.remove(task)
                    self._at[worker] = task.job.group
                    return task
        return None

    def following(self, worker: str) -> Job | None:
        """The job that this worker would get now."""
        with self._changed:
            task = self._fitting(worker)
            return task.job if task else None

    def _fitting(self, worker: str) -> Task | None:
        """One of the worker's own group, else of a group that no other worker is at."""
        own = self._at.get(worker, "")
        others = {group for name, group in self._at.items() if name != worker}
        mine = (t for t in self._waiting if own and t.job.group == own)
        free = (t for t in self._waiting if not t.job.group or t.job.group not in others)
        return next(mine, None) or next(free, None)

    def _spare(self) -> Task | None:
        """One of a group of which more than the next one wait: what its worker keeps is made twice, but sooner."""
        sizes = Counter(t.job.group for t in self._waiting)
        return next((t for t in self._waiting if sizes[t.job.group] > 1), None)

    def drop(self) -> None:
        """Forget what waits."""
        with self._changed:
            self._waiting.clear()

    def close(self) -> None:
        """Forget what waits and let every worker go."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
