"""Off the network again: by incident, by expiry, or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from secloop_ai.contracts import (
    ChangePlan,
    DeviceError,
    Mitigation,
    MitigationState,
    PlanError,
    SecLoopError,
    TransactionFailed,
)

from .commit import commit_plan
from .context import Context, now
from .devices import read_running
from .folder import PlanFolder
from .plan import Purpose, plan_removal
from .recover import recover_all
from .story import plan_story, report_story, seconds

EVERYTHING = "all"
REMOVABLE = (MitigationState.ACTIVE,)


class Removal(NamedTuple):
    """What was taken away.

    Attributes:
        failures: what could not be, with the reason; it stays in the ledger and is tried again.
    """

    removed: tuple[str, ...]
    plans: tuple[ChangePlan, ...]
    story: tuple[str, ...]
    failures: tuple[str, ...] = ()


def roll_back(context: Context, incident: str, *, check: bool = False) -> Removal:
    """Take an incident's mitigations off the network in one transaction; ``all`` is the kill switch.

    The kill switch does what it can: where one transaction over everything fails, it goes on one by one.

    Raises:
        LedgerError: the ledger does not know the incident.
        TransactionFailed: it was undone; everything is as before.
    """
    if not check:
        recover_all(context)
    chosen = None if incident == EVERYTHING else incident
    if chosen:
        context.ledger.incident(chosen)
    leaving = context.ledger.mitigations(incident_id=chosen, states=REMOVABLE)
    if not leaving:
        return Removal((), (), (f"incident {incident}: nothing of it is on the network",))
    if chosen:
        return _remove(context, leaving, incident, "rollback", check=check)
    return _together_or_each(context, leaving, "rollback", check=check)


def expire_due(context: Context, *, within_s: float = 0.0, check: bool = False) -> Removal:
    """Take every mitigation whose time is up, or will be `within_s` seconds from now, off the network.

    All in one transaction when the devices let it; otherwise one by one, so that a device that is down keeps
    only its own mitigations waiting.
    """
    if not check:
        recover_all(context)
    at = now() + timedelta(seconds=within_s)
    due = tuple(m for m in context.ledger.mitigations(states=REMOVABLE) if m.expires_at <= at)
    if not due:
        return Removal((), (), ("nothing is overdue",))
    return _together_or_each(context, due, "expire", check=check)


def _together_or_each(context: Context, leaving: Sequence[Mitigation], purpose: Purpose, *, check: bool) -> Removal:
    try:
        return _remove(context, leaving, leaving[0].incident_id, purpose, check=check)
    except (DeviceError, PlanError, TransactionFailed) as error:
        if len(leaving) == 1:
            raise
        first = str(error)
    return _one_by_one(context, leaving, purpose, first, check=check)


def _one_by_one(
    context: Context, leaving: Sequence[Mitigation], purpose: Purpose, first: str, *, check: bool
) -> Removal:
    removed: list[str] = []
    plans: list[ChangePlan] = []
    story: list[str] = [f"together they could not be removed ({first}); one by one:"]
    failures: list[str] = []
    for mitigation in leaving:
        try:
            part = _remove(context, (mitigation,), mitigation.incident_id, purpose, check=check)
        except SecLoopError as error:
            failures.append(f"{mitigation.mitigation_id}: {error}")
            continue
        removed += part.removed
        plans += part.plans
        story += part.story
    story += [f"still on the network: {f}" for f in failures]
    return Removal(tuple(removed), tuple(plans), tuple(story), tuple(failures))


def _remove(
    context: Context, leaving: Sequence[Mitigation], incident: str, purpose: Purpose, *, check: bool
) -> Removal:
    environment = context.environment()
    passwords = context.passwords(environment)
    names = sorted({name for m in leaving for name in m.operations})
    devices = [d for name in names if (d := environment.device(name))]
    running, failed = read_running(devices, passwords, concurrency=context.settings.concurrency)
    if failed:
        raise next(iter(failed.values()))
    plan = plan_removal(incident, purpose, leaving, environment, running, now())
    ids = tuple(m.mitigation_id for m in leaving)
    if check:
        return Removal((), (plan,), plan_story(plan, None))
    context.ledger.record_plan(plan, now=now())
    report = commit_plan(PlanFolder(plan, None, ()), environment, passwords, context.ledger, context.settings)
    late = [f"{m.mitigation_id}: {purpose}, {_timing(m)}" for m in leaving]
    return Removal(ids, (plan,), (*plan_story(plan, None)[1:], *report_story(report), *late))


def _timing(mitigation: Mitigation) -> str:
    left = mitigation.left_s(now())
    return f"{seconds(left)} before its end" if left > 0 else f"{seconds(-left)} after its end"
