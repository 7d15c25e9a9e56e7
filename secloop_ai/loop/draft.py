"""What a strategy asks of each device, set against what already stands there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from secloop_ai.contracts import (
    AclModel,
    AdminOp,
    DeviceModel,
    Environment,
    FilterOp,
    Mitigation,
    Observe,
    Operation,
    PacketRule,
    PlanError,
    PlannedMitigation,
    RoleOp,
    RuleAction,
    Strategy,
    TaggedOp,
)
from secloop_ai.dialects.marks import mark_of
from secloop_ai.dialects.regions import covers

from .compile import compile_action

Tagged = dict[str, tuple[TaggedOp, ...]]


class Draft(NamedTuple):
    """Mitigations to make, and those already active with the same effect."""

    planned: tuple[PlannedMitigation, ...]
    renewed: tuple[Mitigation, ...]

    def operations(self) -> Tagged:
        """Device → every operation that should hold, the renewed ones under the tag they stand under.

        Asking again for what is there costs nothing, and puts back what somebody took away. A host is another matter:
        only what is new runs a role there.
        """
        return by_device([*self.planned, *self.renewed])


def by_device(mitigations: Iterable[PlannedMitigation | Mitigation]) -> Tagged:
    """Device → tagged operations, in order. What is done on hosts is not among them."""
    found: dict[str, list[TaggedOp]] = defaultdict(list)
    for m in mitigations:
        for device, ops in m.operations.items():
            found[device].extend(TaggedOp(tag=m.mitigation_id, op=op) for op in ops if not isinstance(op, RoleOp))
    return {name: tuple(ops) for name, ops in sorted(found.items()) if ops}


def draft(strategy: Strategy, incident_id: str, environment: Environment, active: Sequence[Mitigation]) -> Draft:
    """Compile the strategy; an action whose effect an active mitigation already has becomes a renewal.

    Raises:
        PlanError: an action does not fit this environment.
    """
    standing = {_effect(m.operations): m for m in active}
    taken = {m.mitigation_id for m in active}
    planned: list[PlannedMitigation] = []
    renewed: list[Mitigation] = []
    for action in strategy.actions:
        if isinstance(action, Observe):
            continue
        operations = compile_action(action, environment)
        if there := standing.get(_effect(operations)):
            renewed.append(there)
            continue
        tag = _free_tag(incident_id, taken)
        taken.add(tag)
        planned.append(PlannedMitigation(mitigation_id=tag, action=action, ttl_s=action.ttl_s, operations=operations))
    return Draft(tuple(planned), tuple(renewed))


def _free_tag(incident_id: str, taken: set[str]) -> str:
    for n in range(100):
        if (tag := f"{incident_id}-{n}") not in taken:
            return tag
    raise PlanError(f"incident {incident_id} has no free mitigation number left: roll it back first")


def _effect(operations: dict[str, tuple[Operation, ...]]) -> str:
    """What the operations do, without the names of rules and the state before."""
    plain = {device: [_plain(op) for op in ops] for device, ops in sorted(operations.items())}
    return repr(plain)


def _plain(op: Operation) -> dict[str, Any]:
    return op.model_dump(mode="json", exclude={"prior": True, "rules": {"__all__": {"name"}}})


def bind_prior(ops: Sequence[TaggedOp], model: DeviceModel) -> tuple[TaggedOp, ...]:
    """Operations that know what undo must restore: a port's administrative state as it is configured now."""
    explicit = {i.name: i.enabled for i in model.interfaces if i.explicit}
    return tuple(
        t.model_copy(update={"op": t.op.model_copy(update={"prior": explicit.get(t.op.interface)})})
        if isinstance(t.op, AdminOp)
        else t
        for t in ops
    )


def refuse_opening(device: str, ops: Sequence[TaggedOp], model: DeviceModel) -> None:
    """Our permits stand before the operator's entries: refuse one that would let through what those drop.

    Raises:
        PlanError: names the device, the ACL and the entry.
    """
    for tagged in ops:
        op = tagged.op
        if not isinstance(op, FilterOp):
            continue
        for rule in (r for r in op.rules if r.action is RuleAction.PERMIT):
            if stopped := _stopped_by(rule, model.attached(op.interface, op.direction)):
                acl, entry = stopped
                where = f"{device} {op.interface} {op.direction}"
                raise PlanError(f"{where}: '{rule}' would open what entry {entry.name} of ACL {acl.name} drops")


def _stopped_by(rule: PacketRule, acls: Iterable[AclModel]) -> tuple[AclModel, PacketRule] | None:
    """The first foreign entry that drops some of a rule's packets, unless an earlier one lets all of them pass."""
    for acl in acls:
        for entry in acl.rules:
            if mark_of(entry.name) or not entry.overlaps(rule):
                continue
            if entry.action is not RuleAction.PERMIT:
                return acl, entry
            if covers(entry, rule):
                return None
    return None
