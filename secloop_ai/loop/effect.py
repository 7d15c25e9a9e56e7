"""Does the device do what the operation says? Answered from its running configuration, by packets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address

from secloop_ai.contracts import (
    WITH_PORTS,
    AdminOp,
    DeviceModel,
    DeviceOperation,
    DiscardOp,
    FilterOp,
    IPAddress,
    IPNetwork,
    Packet,
    PacketRule,
    RuleAction,
    TaggedOp,
)

Ours = Callable[[str], bool]

STRANGERS = {
    4: tuple(ip_address(a) for a in ("198.18.7.7", "192.0.2.253", "203.0.113.253", "198.51.100.253")),
    6: tuple(ip_address(a) for a in ("2001:db8:ffff::7", "2001:db8:eeee::7", "2001:db8:dddd::7")),
}
"""Addresses that stand for "anybody else" (RFC 5737, RFC 2544, RFC 3849)."""


def missing_effects(model: DeviceModel, operations: Iterable[TaggedOp], ours: Ours) -> tuple[str, ...]:
    """One sentence for each operation that the device's running configuration does not put into effect.

    Args:
        model: parsed from the running configuration.
        operations: what should hold.
        ours: whether an entry of that name is ours; a drop of ours in front of a permit of ours is no defect.
    """
    return tuple(problem for tagged in operations for problem in _missing(model, tagged.op, ours))


def _missing(model: DeviceModel, op: DeviceOperation, ours: Ours) -> list[str]:
    if isinstance(op, AdminOp):
        want = "up" if op.enabled else "down"
        return [] if model.is_up(op.interface) == op.enabled else [f"port {op.interface} is not {want}"]
    if isinstance(op, DiscardOp):
        found = any(d.prefix == op.prefix for d in model.discards)
        return [] if found else [f"no discard route for {op.prefix}"]
    return [problem for rule in op.rules if (problem := _rule_missing(model, op, rule, ours))]


def _rule_missing(model: DeviceModel, op: FilterOp, rule: PacketRule, ours: Ours) -> str | None:
    packet = sample(rule, op)
    result = model.filter(packet, op.interface, op.direction)
    by = result.rule
    if by is not None and (by.same_effect(rule) or (ours(by.name) and result.action is RuleAction.DROP)):
        return None
    seen = f"met '{by}' ({by.name})" if by else "met no entry"
    return f"{op.interface} {op.direction}: a packet for '{rule}' {seen}"


def sample(rule: PacketRule, op: FilterOp) -> Packet:
    """A packet that this rule, and no earlier one of the operation, is for."""
    family = op.family
    earlier = op.rules[: op.rules.index(rule)]
    for stranger in STRANGERS[family]:
        packet = Packet(
            source=_pick(rule.source, stranger),
            destination=_pick(rule.destination, stranger),
            protocol=rule.protocol if rule.protocol is not None else 6,
            source_port=rule.source_port.low if rule.source_port else 50000,
            destination_port=rule.destination_port.low if rule.destination_port else 50001,
        )
        if not any(r.matches(packet) for r in earlier):
            break
    return packet if packet.protocol in WITH_PORTS else packet.model_copy(update={"source_port": None})


def _pick(network: IPNetwork | None, fallback: IPAddress) -> IPAddress:
    if network is None:
        return fallback
    return network[0] if network.num_addresses <= 2 else network[1]  # noqa: PLR2004 - /31, /32 have no network address
