"""Draft and device configurations in, a ChangePlan with edits, inverses and diffs out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from secloop_ai.contracts import (
    ChangePlan,
    DevicePlan,
    Dialect,
    Environment,
    HostPlan,
    Mitigation,
    PlanError,
    PlannedMitigation,
    TaggedOp,
    sha256_json,
)
from secloop_ai.dialects import dialect, document_diff, traffic_diff

from .draft import Draft, Tagged, bind_prior, by_device, refuse_opening
from .roles import host_plans


class Running(NamedTuple):
    """A device's running configuration as read, with the hello that came with it."""

    data: str
    capabilities: frozenset[str]


Purpose = Literal["respond", "rollback", "expire"]


def dialect_of(environment: Environment, device: str) -> Dialect:
    """The dialect the inventory gives the device.

    Raises:
        PlanError: the device is not in the inventory any more.
        UnknownDialectError: no such dialect.
    """
    found = environment.device(device)
    if found is None:
        raise PlanError(f"{device}: not in the inventory any more: its mitigations cannot be changed without it")
    return dialect(found.dialect)


def plan_response(
    incident_id: str, made: Draft, environment: Environment, running: Mapping[str, Running], now: datetime
) -> ChangePlan:
    """The change that makes a draft hold. A host runs a role for a new mitigation only, not for a renewed one.

    Raises:
        DialectError: a device cannot take an operation.
        PlanError: a permit of ours would open what an operator's entry drops.
    """
    devices: list[DevicePlan] = []
    bound: dict[tuple[str, str], list[TaggedOp]] = {}
    new = {m.mitigation_id for m in made.planned}
    for name, wanted in made.operations().items():
        spoken = dialect_of(environment, name)
        model = spoken.parse(running[name].data)
        fresh = [t for t in wanted if t.tag in new]
        refuse_opening(name, fresh, model)
        _refuse_unable(name, spoken, fresh, running[name])
        ops = (*bind_prior(fresh, model), *(t for t in wanted if t.tag not in new))
        for tagged in ops:
            bound.setdefault((name, tagged.tag), []).append(tagged)
        devices.append(_apply(name, spoken, running[name].data, ops))
    planned = tuple(_with_bound(m, bound) for m in made.planned)
    renewed = tuple(m.mitigation_id for m in made.renewed)
    return _plan(incident_id, "respond", devices, host_plans(planned), planned, renewed, now)


def plan_removal(
    incident_id: str,
    purpose: Purpose,
    leaving: Sequence[Mitigation],
    environment: Environment,
    running: Mapping[str, Running],
    now: datetime,
    *,
    also: Tagged | None = None,
) -> ChangePlan:
    """The change that takes these mitigations away: what is on the device now, minus ours; on a host the roles' undo.

    `also` are operations on devices that no mitigation stands behind, and that leave, too.

    Raises:
        PlanError: a device or host is not in the inventory any more.
    """
    hosts = host_plans(leaving)
    for name in (h.host for h in hosts if environment.host(h.host) is None):
        raise PlanError(f"{name}: not in the inventory any more: its mitigations cannot be undone without it")
    operations: Tagged = by_device(leaving)
    for name, ops in (also or {}).items():
        operations[name] = (*operations.get(name, ()), *ops)
    devices = [
        _remove(name, dialect_of(environment, name), running[name].data, ops) for name, ops in operations.items()
    ]
    planned = tuple(
        PlannedMitigation(mitigation_id=m.mitigation_id, action=m.action, ttl_s=m.action.ttl_s, operations=m.operations)
        for m in leaving
    )
    return _plan(incident_id, purpose, devices, hosts, planned, (), now)


def _refuse_unable(name: str, spoken: Dialect, ops: Sequence[TaggedOp], running: Running) -> None:
    """Hold the operations against what this device's hello offers."""
    for action, reason in spoken.not_offered(running.capabilities).items():
        if any(_is_for(action, tagged) for tagged in ops):
            raise PlanError(f"{name}: {action} is not offered here: {reason}")


def _is_for(action: str, tagged: TaggedOp) -> bool:
    op = tagged.op
    if op.kind == "filter":
        limits = any(r.rate_bytes_per_s for r in op.rules)
        return limits if action == "rate_limit" else action == "block_ip"
    return {"admin": "shutdown_port", "discard": "blackhole_route"}[op.kind] == action


def _with_bound(planned: PlannedMitigation, bound: Mapping[tuple[str, str], Sequence[TaggedOp]]) -> PlannedMitigation:
    here = {d: tuple(t.op for t in bound.get((d, planned.mitigation_id), ())) for d in planned.operations}
    return planned.model_copy(update={"operations": {d: here[d] or ops for d, ops in planned.operations.items()}})


def _apply(name: str, spoken: Dialect, data: str, ops: Sequence[TaggedOp]) -> DevicePlan:
    rendered = spoken.apply(data, ops)
    inverse = spoken.remove(rendered.after, ops, tidy=False).edit if rendered.edit else None
    return _device(name, spoken, data, ops, rendered.edit, rendered.after, inverse)


def _remove(name: str, spoken: Dialect, data: str, ops: Sequence[TaggedOp]) -> DevicePlan:
    rendered = spoken.remove(data, ops)
    inverse = spoken.apply(rendered.after, ops).edit if rendered.edit else None
    return _device(name, spoken, data, ops, rendered.edit, rendered.after, inverse)


def _device(
    name: str, spoken: Dialect, data: str, ops: Sequence[TaggedOp], edit: str | None, after: str, inverse: str | None
) -> DevicePlan:
    return DevicePlan(
        device=name,
        dialect=spoken.name,
        base_digests=spoken.digests(data, ops),
        edit=edit,
        inverse=inverse,
        operations=tuple(ops),
        traffic=traffic_diff(spoken.parse(data), spoken.parse(after)) if edit else (),
        document=document_diff(spoken.pretty(data), spoken.pretty(after)) if edit else "",
    )


def _plan(
    incident_id: str,
    purpose: Purpose,
    devices: Sequence[DevicePlan],
    hosts: tuple[HostPlan, ...],
    planned: tuple[PlannedMitigation, ...],
    renewed: tuple[str, ...],
    now: datetime,
) -> ChangePlan:
    core: dict[str, Any] = {
        "incident": incident_id,
        "purpose": purpose,
        "devices": [d.model_dump(mode="json") for d in devices],
        "mitigations": [m.model_dump(mode="json") for m in planned],
        "renewed": list(renewed),
    }
    if hosts:  # the id of a plan without any is what it always was
        core["hosts"] = [h.model_dump(mode="json") for h in hosts]
    return ChangePlan(
        plan_id=sha256_json(core)[:16],
        incident_id=incident_id,
        purpose=purpose,
        created_at=now,
        devices=tuple(devices),
        hosts=hosts,
        mitigations=planned,
        renewed=renewed,
    )
