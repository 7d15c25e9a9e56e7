"""Packet rules written as RFC 8519 access control entries."""

from __future__ import annotations

from secloop_ai.contracts import AclModel, Family, PacketRule, PortRange
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.xml import Element, add, identity, text_of, top

from . import names as n

Tree = dict[str, "Tree | str"]


def acl_to_xml(model: AclModel) -> str:
    """The ``<acl>`` entry of a whole model.

    Raises:
        DialectError: RFC 8519 has no form for one of its rules.
    """
    root = add(top(n.ACLS), n.ACL_ENTRY)
    write_acl(root, model.name, model.family)
    aces = add(root, n.ACES)
    for rule in model.rules:
        write_entry(aces, rule.name, rule, model.family)
    return text_of(root)


def write_acl(entry: Element, name: str, family: Family | None) -> None:
    """Give an empty ``<acl>`` its name and type."""
    add(entry, n.ACL_NAME, name)
    add(entry, n.ACL_TYPE, identity(entry, n.TYPE_OF[family], n.ACL))


def write_entry(parent: Element, name: str, rule: PacketRule, family: Family | None) -> Element:
    """Append an ``ace`` for the rule; `family` pins it to IPv4 or IPv6, None leaves that to its ACL's type.

    Raises:
        DialectError: RFC 8519 has no form for it.
    """
    ace = add(parent, n.ACE)
    add(ace, n.ACL_NAME, name)
    matches = _matches(rule, family)
    if matches:
        _write(add(ace, n.MATCHES), matches)
    actions = add(ace, n.ACTIONS)
    forward = next(k for k, v in n.FORWARDS.items() if v is rule.action)
    add(actions, n.FORWARDING, identity(actions, forward, n.ACL))
    if rule.rate_bytes_per_s is not None:
        add(actions, n.RATE_LIMIT, _decimal(rule))
    return ace


def _write(parent: Element, tree: Tree) -> None:
    for tag, value in tree.items():
        if isinstance(value, str):
            add(parent, tag, value)
        else:
            _write(add(parent, tag), value)


def _matches(rule: PacketRule, pin: Family | None) -> Tree:
    family = pin or _family(rule)
    if family != (_family(rule) or family):
        raise DialectError(f"rule {rule.name}: an IPv{_family(rule)} address in an entry for IPv{family}")
    ports = _l4(rule)
    tree: Tree = {}
    if family:
        l3: Tree = {n.PROTOCOL: str(rule.protocol)} if rule.protocol is not None else {}
        if rule.destination:
            l3[n.DESTINATION[family]] = str(rule.destination)
        if rule.source:
            l3[n.SOURCE[family]] = str(rule.source)
        if l3:
            tree[n.L3[family]] = l3
    elif rule.protocol is not None and not ports:
        raise DialectError(f"rule {rule.name}: RFC 8519 has no entry for protocol {rule.protocol} of both families")
    return tree | ports


def _l4(rule: PacketRule) -> Tree:
    ports = {n.SOURCE_PORT: rule.source_port, n.DESTINATION_PORT: rule.destination_port}
    inner: Tree = {tag: _port(value) for tag, value in ports.items() if value}
    return {n.L4[rule.protocol]: inner} if inner and rule.protocol is not None else {}


def _port(ports: PortRange) -> Tree:
    if ports.low == ports.high:
        return {n.OPERATOR: "eq", n.PORT: str(ports.low)}
    return {n.LOWER: str(ports.low), n.UPPER: str(ports.high)}


def _family(rule: PacketRule) -> Family | None:
    network = rule.source or rule.destination
    return None if network is None else network.version


def _decimal(rule: PacketRule) -> str:
    """decimal64 with two fraction digits, in the canonical form of RFC 7950 section 9.3.2."""
    rate = rule.rate_bytes_per_s or 0.0
    if round(rate, 2) != rate or rate <= 0:
        raise DialectError(f"rule {rule.name}: a rate of {rate!r} bytes per second needs more than two fraction digits")
    return f"{rate:.2f}".removesuffix("0")
