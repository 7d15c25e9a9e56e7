"""Workers and the threads that hand them jobs: what is common to all executors with processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

from secloop_ai.contracts.errors import InputError

from .calls import Answer, Caught
from .handle import Worker, WorkerLostError
from .machine import Places, workers_here
from .model import Job, Result
from .schedule import Round, Schedule, Task

AHEAD = 32
"""Jobs that wait at least, so that those of one group can be told from those of another."""


class Pool:
    """An executor with workers; a context manager.

    Args:
        start: makes a worker of that name.
        workers: how many.
        retries: how often a job is tried again whose worker was lost or was out of time.
        places: where jobs wait for room on the machine; None where somebody else sees to that.
        stop: called when all workers have ended.
    """

    def __init__(
        self,
        start: Callable[[str], Worker],
        workers: int,
        retries: int,
        *,
        places: Places | None = None,
        stop: Callable[[], None] | None = None,
    ) -> None:
        self.workers = workers
        self._start, self._retries, self._places, self._stop = start, retries, places, stop
        self._schedule = Schedule()
        self._busy: dict[str, Worker] = {}
        self._round: Round | None = None
        self._threads: list[threading.Thread] = []

    @classmethod
    def open(cls, kind: str, workers: int | None, limit: int | None, retries: int) -> Self:
        """The pool of a kind.

        Raises:
            LabError: Ray is not installed, or does not start.
        """
        if kind == "ray":
            from .on_ray import connect

            cluster = connect(workers)
            return cls(cluster.start, cluster.workers, retries, stop=cluster.stop)
        from .process import ProcessWorker

        here = workers_here()
        wanted = workers or here
        bound = limit or max(wanted, here)
        return cls(ProcessWorker, min(wanted, bound), retries, places=Places(bound))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abandon()
        self._schedule.close()
        for thread in self._threads:
            thread.join()
        if self._stop:
            self._stop()

    def run(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """See :class:`labs.executor.Executor`."""
        if self._round is not None:
            raise InputError("this executor is at another run")
        own = self._round = Round()
        self._hire()
        source, flying = iter(jobs), 0
        try:
            while True:
                while flying < self.workers + AHEAD and (job := next(source, None)):
                    self._schedule.put(Task(job, own))
                    flying += 1
                if not flying:
                    return
                result = own.results.get()
                flying -= 1
                yield result
        finally:
            self._abandon()

    def _hire(self) -> None:
        for number in range(len(self._threads), self.workers):
            name = f"worker-{number}"
            thread = threading.Thread(target=self._serve, args=(name,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _abandon(self) -> None:
        """Nobody waits for the run's results any more."""
        if self._round is None:
            return
        self._round.abandoned, self._round = True, None
        self._schedule.drop()
        for worker in tuple(self._busy.values()):
            worker.interrupt()

    def _serve(self, name: str) -> None:
        worker: Worker | None = None
        while task := self._schedule.take(name):
            with Caught() as caught:
                worker = self._placed(name, worker, task)
            if caught.error:  # not even an error could be made of it: say so rather than lose the job
                task.of.results.put(Result(key=task.job.key, error=caught.error, worker=name, tries=task.tries))
        if worker:
            worker.close()

    def _placed(self, name: str, worker: Worker | None, task: Task) -> Worker | None:
        if self._places is None:
            return self._try(name, worker, task)
        with self._places.take(lambda: task.of.abandoned) as held:
            return self._try(name, worker, task) if held else worker

    def _try(self, name: str, worker: Worker | None, task: Task) -> Worker | None:
        """One try; returns the worker if there still is one."""
        task.tries += 1
        began = time.monotonic()
        try:
            worker = worker or self._start(name)
            self._busy[name] = worker
            if task.of.abandoned:
                return worker
            answer = worker.run(task.job, self._schedule.following(name))
        except WorkerLostError as lost:
            left = worker.bury() if worker else ""
            self._again(name, task, f"{lost}{'; ' if left else ''}{left}", began)
            return None
        finally:
            self._busy.pop(name, None)
        task.of.results.put(_result(name, task, answer, began))
        return worker

    def _again(self, name: str, task: Task, why: str, began: float) -> None:
        if task.of.abandoned:
            return
        if task.tries <= self._retries:
            self._schedule.put(task)
            return
        tries = f" ({task.tries} tries)" if task.tries > 1 else ""
        task.of.results.put(_result(name, task, Answer(None, f"{why}{tries}"), began))


def _result(name: str, task: Task, answer: Answer, began: float) -> Result:
    seconds = round(time.monotonic() - began, 4)
    return Result(
        key=task.job.key, value=answer.value, error=answer.error, seconds=seconds, worker=name, tries=task.tries
    )
