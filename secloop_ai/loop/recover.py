"""After a controller died: what it left open is settled before anything new begins."""

from __future__ import annotations

from secloop_ai.contracts import CommitReport, DeviceState, HostStep, Mitigation, Outcome, PendingCommit
from secloop_ai.netconf import Work, settle_pending

from .commit import effect_check
from .context import Context, now
from .deadman import watchdogs
from .draft import by_device
from .host_commit import attempt, report_of, why
from .owner import is_worked_on
from .plan import dialect_of
from .roles import host_plans, on_hosts


def recover_all(context: Context) -> tuple[CommitReport, ...]:
    """Settle every open commit of the ledger; most often there is none and no device is asked.

    The devices come first: whether the hosts' half of a change stays depends on theirs. A commit that another
    controller is still at work on is left to it.

    Side effects: ``cancel-commit`` on devices whose confirmed commit is still pending, inverse edits on devices that
    have no confirmed commit; watchdogs called off; roles undone on hosts.
    """
    pending = [p for p in context.ledger.pending_commits() if not is_worked_on(p, now=now())]
    charges = {p.transaction_id: _charge(context, p) for p in pending}
    roles = {p.transaction_id for p in pending if any(map(on_hosts, charges[p.transaction_id]))}
    found = {p.transaction_id: _recover(context, p) for p in pending if p.transaction_id not in roles}
    found |= {p.transaction_id: _recover_hosts(context, p) for p in pending if p.transaction_id in roles}
    return tuple(found[p.transaction_id] for p in pending)


def _charge(context: Context, pending: PendingCommit) -> tuple[Mitigation, ...]:
    """The mitigations a commit was about."""
    return tuple(m for m in context.ledger.mitigations() if m.mitigation_id in pending.mitigation_ids)


def _recover(context: Context, pending: PendingCommit) -> CommitReport:
    environment = context.environment()
    passwords = context.passwords(environment)
    operations = by_device(_charge(context, pending))
    works = [
        Work(
            device=device,
            password=passwords.get(name),
            dialect=dialect_of(environment, name),
            edit="",
            base_digests={},
            operations=operations.get(name, ()),
            check=effect_check(pending.purpose, operations.get(name, ())),
        )
        for name in pending.devices
        if (device := environment.device(name))
    ]
    dead_man = watchdogs(context.settings)
    report = settle_pending(pending, works, settings=context.settings, dead_man=dead_man)
    context.ledger.settle_commit(report, now=now())
    return report


def _recover_hosts(context: Context, pending: PendingCommit) -> CommitReport:
    """Undo the roles; but where the devices' half was confirmed, and the roles still hold, that is the end of it."""
    plans = host_plans(_charge(context, pending))
    runner = context.host_runner()
    outcome = Outcome.UNDONE if pending.purpose == "respond" else Outcome.CONFIRMED  # a removal is done once undone
    found = attempt(runner, plans, HostStep.VERIFY) if _devices_confirmed(context, pending) else ()
    if found and not why(found):
        outcome = Outcome.CONFIRMED
    else:
        found = attempt(runner, plans, HostStep.UNDO)
    state = DeviceState(outcome.value)
    report = CommitReport(
        transaction_id=pending.transaction_id,
        plan_id=pending.plan_id,
        outcome=Outcome.IN_DOUBT if why(found) else outcome,
        hosts=tuple(report_of(r, state if r.ok else DeviceState.IN_DOUBT) for r in found),
        reasons=tuple(why(found)),
    )
    context.ledger.settle_commit(report, now=now())
    return report


def _devices_confirmed(context: Context, pending: PendingCommit) -> bool:
    """Whether the devices' half of the same response, begun after this one, has come to a good end."""
    return pending.purpose == "respond" and any(
        c.plan_id == pending.plan_id and c.state == Outcome.CONFIRMED and c.started_at >= pending.started_at
        for c in context.ledger.incident(pending.incident_id).commits
    )
