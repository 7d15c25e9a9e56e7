"""The effect is judged by what happens to a packet, not by the presence of a line."""

from __future__ import annotations

from ipaddress import ip_network

from secloop_ai.contracts import (
    AclAttachment,
    AclModel,
    AdminOp,
    DeviceModel,
    Direction,
    DiscardOp,
    InterfaceState,
    PacketRule,
    RestrictService,
    RuleAction,
    StaticDiscard,
    TaggedOp,
)
from secloop_ai.loop.compile import compile_action
from secloop_ai.loop.effect import missing_effects

from .make import network

TAG = "0123456789-0"
BLOCK = PacketRule(name="sl-x", action=RuleAction.DROP, source=ip_network("203.0.113.66/32"))
ANY = PacketRule(name="foreign", action=RuleAction.PERMIT)


def model(*rules: PacketRule, interface: str = "ge0", direction: Direction = Direction.INGRESS) -> DeviceModel:
    return DeviceModel(
        acls=(AclModel(name="edge", family=4, rules=rules),),
        attachments=(AclAttachment(interface=interface, direction=direction, acls=("edge",)),),
    )


def ours(name: str) -> bool:
    return name.startswith("sl-")


def blocked() -> TaggedOp:
    from secloop_ai.contracts import BlockIp

    (op,) = compile_action(BlockIp(ttl_s=300, source=ip_network("203.0.113.66/32")), network())["gw1"]
    return TaggedOp(tag=TAG, op=op)


def test_a_rule_in_front_is_an_effect() -> None:
    assert missing_effects(model(BLOCK, ANY), [blocked()], ours) == ()


def test_a_rule_behind_a_permit_is_none() -> None:
    (problem,) = missing_effects(model(ANY, BLOCK), [blocked()], ours)
    assert problem == "ge0 ingress: a packet for 'drop ip 203.0.113.66/32 -> any' met 'permit ip any -> any' (foreign)"


def test_an_unattached_acl_is_none() -> None:
    (problem,) = missing_effects(model(BLOCK, interface="ge1"), [blocked()], ours)
    assert problem.endswith("met no entry")


def test_a_restricted_service_is_tried_as_client_and_as_stranger() -> None:
    (op,) = compile_action(RestrictService(ttl_s=300, host="app1", service="ssh"), network())["gw1"]
    rules = op.rules  # type: ignore[union-attr] # a restricted service compiles to a filter
    whole = model(*rules, ANY, interface="ge3", direction=Direction.EGRESS)
    assert missing_effects(whole, [TaggedOp(tag=TAG, op=op)], ours) == ()
    without_drop = model(*rules[:-1], ANY, interface="ge3", direction=Direction.EGRESS)
    assert len(missing_effects(without_drop, [TaggedOp(tag=TAG, op=op)], ours)) == 1


def test_a_drop_of_ours_before_a_permit_of_ours_is_no_defect() -> None:
    (op,) = compile_action(RestrictService(ttl_s=300, host="app1", service="ssh"), network())["gw1"]
    drop = PacketRule(name="sl-other", action=RuleAction.DROP, source=ip_network("198.51.100.10/32"))
    rules = op.rules  # type: ignore[union-attr]
    both = model(drop, *rules, interface="ge3", direction=Direction.EGRESS)
    assert missing_effects(both, [TaggedOp(tag=TAG, op=op)], ours) == ()


def test_links_and_routes() -> None:
    ops = [
        TaggedOp(tag=TAG, op=AdminOp(interface="ge2", enabled=False)),
        TaggedOp(tag=TAG, op=DiscardOp(prefix=ip_network("203.0.113.66/32"))),
    ]
    assert len(missing_effects(DeviceModel(), ops, ours)) == 2
    there = DeviceModel(
        interfaces=(InterfaceState(name="ge2", enabled=False, explicit=True),),
        discards=(StaticDiscard(prefix=ip_network("203.0.113.66/32")),),
    )
    assert missing_effects(there, ops, ours) == ()
