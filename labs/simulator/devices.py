"""What gateways hold once operations are applied, as a dialect would leave it; without XML.

A gateway of a case has no entries of an operator's. Our entries stand in one ACL of each side of a port and family, in
order of rank and tag (as the marks of secloop_ai/dialects sort), behind them everything passes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from secloop_ai.contracts import (
    AclAttachment,
    AclModel,
    AdminOp,
    DeviceModel,
    DiscardOp,
    Family,
    FilterOp,
    InterfaceState,
    PacketRule,
    StaticDiscard,
    TaggedOp,
)
from secloop_ai.dialects.marks import Mark, own_acl

from .journeys import Side


def device_model(device: str, ops: Iterable[TaggedOp]) -> DeviceModel:
    """The model of one gateway under these operations."""
    rules: dict[tuple[Side, Family], list[tuple[Mark, PacketRule]]] = defaultdict(list)
    states: dict[str, InterfaceState] = {}
    discards: list[StaticDiscard] = []
    for number, tagged in enumerate(ops):
        op = tagged.op
        if isinstance(op, AdminOp):
            states[op.interface] = InterfaceState(name=op.interface, enabled=op.enabled, explicit=True)
        elif isinstance(op, DiscardOp):
            discards.append(StaticDiscard(prefix=op.prefix, tag=tagged.tag))
        else:
            place = (device, op.interface, op.direction)
            rules[place, op.family] += _marked(tagged.tag, op, number)
    acls = {key: _acl(*key, found) for key, found in rules.items()}
    sides = dict.fromkeys(side for side, _ in acls)
    return DeviceModel(
        acls=tuple(acls.values()),
        attachments=tuple(
            AclAttachment(interface=s[1], direction=s[2], acls=tuple(a.name for k, a in acls.items() if k[0] == s))
            for s in sides
        ),
        interfaces=tuple(states.values()),
        discards=tuple(discards),
    )


def _marked(tag: str, op: FilterOp, number: int) -> list[tuple[Mark, PacketRule]]:
    start = number * 100
    return [(Mark(op.rank, tag, start + n), rule) for n, rule in enumerate(op.rules)]


def _acl(side: Side, family: Family, rules: list[tuple[Mark, PacketRule]]) -> AclModel:
    _, interface, direction = side
    ordered = sorted(rules, key=lambda pair: pair[0])
    return AclModel(
        name=own_acl(interface, direction, family),
        family=family,
        rules=tuple(rule.model_copy(update={"name": str(mark)}) for mark, rule in ordered),
    )
