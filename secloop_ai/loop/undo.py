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
from .draft import by_device
from .folder import PlanFolder
from .host_check import rehearse
from .host_removal import remove_from_hosts
from .pending import device_half
from .plan import Purpose, plan_removal
from .recover import recover_all
from .roles import on_hosts
from .story import host_lines, plan_story, report_story, seconds

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
    """Take an incident's mitigations off: devices in one transaction, hosts each for itself; ``all``: the kill switch.

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

    All in one transaction when the devices let it; otherwise one by one, so that a device, or host, that is down
    keeps only its own mitigations waiting.
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
            part = _kept_all({mitigation.mitigation_id: str(error)})
        removed += part.removed
        plans += part.plans
        story += part.story
        failures += part.failures
    return Removal(tuple(removed), tuple(plans), tuple(story), tuple(failures))


def _kept_all(kept: dict[str, str]) -> Removal:
    failures = tuple(f"{name}: {reason}" for name, reason in kept.items())
    return Removal((), (), tuple(f"still on the network: {f}" for f in failures), failures)


def _remove(
    context: Context, leaving: Sequence[Mitigation], incident: str, purpose: Purpose, *, check: bool
) -> Removal:
    """The devices' part in one transaction; then the hosts', each for itself."""
    environment = context.environment()
    passwords = context.passwords(environment)
    devices = [d for name in by_device(leaving) if (d := environment.device(name))]
    running, failed = read_running(devices, passwords, concurrency=context.settings.concurrency)
    if failed:
        raise next(iter(failed.values()))
    plan = plan_removal(incident, purpose, leaving, environment, running, now())
    if check:
        rehearsed = rehearse(context, plan).story if plan.hosts else ()
        return Removal((), (plan,), (*plan_story(plan, None), *rehearsed))
    context.ledger.record_plan(plan, now=now())
    story = list(plan_story(plan, None)[1:])
    if any(not on_hosts(m) for m in leaving):
        half = PlanFolder(device_half(plan), None, ())
        story += report_story(commit_plan(half, environment, passwords, context.ledger, context.settings))
    kept: dict[str, str] = {}
    if plan.hosts:
        hosts, kept = remove_from_hosts(plan, context.host_runner(), context.ledger, context.settings)
        story += host_lines(hosts)
    gone = [m for m in leaving if m.mitigation_id not in kept]
    late = [f"{m.mitigation_id}: {purpose}, {_timing(m)}" for m in gone]
    stays = _kept_all(kept)
    removed = tuple(m.mitigation_id for m in gone)
    return Removal(removed, (plan,), (*story, *late, *stays.story), stays.failures)


def _timing(mitigation: Mitigation) -> str:
    left = mitigation.left_s(now())
    return f"{seconds(left)} before its end" if left > 0 else f"{seconds(-left)} after its end"
