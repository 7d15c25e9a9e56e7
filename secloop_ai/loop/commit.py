"""A plan onto the network: guarded once more, as one transaction, kept in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from pydantic import SecretStr

from secloop_ai.contracts import (
    AdminOp,
    ChangePlan,
    CommitReport,
    DeviceModel,
    DevicePlan,
    DeviceReport,
    DeviceState,
    Environment,
    GuardRefusal,
    HostRunner,
    LedgerPort,
    Mitigation,
    MitigationState,
    Outcome,
    PendingCommit,
    PlanError,
    TaggedOp,
    TransactionFailed,
)
from secloop_ai.dialects.marks import mark_of
from secloop_ai.guard import review
from secloop_ai.netconf import Work, new_persist_id, run_transaction
from secloop_ai.settings import Settings

from .context import EXPIRER, now
from .deadman import watchdogs
from .decide import build_request
from .effect import missing_effects
from .folder import PlanFolder
from .host_commit import HostCommit
from .intent import meant_to_fail
from .pending import device_half, host_half, open_commit, without_standing
from .plan import dialect_of
from .roles import require_access
from .watch import Check, Watch, checks, unprobed

NO_EXPIRER = "no expirer is alive: nothing will take this off the network when its time is up: secloop expire --watch"


def guard_again(content: PlanFolder, environment: Environment) -> None:
    """Hold a plan's strategy to today's inventory: the protected set may have grown since it was rendered.

    Raises:
        GuardRefusal: the strategy would not be allowed now.
    """
    if content.decision is None:
        return
    verdict = review(content.decision.strategy, build_request(content.summaries, environment))
    if not verdict.allowed:
        reasons = "; ".join(f"[{r.rule}] {r.reason}" for r in verdict.refusals)
        raise GuardRefusal(f"plan {content.plan.plan_id} is not allowed any more: {reasons}")


def commit_plan(
    content: PlanFolder,
    environment: Environment,
    passwords: Mapping[str, SecretStr],
    ledger: LedgerPort,
    settings: Settings,
    *,
    hosts: HostRunner | None = None,
) -> CommitReport:
    """Commit a plan on all its hosts and devices, verify, and confirm or undo.

    The hosts come first: what the devices do is easier to take back. A removal's hosts are not done here, as each of
    them goes its own way: see :func:`secloop_ai.loop.host_removal.remove_from_hosts`.

    Without `hosts`, which runs roles, a plan for hosts is refused.

    Side effects: roles on every host of the plan, undone again where anything fails; a confirmed commit on every
    device, confirmed or cancelled before this returns; mitigations in the ledger.

    Raises:
        TransactionFailed: undone or in doubt; carries the report.
        GuardRefusal: the strategy is not allowed any more.
        PlanError: a host does not allow its role any more.
        InputError: Ansible could not run the roles; no host or device was touched.
    """
    guard_again(content, environment)
    plan = content.plan
    if plan.hosts and plan.purpose == "respond":
        plan = without_standing(plan, ledger.mitigations(states=(MitigationState.ACTIVE,)))
    warnings = () if plan.purpose != "respond" or ledger.alive(EXPIRER, now=now()) else (NO_EXPIRER,)
    if not plan.changes:
        _note_unchanged(plan, ledger, settings)
        _renew(plan, ledger)
        return _unchanged(plan, warnings if plan.mitigations else ())
    actions = [m.action for m in plan.mitigations] if plan.purpose == "respond" else []
    meant = tuple(c for c in checks(environment) if meant_to_fail(c, actions))

    def on_devices() -> CommitReport:
        return _on_devices(device_half(plan), environment, passwords, ledger, settings, meant)

    if plan.hosts and plan.purpose == "respond":
        runner = _allowed(plan, environment, hosts)
        with _watch(environment, meant) as watch:
            report = HostCommit(host_half(plan), runner, ledger, watch, settings).run(on_devices)
    else:
        report = on_devices()
    said = (*report.warnings, *warnings, *_cut_off(meant), *unprobed(environment))
    report = report.model_copy(update={"warnings": said})
    if report.outcome is not Outcome.CONFIRMED:
        raise TransactionFailed(f"the change was not made: {_why(report)}", report=report)
    _renew(plan, ledger)
    return report


def _on_devices(
    half: ChangePlan,
    environment: Environment,
    passwords: Mapping[str, SecretStr],
    ledger: LedgerPort,
    settings: Settings,
    meant: tuple[Check, ...],
) -> CommitReport:
    """The devices' half, in one transaction; nothing is raised for a device that failed."""
    if not half.changes:
        _note_unchanged(half, ledger, settings)
        return _unchanged(half, ())
    with _watch(environment, meant) as watch:
        pending, mitigations = _open(half, settings)
        return run_transaction(
            [work_for(d, half, environment, passwords) for d in half.devices if d.edit],
            pending=pending,
            mitigations=mitigations,
            journal=ledger,
            watch=watch,
            settings=settings,
            dead_man=watchdogs(settings),
        )


def _watch(environment: Environment, meant: tuple[Check, ...]) -> Watch:
    return Watch(environment, leave_out=lambda check: check in meant)


def _allowed(plan: ChangePlan, environment: Environment, runner: HostRunner | None) -> HostRunner:
    """The runner, once every host still allows what the plan holds for it."""
    for host in plan.hosts:
        for tagged in host.operations:
            require_access(host.host, environment.host(host.host), tagged.op)
    if runner is None:
        raise PlanError(f"{', '.join(h.host for h in plan.hosts)}: nothing here can run roles on hosts")
    return runner


def _cut_off(meant: tuple[Check, ...]) -> tuple[str, ...]:
    pairs = sorted({f"{c.client.name} -> {c.server.name}/{c.service.name}" for c in meant})
    return tuple(f"{pair} is cut off on purpose, and not watched" for pair in pairs)


def _why(report: CommitReport) -> str:
    told = " ".join(report.reasons)
    broken = [f"{d.device}: {d.operation}: {d.message}" for d in report.devices if d.message and d.message not in told]
    return f"{report.outcome.value.replace('_', ' ')}: {'; '.join((*report.reasons, *broken)) or 'no reason given'}"


def _unchanged(plan: ChangePlan, warnings: tuple[str, ...]) -> CommitReport:
    devices = tuple(DeviceReport(device=d.device, state=DeviceState.UNCHANGED) for d in plan.devices)
    return CommitReport(
        transaction_id="none", plan_id=plan.plan_id, outcome=Outcome.UNCHANGED, devices=devices, warnings=warnings
    )


def _open(plan: ChangePlan, settings: Settings) -> tuple[PendingCommit, tuple[Mitigation, ...]]:
    names = [d.device for d in plan.devices if d.edit]
    return open_commit(plan, names, persist_id=new_persist_id(), timeout_s=settings.confirm_timeout_s)


def _note_unchanged(plan: ChangePlan, ledger: LedgerPort, settings: Settings) -> None:
    """The devices hold the plan's end already, but the ledger does not know: write it down."""
    if not plan.mitigations:
        return
    pending, mitigations = _open(plan, settings)
    ledger.begin_commit(pending, mitigations)
    report = CommitReport(transaction_id=pending.transaction_id, plan_id=plan.plan_id, outcome=Outcome.CONFIRMED)
    ledger.settle_commit(report, now=now())


def _renew(plan: ChangePlan, ledger: LedgerPort) -> None:
    """A later incident with the same effect keeps a mitigation alive for its own lifetime; the same one does not."""
    for m in ledger.mitigations(states=(MitigationState.ACTIVE,)):
        if m.mitigation_id in plan.renewed and m.incident_id != plan.incident_id:
            at = now()
            ledger.renew((m.mitigation_id,), expires_at=at + timedelta(seconds=m.action.ttl_s), now=at)


def work_for(
    change: DevicePlan, plan: ChangePlan, environment: Environment, passwords: Mapping[str, SecretStr]
) -> Work:
    """One device's share of the plan, with what must hold there afterwards.

    Raises:
        PlanError: the inventory does not hold the device any more.
    """
    device = environment.device(change.device)
    if device is None:
        raise PlanError(f"{change.device}: in the plan, but not in the inventory")
    return Work(
        device=device,
        password=passwords.get(device.name),
        dialect=dialect_of(environment, device.name),
        edit=change.edit or "",
        base_digests=change.base_digests,
        operations=change.operations,
        check=effect_check(plan.purpose, change.operations),
    )


def effect_check(purpose: str, operations: tuple[TaggedOp, ...]) -> Callable[[DeviceModel], tuple[str, ...]]:
    """What must hold in a device's running configuration after the commit."""
    if purpose == "respond":
        return lambda model: missing_effects(model, operations, lambda name: mark_of(name) is not None)
    return lambda model: left_behind(model, operations)


def left_behind(model: DeviceModel, operations: tuple[TaggedOp, ...]) -> tuple[str, ...]:
    """One sentence for each entry of these operations that is still on the device."""
    tags = {t.tag for t in operations}
    entries = [
        f"entry {r.name} of ACL {a.name}"
        for a in model.acls
        for r in a.rules
        if (mark := mark_of(r.name)) and mark.tag in tags
    ]
    routes = [f"discard route {d.prefix}" for d in model.discards if d.tag in tags]
    ports = [
        f"port {t.op.interface} in its mitigated state"
        for t in operations
        if isinstance(t.op, AdminOp) and model.is_up(t.op.interface) != (t.op.prior is not False)
    ]
    return tuple(f"{what} is still there" for what in (*entries, *routes, *ports))
