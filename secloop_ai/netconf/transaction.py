"""A change of several devices as one transaction: on all of them, verified, or on none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from secloop_ai.contracts import (
    CapabilityError,
    CommitJournal,
    CommitReport,
    DeadMan,
    DeviceState,
    Mitigation,
    Outcome,
    PendingCommit,
    PlanError,
    ProbeResult,
    ServiceWatch,
    Watched,
)
from secloop_ai.settings import Settings

from . import steps
from .batches import batches
from .crew import REMOVALS, Act, Crew
from .member import Member
from .services import judge
from .signals import StopWish
from .undo import confirm, take_back
from .watch import Watch
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
LAST_LOOK: tuple[str, Act] = ("base again", steps.compare_and_prepare_undo)


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
    dead_man: DeadMan | None = None,
) -> CommitReport:
    """Bring a change to all devices, verify it, and confirm it on all, or take it back from all.

    Every phase runs over all devices side by side, and none begins before all have succeeded in the one before:
    connect, lock, discard, compare the base, edit, validate, compare again; then the journal is told; then
    confirmed commit and verification, batch by batch where the settings ask for it; then confirmation of all, those
    first whose pending commit is the most easily lost. SIGINT, SIGTERM and SIGHUP are noted and end the transaction at
    the next phase, taken back.

    A device without a confirmed commit is put back by an inverse edit, and watched over by `dead_man` from before the
    journal is told until it is confirmed or undone.

    Args:
        works: one per device that changes.
        pending: what the journal keeps; its persist id and timeout (seconds) are used. Its start is set anew when the
            first device is about to hear of it.
        mitigations: handed to the journal.
        journal: told before the first device hears of the commit, and how it ended, in every case.
        watch: legitimate use, started by the caller, who also stops it.
        settings: rounds and patience of the verification, pace, devices side by side, batches, and how many devices
            may fail before anything has an effect (a removal is for all or none).
        clock: the time, for the journal.
        dead_man: without it, a device that cannot undo a commit by itself is refused.

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
        return _Transaction(crew, pending, watch, settings, stop, dead_man).run(tuple(mitigations), journal, clock)


class _Transaction:
    """The phases in their order, and what they found."""

    def __init__(
        self,
        crew: Crew,
        pending: PendingCommit,
        watch: ServiceWatch | None,
        settings: Settings,
        stop: StopWish,
        dead_man: DeadMan | None,
    ) -> None:
        self._crew = crew
        self._pending = pending
        self._watch = watch
        self._settings = settings
        self._stop = stop
        self._dead_man = dead_man
        self._guard: Watch | None = None
        self._timings: dict[str, float] = {}
        self._warnings: list[str] = []
        self._before: tuple[ProbeResult, ...] = ()

    def run(self, mitigations: tuple[Mitigation, ...], journal: CommitJournal, clock: Clock) -> CommitReport:
        """All of it; the journal is told, the devices are released."""
        try:
            reasons = self._prepare()
            if not reasons:
                try:
                    self._arm()
                    journal.begin_commit(self._begun(clock), mitigations)
                except BaseException:
                    self._stand_down()
                    raise
                reasons = self._change()
        finally:
            self._phase("release", steps.release)
        report = self._report(reasons)
        journal.settle_commit(report, now=clock())
        return report

    @property
    def _members(self) -> tuple[Member, ...]:
        """Those that take part: all but the left out."""
        return tuple(m for m in self._crew.members if m.state is not DeviceState.LEFT_OUT)

    @property
    def _pendings(self) -> tuple[Member, ...]:
        """Those that may hold the change, unconfirmed."""
        return tuple(m for m in self._members if m.state is DeviceState.IN_DOUBT)

    def _prepare(self) -> list[str]:
        """Everything that has no effect yet; why it cannot go on, if so."""
        for name, act in PREPARATION:
            if reasons := self._try(name, act):
                return reasons
        if self._watch:
            self._before = _once_each(self._watch, self._settings.verify_timeout_s)
        return self._try(*LAST_LOOK)

    def _try(self, name: str, act: Act) -> list[str]:
        """A phase without effect yet: as many devices as the settings allow may fail in all, and are left out."""
        failed = self._run(name, act, self._members)
        if name == "connect" and self._dead_man is None:
            failed += _unguarded(m for m in self._members if m not in failed)
        if failed and self._may_leave_out(failed):
            self._leave_out(failed)
            failed = ()
        return _why(failed) + self._interrupted()

    def _may_leave_out(self, failed: Sequence[Member]) -> bool:
        if self._pending.purpose in REMOVALS:
            return False
        gone = len(self._crew.members) - len(self._members) + len(failed)
        return gone <= self._settings.max_failed and gone < len(self._crew.members)

    def _leave_out(self, failed: Sequence[Member]) -> None:
        self._run("release", steps.release, failed)
        for member in failed:
            member.state = DeviceState.LEFT_OUT
            self._warnings.append(f"{member.name} is left out, and as it was: {member.failure}")

    def _arm(self) -> None:
        """Have somebody watch over the devices that cannot undo by themselves.

        Raises:
            WatchdogError: nobody does; nothing was changed.
        """
        watched = [
            Watched(m.work.device, m.work.password, m.session().session_id, m.undo) for m in self._members if m.undo
        ]
        if not watched or self._dead_man is None:
            return
        with self._timed("arm"):
            guard = Watch(self._dead_man, self._pending.transaction_id, watched, self._pending.timeout_s)
        self._guard = guard
        for member in (m for m in self._members if m.undo):
            member.watch = guard
            member.starts(self._pending.timeout_s, guard.fires_s)

    def _begun(self, clock: Clock) -> PendingCommit:
        """What the journal keeps: the devices that take part, and what takes the change back should we die."""
        safeguard = self._pending.safeguard.model_copy(
            update={
                "watchdog": self._guard.where if self._guard else "",
                "undos": tuple(m.undo for m in self._members if m.undo),
            }
        )
        names = tuple(m.name for m in self._members)
        return self._pending.model_copy(update={"started_at": clock(), "devices": names, "safeguard": safeguard})

    def _stand_down(self) -> None:
        """Call the watch off once none of its devices holds anything unconfirmed."""
        if self._guard and not any(m.state is DeviceState.IN_DOUBT for m in self._members if m.undo):
            self._guard.stand_down("undone")

    def _change(self) -> list[str]:
        """Commit, verify, confirm; whatever fails or breaks off, the devices are settled before this returns."""
        try:
            reasons = self._commit_and_verify()
        except BaseException:
            self._take_back(self._pendings)
            self._stand_down()
            raise
        reasons = reasons + self._take_back(self._pendings) if reasons else self._confirm()
        self._stand_down()
        self._name_the_odd()
        return reasons

    def _commit_and_verify(self) -> list[str]:
        """Batch by batch; all stay pending until the last one is verified."""
        if self._watch:
            self._watch.commit_sent()
        for batch in batches(self._members, self._settings.serial):
            reasons = (
                self._phase("commit", steps.commit, batch)
                or self._phase("verify", steps.verify, batch)
                or self._services()
                or self._late()
            )
            if reasons:
                return reasons
        return []

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
        late = [m.name for m in self._members if time.monotonic() > m.deadline - TIMEOUT_MARGIN_S]
        timeout = f"the commit's timeout of {self._pending.timeout_s:g} s"
        return [f"{', '.join(late)}: verifying took until {timeout} was all but over"] if late else []

    def _confirm(self) -> list[str]:
        """Those first whose pending commit is the most easily lost; after a failure, nobody else is confirmed."""
        for wave in _waves(self._members):
            if failed := self._run("confirm", confirm, wave):
                return _why(failed) + self._take_back(self._unsettled(failed))
        return []

    def _unsettled(self, failed: Sequence[Member]) -> tuple[Member, ...]:
        """Whom to take back after these failed to confirm.

        One that may have got its confirmation stays in doubt where others have theirs: recovery will ask it.
        """
        some = any(m.state is DeviceState.CONFIRMED for m in self._members)
        return tuple(m for m in self._pendings if not some or m.undo or m not in failed)

    def _name_the_odd(self) -> None:
        """Devices that stand otherwise than the confirmed ones are in doubt: recovery brings them together."""
        states = {m.state for m in self._members}
        if DeviceState.CONFIRMED in states:
            for member in (m for m in self._members if m.state is DeviceState.UNDONE):
                member.in_doubt("the change is not there, while other devices have confirmed it", "confirm")

    def _take_back(self, members: Iterable[Member]) -> list[str]:
        return _why(self._run("cancel", take_back, members))

    def _phase(self, name: str, act: Act, among: Iterable[Member] | None = None) -> list[str]:
        """Why the transaction cannot go on after this phase; empty when it can."""
        return _why(self._run(name, act, self._members if among is None else among)) + self._interrupted()

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
            warnings=(*self._warnings, *limits(members), *notes),
            timings_ms=self._timings,
        )


def outcome_of(states: Sequence[DeviceState]) -> Outcome:
    """How a transaction ended, from how each device did."""
    took_part = {s for s in states if s is not DeviceState.LEFT_OUT}
    if not states or took_part == {DeviceState.CONFIRMED}:
        return Outcome.CONFIRMED
    return Outcome.UNDONE if took_part <= {DeviceState.UNDONE} else Outcome.IN_DOUBT


def limits(members: Iterable[Member]) -> tuple[str, ...]:
    """What the ways of these devices cannot promise, one sentence each with the devices it is about."""
    found: dict[str, list[str]] = {}
    for member in members:
        for limit in member.limits:
            found.setdefault(limit, []).append(member.name)
    return tuple(f"{', '.join(names)}: {limit}" for limit, names in found.items())


def _waves(members: Sequence[Member]) -> tuple[tuple[Member, ...], ...]:
    """In which order to confirm: commits bound to a session, named ones, those that only a decision here confirms."""
    bound = tuple(m for m in members if m.path.one_session)
    decided = tuple(m for m in members if m.undo)
    named = tuple(m for m in members if m not in bound and m not in decided)
    return tuple(wave for wave in (bound, named, decided) if wave)


def _unguarded(members: Iterable[Member]) -> tuple[Member, ...]:
    """Those that cannot undo a commit by themselves, with that as their failure."""
    found = tuple(m for m in members if not m.path.undoes_itself)
    for member in found:
        message = "the device has no confirmed commit, and nothing here would undo the change if this process died"
        member.blame(CapabilityError(message, device=member.name, operation="hello"), "hello")
    return found


def _why(failed: Iterable[Member]) -> list[str]:
    return [str(m.doubt or m.failure) for m in failed]


def _once_each(watch: ServiceWatch, timeout_s: float) -> tuple[ProbeResult, ...]:
    """The checks as they were before the change: at least one try of each, if they come in time."""
    if not all(p.tries for p in watch.results()):
        watch.wait(rounds=1, timeout_s=timeout_s)
    return watch.results()
