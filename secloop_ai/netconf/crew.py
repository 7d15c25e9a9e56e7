"""All devices of a transaction, worked on side by side, phase by phase, over one Nornir."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from nornir.core.task import Result, Task

from secloop_ai.contracts import PendingCommit, SecLoopError
from secloop_ai.settings import Settings

from .descriptors import make_room
from .inventory import build_nornir, take_failed
from .member import Member
from .pace import Pace
from .progress import Progress, watcher
from .runner import SteadyRunner
from .work import Work

REMOVALS = ("rollback", "expire")
Act = Callable[[Member], None]


class Crew:
    """The members, and a way to have all of them do something; closes every session at the end.

    The Nornir beneath is this run's own, so that a device that failed here is not skipped in the next run. Each
    device's session is opened once and kept until the end, or until it breaks.

    Raises:
        SettingsError: more devices than the system gives open files for.
    """

    def __init__(self, works: Sequence[Work], pending: PendingCommit, settings: Settings) -> None:
        make_room(len(works))
        self._progress = watcher()
        self._runner = SteadyRunner(min(settings.concurrency, len(works)))
        names = [w.device.name for w in works]
        timings: dict[str, dict[str, float]] = {n: {} for n in names}
        self.paces = {n: Pace(settings.pending_rpc_interval_s) for n in names}
        self._nornir = build_nornir(
            [w.device for w in works],
            {w.device.name: w.password for w in works},
            runner=self._runner,
            paces=self.paces,
            timings=timings,
        )
        hosts = self._nornir.inventory.hosts
        self.members = tuple(
            Member(
                work=w,
                host=hosts[w.device.name],
                config=self._nornir.config,
                persist_id=pending.persist_id,
                timeout_s=pending.timeout_s,
                removal=pending.purpose in REMOVALS,
                timings_ms=timings[w.device.name],
            )
            for w in works
        )

    def each(self, operation: str, act: Act, among: Iterable[Member] | None = None) -> tuple[Member, ...]:
        """Have every member (or those `among`) act, side by side; returns those that failed, their failure noted.

        Raises:
            Exception: what no SecLoopError explains: a defect, after all members have ended.
        """
        chosen = {m.name: m for m in (self.members if among is None else among)}
        if not chosen:
            return ()
        subset = self._nornir.filter(filter_func=lambda host, **_: host.name in chosen)
        told: dict[str, Any] = {"operation": operation, "act": act, "members": chosen, "progress": self._progress}
        self._progress.begin(operation, len(chosen))
        results = subset.run(task=_act, on_failed=True, name=operation, **told)
        failed = take_failed(subset)
        self._progress.end(failed)
        for result in results.values():
            if result[0].exception is not None and not isinstance(result[0].exception, SecLoopError):
                raise result[0].exception
        return tuple(m for name, m in chosen.items() if name in failed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.each("close", Member.hang_up)
        finally:
            self._runner.close()


def _act(task: Task, *, operation: str, act: Act, members: dict[str, Member], progress: Progress) -> Result:
    """One member's act as a Nornir task: what we raise on purpose is a result, not a traceback in a log."""
    member = members[task.host.name]
    found = Result(host=task.host)
    try:
        act(member)
    except SecLoopError as error:
        found = Result(host=task.host, failed=True, exception=member.blame(error, operation))
    progress.step(member.name, failed=found.failed)
    return found
