"""A permit of ours must not let through what the operator's entries drop."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from secloop_ai.contracts import (
    AclAttachment,
    AclModel,
    DeviceModel,
    Direction,
    FilterOp,
    PacketRule,
    PlanError,
    PortRange,
    RuleAction,
    TaggedOp,
)
from secloop_ai.loop.draft import refuse_opening

SERVER = ip_network("192.0.2.10/32")
WEB = PortRange(low=443, high=443)
LIMIT = PacketRule(
    name="limit",
    action=RuleAction.PERMIT,
    protocol=6,
    destination=SERVER,
    destination_port=WEB,
    rate_bytes_per_s=12_500,
)
DENY = PacketRule(name="implicit-deny", action=RuleAction.DROP)
ACCEPT = PacketRule(name="web", action=RuleAction.PERMIT, protocol=6, destination=SERVER)
PART = ACCEPT.model_copy(update={"source": ip_network("198.51.100.0/24")})
OP = TaggedOp(tag="0123456789-1", op=FilterOp(interface="ge1", direction=Direction.EGRESS, family=4, rules=(LIMIT,)))


def device(*rules: PacketRule) -> DeviceModel:
    at = AclAttachment(interface="ge1", direction=Direction.EGRESS, acls=("EDGE",))
    return DeviceModel(acls=(AclModel(name="EDGE", family=4, rules=rules),), attachments=(at,))


def test_what_the_operator_lets_pass_may_be_limited_in_front_of_a_final_deny() -> None:
    refuse_opening("gw1", (OP,), device(ACCEPT, DENY))


@pytest.mark.parametrize("rules", [(DENY,), (PART, DENY), (DENY, ACCEPT)])
def test_what_the_operator_drops_even_in_part_is_not_opened(rules: tuple[PacketRule, ...]) -> None:
    with pytest.raises(PlanError, match=r"gw1 ge1 egress: .* would open what entry implicit-deny of ACL EDGE drops"):
        refuse_opening("gw1", (OP,), device(*rules))
