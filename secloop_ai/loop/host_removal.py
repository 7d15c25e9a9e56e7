"""Roles undone on hosts that keep each other from nothing: what is down keeps its own mitigations waiting."""

from __future__ import annotations

from typing import NamedTuple

from secloop_ai.contracts import (
    ChangePlan,
    CommitJournal,
    CommitReport,
    DeviceState,
    HostReport,
    HostRunner,
    HostStep,
    LedgerError,
    Outcome,
    PendingCommit,
)
from secloop_ai.settings import Settings

from .context import now
from .host_commit import attempt, report_of, why
from .pending import host_half, open_commit


class HostRemoval(NamedTuple):
    """How each host fared.

    Attributes:
        kept: mitigation → why it is still there.
    """

    hosts: tuple[HostReport, ...]
    kept: dict[str, str]


def remove_from_hosts(plan: ChangePlan, runner: HostRunner, journal: CommitJournal, settings: Settings) -> HostRemoval:
    """Undo the roles of a removal, all hosts side by side, each with a commit of its own in the ledger.

    Side effects: on the hosts; in the ledger, where a mitigation that could not be undone stays active, and due.
    """
    begun: dict[str, PendingCommit] = {}
    refused: dict[str, str] = {}
    for name in (h.host for h in plan.hosts):
        half = host_half(plan, name)
        pending, mitigations = open_commit(half, [name], persist_id="", timeout_s=settings.host_timeout_s)
        try:
            journal.begin_commit(pending, mitigations)
        except LedgerError as error:
            refused[name] = str(error)
        else:
            begun[name] = pending
    reports = {n: HostReport(host=n, state=DeviceState.UNCHANGED, message=told) for n, told in refused.items()}
    for result in attempt(runner, [h for h in plan.hosts if h.host in begun], HostStep.UNDO):
        pending = begun[result.host]
        state = DeviceState.CONFIRMED if result.ok else DeviceState.UNDONE
        report = CommitReport(
            transaction_id=pending.transaction_id,
            plan_id=plan.plan_id,
            outcome=Outcome.CONFIRMED if result.ok else Outcome.UNDONE,
            hosts=(report_of(result, state),),
            reasons=tuple(why([result])),
        )
        journal.settle_commit(report, now=now())
        reports[result.host] = report.hosts[0]
    return HostRemoval(tuple(reports[h.host] for h in plan.hosts), _kept(plan, reports))


def _kept(plan: ChangePlan, reports: dict[str, HostReport]) -> dict[str, str]:
    return {
        tagged.tag: f"{host.host}: {report.task + ': ' if report.task else ''}{report.message}"
        for host in plan.hosts
        if (report := reports[host.host]).state is not DeviceState.CONFIRMED
        for tagged in host.operations
    }
