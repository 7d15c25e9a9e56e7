"""What drifted, put right: the same plans and transactions as everything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from secloop_ai.contracts import (
    ChangePlan,
    DeviceModel,
    DeviceOperation,
    Direction,
    DiscardOp,
    Environment,
    Family,
    FilterOp,
    Mitigation,
    PlannedMitigation,
    SecLoopError,
    TaggedOp,
)
from secloop_ai.dialects.marks import mark_of

from .context import Context, now
from .draft import Draft, by_device, refuse_opening
from .drift import REPAIRABLE, Finding
from .drift_rules import DriftKind
from .folder import PlanFolder
from .plan import Running, dialect_of, plan_removal, plan_response
from .story import plan_story, report_story

UNPLACED = "unattached"
"""Stands for the interface of an entry whose ACL is attached nowhere; only its tag matters then."""


class Repair(NamedTuple):
    """What was put right, or with check mode would be.

    Attributes:
        repaired: mitigation ids.
        failures: what could not be, each with the reason.
    """

    repaired: tuple[str, ...]
    plans: tuple[ChangePlan, ...]
    story: tuple[str, ...]
    failures: tuple[str, ...] = ()


NOTHING = Repair((), (), ())


def repair(
    context: Context,
    findings: Sequence[Finding],
    mitigations: Mapping[str, Mitigation],
    *,
    orphans: bool = False,
    check: bool = False,
) -> Repair:
    """Apply again what drifted, an incident at a time, and with `orphans` take away what the ledger does not know.

    An incident that cannot be repaired keeps no other from it. What is overdue is left to the expirer.

    Args:
        context: inventory, ledger, settings.
        findings: of a verification just made.
        mitigations: the active ones, by id.
        orphans: whether entries without a mitigation are removed.
        check: plan only.

    Side effects: a transaction for each incident; mitigations keep their ends.
    """
    parts = [
        *(_tried(context, incident, found, mitigations, check=check) for incident, found in _drifted(findings).items()),
        *(
            _swept(context, incident, found, check=check)
            for incident, found in (_strays(findings).items() if orphans else ())
        ),
    ]
    return Repair(
        tuple(r for part in parts for r in part.repaired),
        tuple(p for part in parts for p in part.plans),
        tuple(line for part in parts for line in part.story),
        tuple(f for part in parts for f in part.failures),
    )


def _drifted(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Incident → what applying its mitigations again puts right."""
    return _by_incident(f for f in findings if f.kind in REPAIRABLE)


def _strays(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Incident → its orphans."""
    return _by_incident(f for f in findings if f.kind is DriftKind.ORPHAN)


def _by_incident(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.incident_id].append(finding)
    return found


def _tried(
    context: Context,
    incident: str,
    findings: Sequence[Finding],
    mitigations: Mapping[str, Mitigation],
    *,
    check: bool,
) -> Repair:
    drifted = [mitigations[name] for name in dict.fromkeys(f.mitigation_id or "" for f in findings)]
    late = [m for m in drifted if m.expires_at <= now()]
    due = tuple(f"{m.mitigation_id}: overdue: left to the expirer" for m in late)
    again = [m for m in drifted if m not in late]
    if not again:
        return NOTHING._replace(story=due)
    try:
        done = _apply_again(context, incident, again, {f.device for f in findings}, check=check)
    except SecLoopError as error:
        return _failed([m.mitigation_id for m in again], error)
    return done._replace(story=(*due, *done.story))


def _apply_again(
    context: Context, incident: str, drifted: Sequence[Mitigation], names: Collection[str], *, check: bool
) -> Repair:
    """Put mitigations back on the devices where they drifted: one that is down elsewhere does not keep them off."""
    environment = context.environment()
    here = [
        m.model_copy(update={"operations": {d: m.operations[d] for d in m.operations if d in names}}) for m in drifted
    ]
    running = _read(context, environment, by_device(here))
    for name, ops in by_device(here).items():
        refuse_opening(name, ops, dialect_of(environment, name).parse(running[name].data))
    # as renewals, so that a port's state before the mitigation stays what it was
    plan = plan_response(incident, Draft((), tuple(here)), environment, running, now())
    if not plan.changes:
        return NOTHING._replace(story=(f"incident {incident}: nothing has to be applied again",))
    plan = plan.model_copy(update={"renewed": (), "mitigations": tuple(map(_as_planned, drifted))})
    return _carry_out(context, plan, [m.mitigation_id for m in drifted], environment, check=check)


def _as_planned(mitigation: Mitigation) -> PlannedMitigation:
    """A mitigation with the time it has left: to repair is not to prolong."""
    return PlannedMitigation(
        mitigation_id=mitigation.mitigation_id,
        action=mitigation.action,
        ttl_s=max(1, int(mitigation.left_s(now()))),
        operations=mitigation.operations,
    )


def _swept(context: Context, incident: str, found: Sequence[Finding], *, check: bool) -> Repair:
    try:
        environment = context.environment()
        running = _read(context, environment, [f.device for f in found])
        strays = {
            f.device: ops
            for f in found
            if (ops := _entries(f, dialect_of(environment, f.device).parse(running[f.device].data)))
        }
        plan = plan_removal(incident, "rollback", (), environment, running, now(), also=strays)
        return _carry_out(context, plan, [f.mitigation_id or "" for f in found], environment, check=check)
    except SecLoopError as error:
        return _failed([f.mitigation_id or "" for f in found], error)


def _entries(finding: Finding, model: DeviceModel) -> tuple[TaggedOp, ...]:
    """Operations that stand for everything on the device with a stray mark: enough to take it away again."""
    tag = finding.mitigation_id or ""
    found: list[DeviceOperation] = []
    for acl in model.acls:
        place = next(((a.interface, a.direction) for a in model.attachments if acl.name in a.acls), None)
        interface, direction = place or (UNPLACED, Direction.INGRESS)
        for rule in acl.rules:
            if (mark := mark_of(rule.name)) and mark.tag == tag:
                network = rule.source or rule.destination
                family: Family = network.version if network else acl.family or 4
                found.append(
                    FilterOp(interface=interface, direction=direction, family=family, rank=mark.rank, rules=(rule,))
                )
    found += [DiscardOp(prefix=d.prefix) for d in model.discards if d.tag == tag]
    return tuple(TaggedOp(tag=tag, op=op) for op in found)


def _read(context: Context, environment: Environment, names: Iterable[str]) -> Mapping[str, Running]:
    from .devices import read_running

    devices = [d for name in dict.fromkeys(names) if (d := environment.device(name))]
    running, failed = read_running(devices, context.passwords(environment), concurrency=context.settings.concurrency)
    for error in failed.values():
        raise error
    return running


def _carry_out(
    context: Context, plan: ChangePlan, marks: Sequence[str], environment: Environment, *, check: bool
) -> Repair:
    story = plan_story(plan, None)
    if check or not plan.changes:
        return Repair(tuple(marks) if plan.changes else (), (plan,), story)
    from .commit import commit_plan

    context.ledger.record_plan(plan, now=now())
    content = _with_evidence(context, plan)
    report = commit_plan(content, environment, context.passwords(environment), context.ledger, context.settings)
    return Repair(tuple(marks), (plan,), (*story, *report_story(report)))


def _with_evidence(context: Context, plan: ChangePlan) -> PlanFolder:
    """The plan with the decision it goes back to, so that the guard holds it to today's inventory."""
    if plan.purpose != "respond":
        return PlanFolder(plan, None, ())
    record = context.ledger.incident(plan.incident_id)
    decision = record.decisions[-1].decision if record.decisions else None
    return PlanFolder(plan, decision, record.summaries)


def _failed(marks: Sequence[str], error: SecLoopError) -> Repair:
    failures = tuple(f"{mark}: {error}" for mark in marks)
    return Repair((), (), tuple(f"not repaired: {failure}" for failure in failures), failures)
