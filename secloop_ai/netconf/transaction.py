"""A change of several devices as one transaction: on all of them, verified, or on none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from secloop_ai.contracts import (
    CommitJournal,
    CommitReport,
    DeviceState,
    Mitigation,
    Outcome,
    PendingCommit,
    PlanError,
    ProbeResult,
    ServiceWatch,
)
from secloop_ai.settings import Settings

from . import steps
from .crew import Act, Crew
from .member import Member
from .services import judge
from .signals import StopWish
from .undo import confirm, take_back
from .work import Work, new_persist_id

TIMEOUT_MARGIN_S = 1.0
Clock = Callable[[], datetime]
PREPARATION: tuple[tuple[str, Act], ...] = (
    ("connect", steps.connect),
    ("lock", steps.lock),
    ("discard", steps.discard),
    ("base", steps.compare),
    ("edit", steps.stage),
    ("validate", steps.validate),
)


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def run_transaction(
    works: Sequence[Work],
    *,
    pending: PendingCommit,
    mitigations: Sequence[Mitigation],
    journal: CommitJournal,
    watch: ServiceWatch | None,
    settings: Settings,
    clock: Clock = utc_now,
) -> CommitReport:
    """Bring a change to all devices, verify it, and confirm it on all, or take it back from all.

    Every phase runs over all devices side by side, and none begins before all have succeeded in the one before:
    connect, lock, discard, compare the base, edit, validate, compare again; then the journal is told; then
    confirmed commit, verification, confirmation. SIGINT, SIGTERM and SIGHUP are noted and end the transaction at the
    next phase, taken back.

    Args:
        works: one per device that changes.
        pending: what the journal keeps; its persist id and timeout (seconds) are used. Its start is set anew when the
            first device is about to hear of it.
        mitigations: handed to the journal.
        journal: told before the first device hears of the commit, and how it ended, in every case.
        watch: legitimate use, started by the caller, who also stops it.
        settings: rounds and patience of the verification, pace, devices side by side.
        clock: the time, for the journal.

    Returns:
        The report; nothing is raised for a device or a service that failed.

    Raises:
        PlanError: a device has more than one share.
        LedgerError: the journal failed. Before the commit: nothing was changed. After it: how it ended is known to
            the devices only, and recovery will find out.
    """
    if not works:
        return CommitReport(transaction_id=pending.transaction_id, plan_id=pending.plan_id, outcome=Outcome.UNCHANGED)
    names = [w.device.name for w in works]
    if twice := {n for n in names if names.count(n) > 1}:
        raise PlanError(f"a transaction has one share of work per device, not several for {', '.join(sorted(twice))}")
    if not pending.persist_id:
        pending = pending.model_copy(update={"persist_id": new_persist_id()})
    with StopWish() as stop, Crew(works, pending, settings) as crew:
        return _Transaction(crew, pending, watch, settings, stop).run(tuple(mitigations), journal, clock)


class _Transaction:
    """The phases in their order, and what they found."""

    def __init__(
        self, crew: Crew, pending: PendingCommit, watch: ServiceWatch | None, settings: Settings, stop: StopWish
    ) -> None:
        self._crew = crew
        self._pending = pending
        self._watch = watch
        self._settings = settings
        self._stop = stop
        self._timings: dict[str, float] = {}
        self._warnings: list[str] = []
        self._before: tuple[ProbeResult, ...] = ()

    def run(self, mitigations: tuple[Mitigation, ...], journal: CommitJournal, clock: Clock) -> CommitReport:
        """All of it; the journal is told, the devices are released."""
        try:
            reasons = self._prepare()
            if not reasons:
                journal.begin_commit(self._pending.model_copy(update={"started_at": clock()}), mitigations)
                reasons = self._change()
        finally:
            self._phase("release", steps.release)
        report = self._report(reasons)
        journal.settle_commit(report, now=clock())
        return report

    def _prepare(self) -> list[str]:
        """Everything that has no effect yet; why it cannot go on, if so."""
        for name, act in PREPARATION:
            if reasons := self._phase(name, act):
                return reasons
        if self._watch:
            self._before = _once_each(self._watch, self._settings.verify_timeout_s)
        return self._phase("base again", steps.compare)

    def _change(self) -> list[str]:
        """Commit, verify, confirm; whatever fails or breaks off, the devices are settled before this returns."""
        try:
            reasons = self._commit_and_verify()
        except BaseException:
            self._take_back(self._crew.members)
            raise
        reasons = reasons + self._take_back(self._crew.members) if reasons else self._confirm()
        self._name_the_odd()
        return reasons

    def _commit_and_verify(self) -> list[str]:
        if self._watch:
            self._watch.commit_sent()
        return (
            self._phase("commit", steps.commit)
            or self._phase("verify", steps.verify)
            or self._services()
            or self._late()
        )

    def _services(self) -> list[str]:
        if self._watch is None:
            return []
        with self._timed("services"):
            self._watch.wait(rounds=self._settings.verify_rounds, timeout_s=self._settings.verify_timeout_s)
        found = judge(self._before, self._watch.results(), self._settings.verify_rounds)
        self._warnings += found.warnings
        return [*found.problems, *self._interrupted()]

    def _late(self) -> list[str]:
        """A device close to its own timeout may roll back while it is being confirmed."""
        late = [m.name for m in self._crew.members if time.monotonic() > m.deadline - TIMEOUT_MARGIN_S]
        timeout = f"the commit's timeout of {self._pending.timeout_s:g} s"
        return [f"{', '.join(late)}: verifying took until {timeout} was all but over"] if late else []

    def _confirm(self) -> list[str]:
        failed = self._run("confirm", confirm)
        if any(m.state is DeviceState.CONFIRMED for m in self._crew.members):
            return _why(failed)
        return _why(failed) + self._take_back(m for m in failed if m.state is DeviceState.IN_DOUBT)

    def _name_the_odd(self) -> None:
        """Devices that stand otherwise than the confirmed ones are in doubt: recovery brings them together."""
        states = {m.state for m in self._crew.members}
        if DeviceState.CONFIRMED in states:
            for member in (m for m in self._crew.members if m.state is DeviceState.UNDONE):
                member.in_doubt("the change is not there, while other devices have confirmed it", "confirm")

    def _take_back(self, members: Iterable[Member]) -> list[str]:
        return _why(self._run("cancel", take_back, members))

    def _phase(self, name: str, act: Act) -> list[str]:
        """Why the transaction cannot go on after this phase; empty when it can."""
        return _why(self._run(name, act)) + self._interrupted()

    def _run(self, name: str, act: Act, among: Iterable[Member] | None = None) -> tuple[Member, ...]:
        with self._timed(name):
            return self._crew.each(name, act, among)

    def _interrupted(self) -> list[str]:
        return [self._stop.reason] if self._stop.reason else []

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        since = time.monotonic()
        try:
            yield
        finally:
            spent = (time.monotonic() - since) * 1000
            self._timings[name] = round(self._timings.get(name, 0.0) + spent, 3)

    def _report(self, reasons: Sequence[str]) -> CommitReport:
        members = self._crew.members
        notes = [n for m in members for n in m.notes]
        if self._stop.reason and not reasons:
            notes.append(f"{self._stop.reason}, too late: the change was being confirmed")
        return CommitReport(
            transaction_id=self._pending.transaction_id,
            plan_id=self._pending.plan_id,
            outcome=outcome_of([m.state for m in members]),
            devices=tuple(m.report() for m in members),
            probes=self._watch.results() if self._watch else (),
            reasons=tuple(dict.fromkeys(reasons)),
            warnings=(*self._warnings, *notes),
            timings_ms=self._timings,
        )


def outcome_of(states: Sequence[DeviceState]) -> Outcome:
    """How a transaction ended, from how each device did."""
    if all(s is DeviceState.CONFIRMED for s in states):
        return Outcome.CONFIRMED
    if all(s is DeviceState.UNDONE for s in states):
        return Outcome.UNDONE
    return Outcome.IN_DOUBT


def _why(failed: Iterable[Member]) -> list[str]:
    return [str(m.doubt or m.failure) for m in failed]


def _once_each(watch: ServiceWatch, timeout_s: float) -> tuple[ProbeResult, ...]:
    """The checks as they were before the change: at least one try of each, if they come in time."""
    if not all(p.tries for p in watch.results()):
        watch.wait(rounds=1, timeout_s=timeout_s)
    return watch.results()
