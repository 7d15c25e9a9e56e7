"""Random rules, operations, packets and foreign configurations, for every dialect's tests."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import strategies as st

from secloop_ai.contracts import (
    AclModel,
    AdminOp,
    Direction,
    DiscardOp,
    Family,
    FilterOp,
    IPNetwork,
    Packet,
    PacketRule,
    PortRange,
    RuleAction,
    TaggedOp,
)

INTERFACES = ("ge0", "ge1", "eth0/1:2")
NETWORKS: dict[Family, tuple[str, ...]] = {
    4: ("203.0.113.66/32", "203.0.113.64/28", "10.0.0.0/8", "10.0.2.10/32", "0.0.0.0/0"),
    6: ("2001:db8:66::66/128", "2001:db8:66::/64", "2001:db8::/32", "2001:db8:2::10/128", "::/0"),
}
ADDRESSES: dict[Family, tuple[str, ...]] = {
    4: ("203.0.113.66", "203.0.113.70", "10.0.2.10", "10.9.9.9", "198.51.100.1"),
    6: ("2001:db8:66::66", "2001:db8:66::7", "2001:db8:2::10", "2001:db8:9::9", "2a00::1"),
}
PORTS = (0, 1, 22, 53, 79, 80, 81, 443, 65534, 65535)
OUR_PREFIXES = ("203.0.113.66/32", "2001:db8:66::66/128", "198.51.100.0/24")
RATES = (12_500.0, 0.25, 1_000.5)

families: st.SearchStrategy[Family] = st.sampled_from((4, 6))
directions = st.sampled_from(Direction)
names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True)
port_ranges = st.tuples(st.sampled_from(PORTS), st.sampled_from(PORTS)).map(
    lambda pair: PortRange(low=min(pair), high=max(pair))
)


def networks(family: Family) -> st.SearchStrategy[IPNetwork]:
    """Networks that often meet each other."""
    return st.sampled_from([ip_network(text) for text in NETWORKS[family]])


@st.composite
def rules(draw: st.DrawFn, family: Family) -> PacketRule:
    """One rule of a family."""
    protocol = draw(st.sampled_from((None, 1, 6, 17, 58)))
    action = draw(st.sampled_from(RuleAction))
    ported = protocol in (6, 17)
    return PacketRule(
        name=draw(names),
        action=action,
        protocol=protocol,
        source=draw(st.none() | networks(family)),
        destination=draw(st.none() | networks(family)),
        source_port=draw(st.none() | port_ranges) if ported else None,
        destination_port=draw(st.none() | port_ranges) if ported else None,
        rate_bytes_per_s=draw(st.none() | st.sampled_from(RATES)) if action is RuleAction.PERMIT else None,
    )


@st.composite
def acl_models(draw: st.DrawFn) -> AclModel:
    """An ACL that RFC 8519 can express."""
    family = draw(st.none() | families)
    made: list[PacketRule] = []
    for index in range(draw(st.integers(0, 5))):
        rule = draw(rules(draw(families) if family is None else family))
        loose = family is None and not (rule.source or rule.destination)
        if loose and not (rule.source_port or rule.destination_port):
            rule = rule.model_copy(update={"protocol": None})
        made.append(rule.model_copy(update={"name": f"{rule.name}-{index}"}))
    return AclModel(name=draw(names), family=family, rules=tuple(made))


@st.composite
def filter_ops(draw: st.DrawFn) -> FilterOp:
    """A filter operation somewhere."""
    family = draw(families)
    return FilterOp(
        interface=draw(st.sampled_from(INTERFACES)),
        direction=draw(directions),
        family=family,
        rank=draw(st.integers(0, 2)),
        rules=tuple(draw(st.lists(rules(family), min_size=1, max_size=3))),
    )


@st.composite
def mitigations(draw: st.DrawFn, *, at_most: int = 4) -> list[list[TaggedOp]]:
    """Operations of several mitigations; a port is shut by one of them at most."""
    found, ports = [], list(INTERFACES)
    for index in range(draw(st.integers(1, at_most))):
        tag = f"{draw(st.sampled_from(('3fa2b1c4d5', 'a0a0a0a0a0', '0123456789')))}-{index}"
        ops: list[TaggedOp] = [TaggedOp(tag=tag, op=op) for op in draw(st.lists(filter_ops(), max_size=3))]
        if draw(st.booleans()):
            ops.append(TaggedOp(tag=tag, op=DiscardOp.model_validate({"prefix": draw(st.sampled_from(OUR_PREFIXES))})))
        if (draw(st.booleans()) or not ops) and ports:
            ops.append(TaggedOp(tag=tag, op=AdminOp(interface=ports.pop())))
        if ops:
            found.append(ops)
    return found


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    """A packet that rules often match."""
    family = draw(families)
    protocol = draw(st.sampled_from((1, 6, 17, 58, 47)))
    source, destination = (draw(st.sampled_from(ADDRESSES[family])) for _ in range(2))
    ported = protocol in (6, 17)
    return Packet(
        source=ip_address(source),
        destination=ip_address(destination),
        protocol=protocol,
        source_port=draw(st.sampled_from(PORTS)) if ported else None,
        destination_port=draw(st.sampled_from(PORTS)) if ported else None,
    )
