"""Verification: read the devices that hold mitigations, say how they differ from the ledger, and repair if asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from secloop_ai.contracts import ChangePlan, DialectError, Environment, Mitigation, MitigationState
from secloop_ai.dialects import dialect

from .context import Context
from .draft import by_device
from .drift import Finding, drift_of, orphans_of
from .drift_repair import NOTHING, Repair, repair
from .drift_rules import DriftKind
from .plan import Running
from .recover import recover_all
from .roles import on_hosts
from .show_counters import Counted, Counter, count


class Look(NamedTuple):
    """What one reading of the devices showed.

    Attributes:
        checked: devices that were read.
        mitigations: the active ones of the ledger, by id.
        running: device → what was read.
    """

    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    mitigations: Mapping[str, Mitigation]
    running: Mapping[str, Running]


class Verification(NamedTuple):
    """What was found, and what became of it.

    Attributes:
        findings: before any repair.
        remaining: after it; in check mode what a repair would not put right.
        counters: of the entries that are there now, where they were asked for.
        failures: repairs that could not be made, each with the reason.
        notes: counters that could not be had, and why.
    """

    findings: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    checked: tuple[str, ...]
    repaired: tuple[str, ...]
    plans: tuple[ChangePlan, ...]
    counters: tuple[Counter, ...]
    failures: tuple[str, ...]
    notes: tuple[str, ...]
    story: tuple[str, ...]


class Wish(NamedTuple):
    """What a verification should do.

    Attributes:
        fix: apply again what drifted.
        orphans: with `fix`, also take away entries that no active mitigation stands behind.
        every_device: read all devices of the inventory, not only those that hold active mitigations.
        counters: ask the devices by show command how often the entries have matched.
    """

    fix: bool = False
    orphans: bool = False
    every_device: bool = False
    counters: bool = False


def verify(context: Context, wish: Wish, *, check: bool = False) -> Verification:
    """Hold the devices to the ledger; with `check`, a repair is only planned.

    Side effects: none without a fix; with it a transaction for each incident, after open ones are settled.
    """
    if wish.fix and not check:
        recover_all(context)
    seen = look(context, every_device=wish.every_device)
    done = repair(context, seen.findings, seen.mitigations, orphans=wish.orphans, check=check) if wish.fix else NOTHING
    if check or not done.repaired:
        after, remaining = seen, tuple(f for f in seen.findings if f.mitigation_id not in done.repaired)
    else:
        after = look(context, every_device=wish.every_device)
        remaining = after.findings
    counted = _counted(context, after) if wish.counters else Counted((), ())
    return Verification(
        findings=seen.findings,
        remaining=remaining,
        checked=seen.checked,
        repaired=done.repaired,
        plans=done.plans,
        counters=counted.counters,
        failures=done.failures,
        notes=counted.notes,
        story=(*_told(seen), *done.story, *_after(done, remaining, check=check), *map(str, counted.counters)),
    )


def _counted(context: Context, seen: Look) -> Counted:
    environment = context.environment()
    devices = [d for name in seen.running if (d := environment.device(name))]
    secrets, side_by_side = context.passwords(environment), context.settings.concurrency
    return count(devices, seen.running, secrets, concurrency=side_by_side)


def look(context: Context, *, every_device: bool = False) -> Look:
    """Read the devices and compare. Changes nothing."""
    from .devices import read_running

    ledger, environment = context.ledger, context.environment()
    known = {m.mitigation_id: m for m in ledger.mitigations()}
    active = [m for m in known.values() if m.state is MitigationState.ACTIVE]
    held = by_device(active)
    wanted = dict.fromkeys([*held, *(d.name for d in environment.devices if every_device)])
    devices = [d for name in wanted if (d := environment.device(name))]
    running, failed = read_running(devices, context.passwords(environment), concurrency=context.settings.concurrency)
    busy = {name for pending in ledger.pending_commits() for name in pending.devices}
    findings = [_lost(name, held) for name in wanted if environment.device(name) is None]
    findings += [
        Finding(device=name, kind=DriftKind.UNREACHABLE, detail=f"{error.operation}: {error.reason}")
        for name, error in failed.items()
    ]
    for name, state in running.items():
        spoken = dialect(_dialect_name(environment, name))
        try:
            model, marks = spoken.parse(state.data), spoken.tags(state.data)
        except DialectError as error:
            findings.append(Finding(device=name, kind=DriftKind.UNREADABLE, detail=str(error)))
            continue
        findings += drift_of(name, model, held.get(name, ()))
        findings += orphans_of(name, marks, known, settled=name not in busy)
    return Look(tuple(findings), tuple(running), {m.mitigation_id: m for m in active}, running)


def _dialect_name(environment: Environment, name: str) -> str:
    device = environment.device(name)
    return device.dialect if device else ""


def _lost(name: str, held: Mapping[str, Sequence[object]]) -> Finding:
    detail = f"not in the inventory any more, and {len(held[name])} operations of active mitigations are on it"
    return Finding(device=name, kind=DriftKind.UNREACHABLE, detail=detail)


def _told(seen: Look) -> Iterable[str]:
    roles = [m.mitigation_id for m in seen.mitigations.values() if on_hosts(m)]
    yield f"{len(seen.mitigations) - len(roles)} active mitigations, {len(seen.checked)} devices read"
    if roles:
        yield f"on hosts, and not looked at here: {', '.join(roles)}"
    yield from map(str, seen.findings)
    if not seen.findings:
        yield "no drift"


def _after(done: Repair, remaining: Sequence[Finding], *, check: bool) -> Iterable[str]:
    if done.repaired:
        would = "would be repaired" if check else "repaired"
        yield f"{would}: {', '.join(dict.fromkeys(done.repaired))}"
    if done is not NOTHING:
        yield from (f"still there: {finding}" for finding in remaining)
