"""One side of the fleet benchmark in a process of its own: ``python -m benchmarks.fleet_side JOB`` prints its figures.

The job is a JSON file (see :class:`Job`). Imports, planning and reading the job are not measured.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from ncclient import manager
from ncclient.manager import Manager
from ncclient.operations.rpc import RaiseMode

from secloop_ai.contracts import ChangePlan, Device, Environment, Outcome
from secloop_ai.contracts.base import Frozen
from secloop_ai.dialects import dialect
from secloop_ai.ledger import open_ledger
from secloop_ai.loop.commit import commit_plan
from secloop_ai.loop.folder import PlanFolder
from secloop_ai.netconf import watched_by
from secloop_ai.netconf.descriptors import make_room
from secloop_ai.netconf.quiet import quiet
from secloop_ai.netconf.rpc import config, subtree_filter
from secloop_ai.netconf.transport import PromptSession
from secloop_ai.settings import Settings

TIMEOUT_S = 600
PERSIST = "secloop-benchmark"
KIB = 1024


class Job(Frozen):
    """What to do.

    Attributes:
        side: ``ours``, ``pool`` (a thread pool over our connections), ``plain`` (the same over ncclient's own).
        plan: the change of every device.
        rpcs: (operation, detail) as the device's log has them: what the pool is to send.
        interval_s: least time between two RPCs while a commit is pending, for ours.
    """

    side: str
    environment: Environment
    plan: ChangePlan
    concurrency: int
    rpcs: tuple[tuple[str, str], ...] = ()
    interval_s: float = 1.0


class Phases:
    """Seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._phase, self._since = "", 0.0

    def begin(self, phase: str, devices: int) -> None:
        """A phase begins."""
        del devices
        self._phase, self._since = phase, time.perf_counter()

    def step(self, device: str, *, failed: bool) -> None:
        """Nothing to do."""

    def end(self, failed: tuple[str, ...]) -> None:
        """It has ended."""
        if failed:
            sys.exit(f"{self._phase}: failed on {len(failed)} devices: {', '.join(failed[:5])}")
        spent = time.perf_counter() - self._since
        self.seconds[self._phase] = round(self.seconds.get(self._phase, 0.0) + spent, 3)


def ours(job: Job) -> dict[str, Any]:
    """SecLoop's commit, ledger and verification included; seconds by phase."""
    phases = Phases()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            state_dir=folder,
            run_dir=folder,
            ledger_url=f"sqlite:///{folder}/ledger.sqlite",
            concurrency=job.concurrency,
            pending_rpc_interval_s=job.interval_s,
            confirm_timeout_s=TIMEOUT_S,
        )
        with open_ledger(settings.ledger_url) as ledger, watched_by(phases), Measured() as spent:
            report = commit_plan(PlanFolder(job.plan, None, ()), job.environment, {}, ledger, settings)
    if report.outcome is not Outcome.CONFIRMED:
        sys.exit(f"the transaction ended {report.outcome}: {'; '.join(report.reasons[:3])}")
    return {**spent.figures, "phases": phases.seconds}


def pool(job: Job) -> dict[str, Any]:
    """A bare thread pool, each device from connecting to closing, the same RPCs on each."""
    quiet()
    make_room(min(job.concurrency, len(job.environment.devices)))
    edits = {d.device: d.edit or "" for d in job.plan.devices}
    connect = _connect if job.side == "pool" else _connect_plainly

    def work(device: Device) -> None:
        session = connect(device)
        try:
            for operation, detail in job.rpcs:
                _send(session, device, operation, detail, edits[device.name])
        finally:
            with suppress(Exception):  # it has been told to close already
                session.session.close()

    with Measured() as spent, ThreadPoolExecutor(job.concurrency) as threads:
        for _ in threads.map(work, job.environment.devices):
            pass
    return spent.figures


def _connect(device: Device) -> Manager:
    """Our connection: host keys checked, no idle tick."""
    link = PromptSession()
    link.establish(device.connection, None, entering=lambda _: None)
    return Manager(link, link.handler, timeout=TIMEOUT_S, raise_mode=RaiseMode.ALL)


def _connect_plainly(device: Device) -> Manager:
    """Ncclient's, as it comes."""
    where = device.connection
    return manager.connect(
        host=where.address,
        port=where.port,
        username=where.user,
        key_filename=where.key_file,
        hostkey_verify=False,
        allow_agent=False,
        look_for_keys=False,
        timeout=TIMEOUT_S,
    )


def _send(m: Manager, device: Device, operation: str, detail: str, edit: str) -> None:
    target = detail.partition(" ")[0]
    sends: dict[str, Callable[[], Any]] = {
        "lock": lambda: m.lock(target),
        "unlock": lambda: m.unlock(target),
        "discard": m.discard_changes,
        "get-config": lambda: m.get_config(target, filter=subtree_filter(dialect(device.dialect).read_filter())),
        "edit": lambda: m.edit_config(
            config(edit), target=target, default_operation="merge", error_option="rollback-on-error"
        ),
        "validate": lambda: m.validate(target),
        "commit": lambda: m.commit(confirmed=True, timeout=str(TIMEOUT_S), persist=PERSIST),
        "confirm": lambda: m.commit(persist_id=PERSIST),
        "close-session": m.close_session,
    }
    if operation not in sends:
        sys.exit(f"the benchmark's pool cannot send {operation}, as our transaction does")
    sends[operation]()


class Measured:
    """Wall and CPU seconds of a block, and this process's peak of memory."""

    def __enter__(self) -> Self:
        self.figures: dict[str, Any] = {}
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.figures["wall_s"] = time.perf_counter() - self._wall
        self.figures["cpu_s"] = time.process_time() - self._cpu
        self.figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB


def main(arguments: Sequence[str]) -> int:
    """Do the job and print its figures as JSON."""
    job = Job.model_validate_json(Path(arguments[0]).read_bytes())
    print(json.dumps(ours(job) if job.side == "ours" else pool(job)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
