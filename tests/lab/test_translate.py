from __future__ import annotations

from ipaddress import ip_network

import pytest

from labs.lab.translate import Unenforceable, translate
from secloop_ai.contracts.acl import TCP, UDP, AclModel, PacketRule, PortRange, RuleAction
from secloop_ai.contracts.device import AclAttachment, DeviceModel, Direction, InterfaceState, StaticDiscard

DROP, PERMIT, REJECT = RuleAction.DROP, RuleAction.PERMIT, RuleAction.REJECT
BLOCK = AclModel(
    name="block",
    family=4,
    rules=(
        PacketRule(name="attacker", action=DROP, source=ip_network("203.0.113.66/32")),
        PacketRule(
            name="ssh",
            action=REJECT,
            protocol=TCP,
            destination=ip_network("192.0.2.0/24"),
            destination_port=PortRange.one(22),
        ),
    ),
)
EDGE = AclModel(
    name="edge-in",
    family=None,
    rules=(
        PacketRule(name="spoof6", action=DROP, source=ip_network("2001:db8:10::/64")),
        PacketRule(
            name="dns",
            action=PERMIT,
            protocol=UDP,
            source_port=PortRange(low=1024, high=65535),
            destination_port=PortRange.one(53),
            rate_bytes_per_s=12500.5,
        ),
        PacketRule(name="rest", action=PERMIT),
    ),
)
SSH = (
    "    meta nfproto ipv4 ip daddr 192.0.2.0/24 meta l4proto 6 th dport 22 "
    'reject with icmpx admin-prohibited comment "block ssh"'
)
GOLDEN = """\
table inet secloop
delete table inet secloop
table inet secloop {
  chain in_0 {
    comment "ge0 ingress"
    meta nfproto ipv4 ip saddr 203.0.113.66/32 drop comment "block attacker"
@SSH@
    meta nfproto ipv6 ip6 saddr 2001:db8:10::/64 drop comment "edge-in spoof6"
    meta l4proto 17 th sport 1024-65535 th dport 53 limit rate over 12500 bytes/second drop comment "edge-in dns"
    meta l4proto 17 th sport 1024-65535 th dport 53 return comment "edge-in dns"
    return comment "edge-in rest"
  }
  chain out_1 {
    comment "ge3 egress"
    meta nfproto ipv4 ip saddr 203.0.113.66/32 drop comment "block attacker"
@SSH@
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname vmap { "ge0" : jump in_0 }
    oifname vmap { "ge3" : jump out_1 }
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname vmap { "ge0" : jump in_0 }
  }
}
"""


def attached(interface: str, direction: Direction, *names: str) -> AclAttachment:
    return AclAttachment(interface=interface, direction=direction, acls=names)


def test_golden_script() -> None:
    model = DeviceModel(
        acls=(EDGE, BLOCK),
        attachments=(
            attached("ge0", Direction.INGRESS, "block", "edge-in"),
            attached("ge3", Direction.EGRESS, "block"),
        ),
    )
    assert translate(model).nft == GOLDEN.replace("@SSH@", SSH)


def test_an_acl_that_nothing_uses_is_not_in_force() -> None:
    assert "203.0.113.66" not in translate(DeviceModel(acls=(BLOCK,))).nft


def test_links_and_routes() -> None:
    model = DeviceModel(
        interfaces=(InterfaceState(name="ge1", enabled=False, explicit=True),),
        discards=(
            StaticDiscard(prefix=ip_network("2001:db8:66::/64"), tag="b"),
            StaticDiscard(prefix=ip_network("203.0.113.66/32"), tag="a"),
        ),
    )
    found = translate(model, ports=("ge0", "ge1"))
    assert found.links == (("ge0", True), ("ge1", False))
    assert found.blackholes == (ip_network("203.0.113.66/32"), ip_network("2001:db8:66::/64"))


def test_a_rule_of_the_other_family_is_no_rule() -> None:
    six = PacketRule(name="six", action=DROP, source=ip_network("2001:db8::/32"))
    model = DeviceModel(
        acls=(AclModel(name="four", family=4, rules=(six,)),),
        attachments=(attached("ge0", Direction.INGRESS, "four"),),
    )
    assert "2001:db8" not in translate(model).nft


def test_any_source_of_one_family_matches_that_family_only() -> None:
    rule = PacketRule(name="all4", action=DROP, source=ip_network("0.0.0.0/0"))
    model = DeviceModel(
        acls=(AclModel(name="mixed", family=None, rules=(rule,)),),
        attachments=(attached("ge0", Direction.INGRESS, "mixed"),),
    )
    assert 'meta nfproto ipv4 drop comment "mixed all4"' in translate(model).nft


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            DeviceModel(acls=(BLOCK,), attachments=(attached("mgmt0", Direction.INGRESS, "block"),)),
            "management port is never filtered",
        ),
        (
            DeviceModel(acls=(BLOCK,), attachments=(attached('ge0" drop', Direction.INGRESS, "block"),)),
            "no name of a port",
        ),
        (DeviceModel(notes=("acl x: entry y: condition flags is not looked at",)), "condition flags"),
    ],
)
def test_what_cannot_be_enforced_is_refused(model: DeviceModel, said: str) -> None:
    with pytest.raises(Unenforceable, match=said):
        translate(model)


def test_names_cannot_leave_their_comment() -> None:
    rule = PacketRule(name='x" drop; comment "\n}', action=PERMIT)
    model = DeviceModel(
        acls=(AclModel(name="täst", family=None, rules=(rule,)),),
        attachments=(attached("ge0", Direction.INGRESS, "täst"),),
    )
    line = next(line for line in translate(model).nft.splitlines() if "return" in line)
    assert line == '    return comment "t_st x_ drop_ comment ___"'
