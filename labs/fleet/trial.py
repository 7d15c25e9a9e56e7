"""One case of the matrix: a transaction meets a fault, the devices come back, recovery runs, and all are looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import SecretStr

from labs.emulator import Device as Emulated
from labs.emulator import FaultKind, Step
from labs.emulator.profile import load_profile
from secloop_ai.contracts import (
    CommitReport,
    Environment,
    LabError,
    Mitigation,
    Outcome,
    PendingCommit,
    TransactionFailed,
)
from secloop_ai.contracts.base import Frozen
from secloop_ai.ledger import Ledger, open_ledger
from secloop_ai.loop.commit import commit_plan
from secloop_ai.loop.context import Context
from secloop_ai.loop.folder import PlanFolder
from secloop_ai.loop.recover import recover_all
from secloop_ai.settings import Settings

from .cases import Case
from .change import Change, holdings, network, plan_change

RPC_TIMEOUT_S = 3.0
CONFIRM_TIMEOUT_S = 6.0
PENDING_INTERVAL_S = 0.05
BACK_WITHIN_S = 90.0
"""After the faults are gone, recovery is tried this long; Junos counts its confirm timeout in minutes."""
BETWEEN_S = 0.5
QUIET_WITHIN_S = 20.0


class Verdict(Frozen):
    """What a case came to.

    Attributes:
        met: whether the device ever came to the operation with the fault in force.
        outcome: of the transaction as it was first reported.
        settled: of the recovery that ended the doubt; empty where there was none.
        named: whether the report names the device and an operation; a change that was made needs no culprit.
        mixed: devices that do not hold what they all should: another part of the change than the rest, or a half.
        told: whether the devices hold what the last report says.
        busy: devices left with a lock, a pending commit or an edited candidate.
        broken: what went wrong beyond all this, such as a traceback; empty as it should be.
    """

    case: str
    dialect: str
    met: bool
    outcome: str
    settled: str = ""
    named: bool = True
    mixed: tuple[str, ...] = ()
    told: bool = True
    busy: tuple[str, ...] = ()
    broken: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return self.named and self.told and not (self.mixed or self.busy or self.broken)


class Ground:
    """A few devices and their change, on which one case after the other is tried.

    Args:
        devices: at least two; reset before every case.
        folder: for ledgers and what else a run writes.
    """

    def __init__(self, devices: Sequence[Emulated], folder: Path) -> None:
        self.devices = tuple(devices)
        self._folder = folder
        self._count = 0
        self.environment = network(devices, timeout_s=RPC_TIMEOUT_S)
        self.change: Change = plan_change(self.environment)
        self.base = holdings(self.devices)
        self.whole = self._learn()

    def _learn(self) -> tuple[str, ...]:
        """What the devices hold once the change is made in peace.

        Raises:
            LabError: it cannot be made even then.
        """
        context = self._context(lambda: None)
        try:
            report = self._commit(context)
        finally:
            context.ledger.close()
        whole = holdings(self.devices)
        same = [d.name for d, a, b in zip(self.devices, self.base, whole, strict=True) if a == b]
        if report.outcome is not Outcome.CONFIRMED or same:
            reasons = "; ".join(report.reasons) or f"it left {', '.join(same)} as they were"
            raise LabError(f"without any fault the change ends {report.outcome}: {reasons}")
        return whole

    def try_out(self, case: Case) -> Verdict:
        """Run the case; never raises for what a transaction does wrong."""
        began = time.monotonic()
        for device in self.devices:
            device.reset()
        victim = self.devices[case.victim]
        dialect = victim.dialect
        peer = self._peer(case.victim)

        def arm() -> None:
            victim.fault(case.step, case.kind, times=None if case.lasting else 1, seconds=case.seconds)

        if case.step is Step.CANCEL:
            peer.fault(Step.COMMIT, FaultKind.ERROR)  # else there would be nothing to cancel
        if not case.pending:
            arm()
        context = self._context(arm if case.pending else lambda: None)
        report = settled = None
        try:
            report = self._commit(context)
            met = _met(victim, case, report)
            settled = self._settle(context)
        except Exception as error:  # noqa: BLE001 - a defect is a finding here, and the next case goes on
            return Verdict(
                case=str(case),
                dialect=dialect,
                met=True,
                outcome=report.outcome.value if report else "none",
                mixed=self._mixed(),
                busy=self._busy(),
                broken=f"{type(error).__name__}: {error}",
                seconds=time.monotonic() - began,
            )
        finally:
            context.ledger.close()
        busy = self._busy()
        return Verdict(
            case=str(case),
            dialect=dialect,
            met=met,
            outcome=report.outcome.value,
            settled=settled.outcome.value if settled else "",
            named=not met or _named(report, {victim.name, peer.name} if case.step is Step.CANCEL else {victim.name}),
            mixed=self._mixed(),
            told=self._told(settled or report),
            busy=busy,
            seconds=time.monotonic() - began,
        )

    def _peer(self, victim: int) -> Emulated:
        """The next device that serves <commit>."""
        others = (*self.devices[victim + 1 :], *self.devices[:victim])
        commits = [d for d in others if any("candidate" in c for c in load_profile(d.dialect).capabilities)]
        return (*commits, *others)[0]

    def _context(self, on_begin: Callable[[], None]) -> _Controller:
        self._count += 1
        return _Controller(self._folder / str(self._count), self.environment, on_begin)

    def _commit(self, context: _Controller) -> CommitReport:
        content = PlanFolder(self.change.plan, None, ())
        try:
            return commit_plan(content, self.environment, {}, context.ledger, context.settings)
        except TransactionFailed as failed:
            if not isinstance(failed.report, CommitReport):
                raise
            return failed.report

    def _settle(self, context: _Controller) -> CommitReport | None:
        """The devices come back, and recovery is run until nothing is open; the last report, if there was any."""
        for device in self.devices:
            device.clear("faults")
        settled = None
        end = time.monotonic() + BACK_WITHIN_S
        while context.ledger.pending_commits():
            if time.monotonic() > end:
                raise LabError(f"still in doubt: {'; '.join(settled.reasons) if settled else 'recovery did nothing'}")
            found = recover_all(context)
            settled = found[-1] if found else settled
            if context.ledger.pending_commits():
                time.sleep(BETWEEN_S)
        return settled

    def _busy(self) -> tuple[str, ...]:
        """Devices that do not come to rest: a session takes a moment to end, a reboot a second."""
        end = time.monotonic() + QUIET_WITHIN_S
        while busy := tuple(d.name for d in self.devices if not _rests(d)):
            if time.monotonic() > end:
                return busy
            time.sleep(0.05)
        return ()

    def _mixed(self) -> tuple[str, ...]:
        """Devices that hold a part, or what the fewer of them hold."""
        found = list(zip(self.devices, holdings(self.devices), self.base, self.whole, strict=True))
        without = [d.name for d, held, base, _ in found if held == base]
        with_it = [d.name for d, held, _, whole in found if held == whole]
        half = [d.name for d, *_ in found if d.name not in (*without, *with_it)]
        return (*half, *min(without, with_it, key=len))

    def _told(self, report: CommitReport) -> bool:
        expected = {Outcome.CONFIRMED: self.whole, Outcome.UNDONE: self.base}
        return holdings(self.devices) == expected.get(report.outcome)


class _Controller(Context):
    """A Context over emulated devices, with a ledger of its own that can do something as a commit begins."""

    def __init__(self, folder: Path, environment: Environment, on_begin: Callable[[], None]) -> None:
        folder.mkdir(parents=True)
        url = f"sqlite:///{folder / 'ledger.sqlite'}"
        super().__init__({"ledger_url": url, "run_dir": str(folder)})
        values = {
            "state_dir": str(folder),
            "confirm_timeout_s": CONFIRM_TIMEOUT_S,
            "pending_rpc_interval_s": PENDING_INTERVAL_S,
        }
        self.settings = self.settings.model_copy(update=values)
        Settings.model_validate(self.settings.model_dump())
        self._environment = environment
        self._kept = _Armed(open_ledger(url), on_begin)

    @property
    def ledger(self) -> Ledger:
        """The one that arms the fault."""
        return self._kept

    def environment(self) -> Environment:
        """The emulated devices."""
        return self._environment

    def passwords(self, environment: Environment) -> Mapping[str, SecretStr]:
        """They have keys."""
        del environment
        return {}


class _Armed(Ledger):
    """A ledger that tells when a commit is written down: just before the first device hears of it."""

    def __init__(self, opened: Ledger, on_begin: Callable[[], None]) -> None:
        super().__init__(opened._db)  # noqa: SLF001 - the same ledger, with one method more
        self._on_begin = on_begin

    def begin_commit(self, pending: PendingCommit, mitigations: Sequence[Mitigation]) -> None:
        """Keep it, then arm."""
        super().begin_commit(pending, mitigations)
        self._on_begin()


def _met(victim: Emulated, case: Case, report: CommitReport) -> bool:
    """Whether the device's log shows the fault; a delay that the client does not sit out shows in the report alone."""
    if any(line.operation == case.step and line.outcome != "ok" for line in victim.log()):
        return True
    told = (*report.reasons, *report.warnings)
    return case.kind is FaultKind.DELAY and any(t.startswith(f"{victim.name}: {case.step}:") for t in told)


def _named(report: CommitReport, names: set[str]) -> bool:
    """A change that was not made, or left in doubt, is laid to a device and what it was doing."""
    if report.outcome is Outcome.CONFIRMED:
        return True
    return any(d.device in names and d.operation and d.message for d in report.devices)


def _rests(device: Emulated) -> bool:
    state = device.state()
    return not (state.sessions or state.locks or state.pending or state.candidate_modified or state.down_s)
