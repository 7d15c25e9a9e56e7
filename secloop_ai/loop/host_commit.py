"""The hosts' half of a change: roles applied and verified on all of them, or undone on all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from secloop_ai.contracts import (
    ChangePlan,
    CommitJournal,
    CommitReport,
    DeviceState,
    HostPlan,
    HostReport,
    HostResult,
    HostRunner,
    HostStep,
    InputError,
    Outcome,
    PendingCommit,
    ProbeResult,
    ServiceWatch,
)
from secloop_ai.netconf.services import judge
from secloop_ai.netconf.signals import StopWish
from secloop_ai.settings import Settings

from .context import now
from .pending import open_commit

STEPS = (HostStep.APPLY, HostStep.VERIFY)
Then = Callable[[], CommitReport]


class HostCommit:
    """Apply, verify, watch; then what the devices need; then the end, told to the ledger.

    Args:
        half: the plan of the hosts alone.
        watch: legitimate use, started by the caller, who also stops it.
    """

    def __init__(
        self, half: ChangePlan, runner: HostRunner, journal: CommitJournal, watch: ServiceWatch, settings: Settings
    ) -> None:
        self._half = half
        self._runner = runner
        self._journal = journal
        self._watch = watch
        self._settings = settings
        self._reports: dict[str, HostReport] = {}
        self._touched: set[str] = set()
        self._timings: dict[str, float] = {}
        self._warnings: tuple[str, ...] = ()

    def run(self, then: Then) -> CommitReport:
        """All of it.

        Args:
            then: commits the devices' half, once the hosts hold; its report says whether they stay so.

        Returns:
            The report of both halves. Whatever is raised on the way (by `then`, by the ledger), the hosts are
            settled first.

        Raises:
            InputError: Ansible could not run; no host was touched.
            LedgerError: the ledger failed, or another commit is open on one of the hosts.
        """
        names = [h.host for h in self._half.hosts]
        pending, mitigations = open_commit(self._half, names, persist_id="", timeout_s=self._settings.host_timeout_s)
        before = once_each(self._watch, self._settings.verify_timeout_s)
        with StopWish() as stop:
            self._journal.begin_commit(pending, mitigations)
            try:
                reasons = self._apply() or self._services(before) or ([stop.reason] if stop.reason else [])
                self._watch.stop()
                devices = None if reasons else then()
            except BaseException as error:
                self._settle(pending, self._undo(), [str(error) or type(error).__name__])
                raise
            failed = bool(reasons) or (devices is not None and devices.outcome not in _GOOD)
            outcome = self._undo() if failed else Outcome.CONFIRMED
            own = self._settle(pending, outcome, reasons or (list(devices.reasons) if devices and failed else []))
        return own if devices is None else _joined(own, devices)

    def _apply(self) -> list[str]:
        self._touched = {h.host for h in self._half.hosts}
        with self._timed("hosts"):
            try:
                found = self._runner.run(self._half.hosts, STEPS)
            except InputError:
                self._touched = set()
                raise
        self._touched = {r.host for r in found if r.began}
        self._reports = {r.host: report_of(r, DeviceState.CONFIRMED) for r in found}
        return why(found)

    def _services(self, before: Sequence[ProbeResult]) -> list[str]:
        with self._timed("services"):
            self._watch.commit_sent()
            self._watch.wait(rounds=self._settings.verify_rounds, timeout_s=self._settings.verify_timeout_s)
        found = judge(before, self._watch.results(), self._settings.verify_rounds)
        self._warnings = found.warnings
        return list(found.problems)

    def _undo(self) -> Outcome:
        """Undo the roles on every host that they may have reached; the rest is as it was."""
        touched = [h for h in self._half.hosts if h.host in self._touched]
        with self._timed("undo"):
            back = {r.host: r for r in attempt(self._runner, touched, HostStep.UNDO)}
        for name in (h.host for h in self._half.hosts):
            result = back.get(name)
            if result is None or result.ok:
                told = self._reports.get(name) or HostReport(host=name, state=DeviceState.UNDONE)
                self._reports[name] = told.model_copy(update={"state": DeviceState.UNDONE})
            else:
                self._reports[name] = report_of(result, DeviceState.IN_DOUBT)
        return Outcome.UNDONE if all(r.ok for r in back.values()) else Outcome.IN_DOUBT

    def _settle(self, pending: PendingCommit, outcome: Outcome, reasons: Sequence[str]) -> CommitReport:
        doubts = [
            f"{r.host}: undo: {r.task}: {r.message}" for r in self._reports.values() if r.state is DeviceState.IN_DOUBT
        ]
        report = CommitReport(
            transaction_id=pending.transaction_id,
            plan_id=pending.plan_id,
            outcome=outcome,
            hosts=tuple(self._reports.values()),
            probes=self._watch.results(),
            reasons=tuple(dict.fromkeys([*reasons, *doubts])),
            warnings=self._warnings,
            timings_ms=self._timings,
        )
        self._journal.settle_commit(report, now=now())
        return report

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        since = time.monotonic()
        try:
            yield
        finally:
            self._timings[name] = round((time.monotonic() - since) * 1000, 3)


_GOOD = (Outcome.CONFIRMED, Outcome.UNCHANGED)


def attempt(
    runner: HostRunner, plans: Sequence[HostPlan], step: HostStep, *, check: bool = False
) -> tuple[HostResult, ...]:
    """Run one step; where Ansible itself cannot run, every host has failed with its words."""
    try:
        return runner.run(plans, [step], check=check)
    except InputError as error:
        return tuple(HostResult(p.host, ok=False, changed=False, seconds=0.0, message=str(error)) for p in plans)


def why(found: Sequence[HostResult]) -> list[str]:
    """One sentence for each host that failed."""
    return [": ".join(filter(None, (r.host, r.task, r.message))) for r in found if not r.ok]


def report_of(result: HostResult, state: DeviceState) -> HostReport:
    """A result as a line of the report."""
    return HostReport(
        host=result.host,
        state=state,
        task=result.task,
        message=result.message,
        changed=result.changed,
        seconds=result.seconds,
    )


def once_each(watch: ServiceWatch, timeout_s: float) -> tuple[ProbeResult, ...]:
    """The checks as they were before the change: at least one try of each, if they come in time."""
    if not all(p.tries for p in watch.results()):
        watch.wait(rounds=1, timeout_s=timeout_s)
    return watch.results()


def _joined(hosts: CommitReport, devices: CommitReport) -> CommitReport:
    """Both halves told as one; what the services did before the devices' commit was, to the hosts, during theirs."""
    doubt = Outcome.IN_DOUBT in (hosts.outcome, devices.outcome)
    base = hosts if devices.outcome is Outcome.UNCHANGED else devices
    return base.model_copy(
        update={
            "outcome": Outcome.IN_DOUBT if doubt else hosts.outcome,
            "devices": devices.devices,
            "hosts": hosts.hosts,
            "probes": _joined_probes(hosts.probes, devices.probes),
            "reasons": tuple(dict.fromkeys([*devices.reasons, *hosts.reasons])),
            "warnings": tuple(dict.fromkeys([*hosts.warnings, *devices.warnings])),
            "timings_ms": {**devices.timings_ms, **hosts.timings_ms},
        }
    )


def _joined_probes(first: Sequence[ProbeResult], second: Sequence[ProbeResult]) -> tuple[ProbeResult, ...]:
    found = {(p.client, p.service, p.target, p.phase): p for p in first}
    for probe in second:
        key = (probe.client, probe.service, probe.target, "during")
        known = found.get(key)
        tries, failures = (known.tries, known.failures) if known else (0, 0)
        told = probe if known is None or probe.failures else known
        found[key] = told.model_copy(
            update={"phase": "during", "tries": tries + probe.tries, "failures": failures + probe.failures}
        )
    return tuple(found.values())
