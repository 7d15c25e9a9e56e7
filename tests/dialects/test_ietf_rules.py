from __future__ import annotations

import pytest
from hypothesis import given, settings
from lxml import etree

from secloop_ai.contracts import AclModel, Packet, PacketRule, PortRange, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects import dialect
from secloop_ai.dialects.ietf import acl_to_xml
from secloop_ai.dialects.ietf import names as n

from .strategies import acl_models

IETF = dialect("ietf")
ROOT = "urn:ietf:params:xml:ns:netconf:base:1.0"


def wrapped(acl: str) -> str:
    return f'<data xmlns="{ROOT}"><acls xmlns="{n.ACL}">{acl}</acls></data>'


def read(matches: str, action: str = "drop", kind: str = "ipv4-acl-type") -> tuple[AclModel, tuple[str, ...]]:
    ace = f"<ace><name>r</name><matches>{matches}</matches><actions><forwarding>{action}</forwarding></actions></ace>"
    model = IETF.parse(wrapped(f"<acl><name>A</name><type>{kind}</type><aces>{ace}</aces></acl>"))
    return model.acls[0], model.notes


@settings(deadline=None)
@given(acl_models())
def test_a_model_survives_being_written_and_read(model: AclModel) -> None:
    text = acl_to_xml(model)
    parsed = IETF.parse(wrapped(text))
    assert parsed.acls == (model,)
    assert parsed.notes == ()
    assert etree.QName(etree.fromstring(text)).namespace == n.ACL


@pytest.mark.parametrize(
    ("condition", "ranges"),
    [
        ("<operator>eq</operator><port>22</port>", [(22, 22)]),
        ("<port>22</port>", [(22, 22)]),
        ("<operator>lte</operator><port>22</port>", [(0, 22)]),
        ("<operator>gte</operator><port>22</port>", [(22, 65535)]),
        ("<operator>neq</operator><port>22</port>", [(0, 21), (23, 65535)]),
        ("<operator>neq</operator><port>0</port>", [(1, 65535)]),
        ("<lower-port>5</lower-port><upper-port>9</upper-port>", [(5, 9)]),
    ],
)
def test_every_port_condition_is_read(condition: str, ranges: list[tuple[int, int]]) -> None:
    acl, notes = read(f"<tcp><destination-port>{condition}</destination-port></tcp>")
    assert [(r.destination_port.low, r.destination_port.high) for r in acl.rules if r.destination_port] == ranges
    assert all(r.protocol == 6 for r in acl.rules)
    assert notes == ()


@pytest.mark.parametrize(
    "matches",
    [
        "<eth><ethertype>0x0806</ethertype></eth>",
        "<ipv4><dscp>46</dscp></ipv4>",
        "<ipv4><protocol>tcp</protocol></ipv4>",
        "<ipv6><protocol>6</protocol></ipv6>",
        "<ipv4><protocol>17</protocol></ipv4><tcp><source-port><port>1</port></source-port></tcp>",
        "<tcp><flags>syn</flags></tcp>",
        "<tcp><source-port><operator>near</operator><port>1</port></source-port></tcp>",
        "<tcp><source-port><port>70000</port></source-port></tcp>",
        "<icmp><type>8</type></icmp>",
        '<shape xmlns="urn:example:shapes">round</shape>',
    ],
)
def test_a_condition_beyond_a_rule_is_noted_and_read_so_that_nothing_seems_to_pass(matches: str) -> None:
    dropping, notes = read(matches)
    assert [r.action for r in dropping.rules] == [RuleAction.DROP]
    assert "acl A: entry r: condition" in notes[0]
    accepting, notes = read(matches, "accept")
    assert accepting.rules == ()
    assert "accept left out" in notes[0]


def test_actions_beyond_a_rule_are_noted() -> None:
    acl, notes = read("", "log-and-pray")
    assert acl.rules[0].action is RuleAction.DROP
    assert "log-and-pray" in notes[0]
    ace = "<ace><name>r</name></ace>"
    bare = IETF.parse(wrapped(f"<acl><name>A</name><aces>{ace}</aces></acl>"))
    assert bare.acls[0].rules[0].action is RuleAction.DROP
    assert "unknown" in bare.notes[0]


def test_a_rate_limit_on_a_drop_is_noted_and_drops_everything() -> None:
    limit = f'<actions><forwarding>drop</forwarding><rate-limit xmlns="{n.RATE}">5.0</rate-limit></actions>'
    acl = f"<acl><name>A</name><type>ipv4-acl-type</type><aces><ace><name>r</name>{limit}</ace></aces></acl>"
    model = IETF.parse(wrapped(acl))
    assert model.acls[0].rules == (PacketRule(name="r", action=RuleAction.DROP),)
    assert "goes with permit only" in model.notes[0]


def test_an_entry_of_a_mixed_acl_looks_at_its_own_family_only() -> None:
    acl, notes = read("<ipv6><protocol>6</protocol></ipv6>", kind="mixed-eth-ipv4-ipv6-acl-type")
    assert notes == ()
    assert acl.family is None
    old = Packet.model_validate({"source": "10.0.0.1", "destination": "10.0.0.2", "protocol": 6})
    new = Packet.model_validate({"source": "2001:db8::1", "destination": "2001:db8::2", "protocol": 6})
    assert acl.decide(old) is None
    assert acl.decide(new) is not None


def test_what_rfc_8519_cannot_say_is_refused() -> None:
    both = AclModel(name="A", family=None, rules=(PacketRule(name="r", action=RuleAction.DROP, protocol=47),))
    with pytest.raises(DialectError, match=r"rule r.*47"):
        acl_to_xml(both)
    fine = PacketRule(name="r", action=RuleAction.PERMIT, rate_bytes_per_s=0.001)
    with pytest.raises(DialectError, match=r"0\.001"):
        acl_to_xml(AclModel(name="A", family=4, rules=(fine,)))
    other = PacketRule.model_validate({"name": "r", "action": "drop", "source": "2001:db8::/32"})
    with pytest.raises(DialectError, match="IPv6 address in an entry for IPv4"):
        acl_to_xml(AclModel(name="A", family=4, rules=(other,)))


def test_a_rate_is_written_in_the_canonical_form_of_a_decimal64() -> None:
    rule = PacketRule(name="r", action=RuleAction.PERMIT, rate_bytes_per_s=12500, protocol=6)
    text = acl_to_xml(AclModel(name="A", family=4, rules=(rule.model_copy(update={"source_port": PortRange.one(1)}),)))
    assert f'<rate-limit xmlns="{n.RATE}">12500.0</rate-limit>' in text
