"""Workers that are actors of a Ray cluster: one begun here, on loopback, or the one that RAY_ADDRESS names."""

from __future__ import annotations

import importlib
import logging
import os
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from labs.lab import strays
from secloop_ai.contracts.errors import LabError

from .calls import Answer, end, perform
from .handle import Worker, WorkerLostError
from .machine import MIB, workers_here
from .model import Job
from .remains import clear

STORE_BYTES = 128 * MIB
"""Ray's shared object store; jobs and answers are small."""
START_S, CLOSE_S, BURY_S = 120.0, 30.0, 60.0
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Nothing is reported to anybody, and devices are left alone."""
CLOSED = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
"""A cluster of this machine alone is on loopback (the name is Ray's), and whoever talks to it shows a token."""


class Cluster:
    """A Ray cluster with room for some workers.

    Args:
        ray: the module.
        workers: how many.
        stop: leaves the cluster; one begun here ends.
    """

    def __init__(self, ray: Any, workers: int, stop: Callable[[], None]) -> None:
        self._ray, self.workers, self.stop = ray, workers, stop

    def start(self, name: str) -> Worker:
        """A worker.

        Raises:
            WorkerLostError: it did not start.
        """
        return RayWorker(self._ray, name)


def connect(workers: int | None) -> Cluster:
    """Begin a cluster, or join the one that this process or RAY_ADDRESS knows.

    Raises:
        LabError: Ray is not installed, or does not start.
    """
    _settle(QUIET)
    if not os.environ.get("RAY_ADDRESS"):
        _settle({**CLOSED, "RAY_AUTH_TOKEN": secrets.token_hex(32)})
    try:
        ray: Any = importlib.import_module("ray")
        importlib.import_module("ray.util.scheduling_strategies")
    except ImportError:
        raise LabError("the ray executor needs Ray: pip install 'secloop[ray]'") from None
    stop = _nothing if ray.is_initialized() else _join(ray) if os.environ.get("RAY_ADDRESS") else _begin(ray, workers)
    return Cluster(ray, workers or max(1, int(ray.cluster_resources().get("CPU", 1))), stop)


def _settle(settings: Mapping[str, str]) -> None:
    """Ray reads its settings from the environment, most of them when it is imported; a user's own stand."""
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def _nothing() -> None:
    """The cluster is somebody else's."""


def _join(ray: Any) -> Callable[[], None]:
    _init(ray)
    shutdown: Callable[[], None] = ray.shutdown
    return shutdown


def _begin(ray: Any, workers: int | None) -> Callable[[], None]:
    """A cluster of this machine alone, with its sockets and logs in a folder that goes with it."""
    folder = tempfile.mkdtemp(prefix="secloop-ray-")

    def stop() -> None:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)

    _init(
        ray,
        address="local",
        num_cpus=workers or workers_here(),
        num_gpus=0,
        include_dashboard=False,
        object_store_memory=STORE_BYTES,
        _temp_dir=folder,
    )
    return stop


def _init(ray: Any, **how: Any) -> None:
    own = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, **how)
    except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:
        raise LabError(f"Ray does not start: {error}") from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, own)  # Ray's own ends the program whatever it is at, and stays for good


class Identity(NamedTuple):
    """Where an actor lives."""

    node: str
    pid: int
    started: int | None


class Actor:
    """The worker's own side."""

    def __init__(self) -> None:
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="warm")
        strays.mark_offspring()

    def identity(self) -> tuple[str, int, int | None]:
        """Its node, process id and start."""
        ray: Any = importlib.import_module("ray")
        return ray.get_runtime_context().get_node_id(), os.getpid(), strays.start_ticks(os.getpid())

    def run(self, job: dict[str, Any], following: dict[str, Any] | None) -> tuple[Any, str]:
        """Answer a job, and prepare for the one after it."""
        if following:
            self._ahead.submit(perform, following["warm"], following["arguments"])
        return tuple(perform(job["call"], job["arguments"]))

    def leave(self) -> None:
        """Drop what is kept for jobs to come."""
        self._ahead.shutdown()
        end()


class RayWorker:
    """An actor with a core of its own; it is not restarted: a new one is made in its place."""

    def __init__(self, ray: Any, name: str) -> None:
        self._ray, self._name = ray, name
        self._actor = ray.remote(num_cpus=1, max_restarts=0)(Actor).remote()
        try:
            self._identity = Identity(*ray.get(self._actor.identity.remote(), timeout=START_S))
        except ray.exceptions.RayError as error:
            self.interrupt()
            raise WorkerLostError(f"{name} did not start: {_short(error)}") from None

    def run(self, job: Job, following: Job | None) -> Answer:
        """See :class:`labs.executor.handle.Worker`."""
        errors = self._ray.exceptions
        ahead = following.model_dump() if following and following.warm else None
        try:
            return Answer(*self._ray.get(self._actor.run.remote(job.model_dump(), ahead), timeout=job.timeout_s))
        except errors.GetTimeoutError:
            raise WorkerLostError(f"no answer within {job.timeout_s:g} s") from None
        except errors.RayError as error:
            raise WorkerLostError(f"the worker ended: {_short(error)}") from None

    def interrupt(self) -> None:
        """See :class:`labs.executor.handle.Worker`."""
        self._ray.kill(self._actor, no_restart=True)

    def bury(self) -> str:
        """See :class:`labs.executor.handle.Worker`; what it left is removed on the node where it lived."""
        self.interrupt()
        strategy = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        there = strategy(self._identity.node, soft=False)
        task = self._ray.remote(num_cpus=0, max_retries=0, scheduling_strategy=there)(_clear)
        try:
            return str(self._ray.get(task.remote(*self._identity[1:]), timeout=BURY_S))
        except self._ray.exceptions.RayError as error:
            return f"{self._name} is not cleared away: {_short(error)}"

    def close(self) -> None:
        """See :class:`labs.executor.handle.Worker`."""
        errors = self._ray.exceptions
        try:
            self._ray.get(self._actor.leave.remote(), timeout=CLOSE_S)
        except (errors.RayError, errors.GetTimeoutError):
            self.bury()
            return
        self.bury()


def _clear(pid: int, started: int | None) -> str:
    """Once the process is gone, which Ray sees to, what it left."""
    until = time.monotonic() + CLOSE_S
    while started is not None and strays.start_ticks(pid) == started and time.monotonic() < until:
        time.sleep(0.02)
    return clear(pid, started)


def _short(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
