"""openconfig-acl entries as packet rules, and packet rules as entries."""

from __future__ import annotations

from ipaddress import ip_network

from secloop_ai.contracts import Family, PacketRule, PortRange, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.numbered import Found
from secloop_ai.dialects.xml import Element, add, identity, identity_name, leaf, local

from . import names as n

_PORTS = {n.SOURCE_PORT: "source_ports", n.DESTINATION_PORT: "destination_ports"}
_NETWORKS = {n.SOURCE: "sources", n.DESTINATION: "destinations"}
_SILENT = (n.NUMBER, n.CONFIG, n.ACTIONS)


def read_entry(entry: Element, family: Family | None) -> Found:
    """What an entry of an ACL of that family says."""
    found = Found()
    for part in entry:
        if part.tag == n.TRANSPORT or (family and part.tag == n.L3[family]):
            _read_part(part, family, found)
        elif part.tag not in _SILENT and any(True for _ in part.iterdescendants()):
            found.unread.append(local(part))
    _read_actions(entry, found)
    return found


def write_entry(parent: Element, number: int, label: str, rule: PacketRule, family: Family | None) -> None:
    """Append an entry for the rule.

    Raises:
        DialectError: the model has no form for it.
    """
    if rule.rate_bytes_per_s is not None:
        raise DialectError(f"rule {rule.name}: an openconfig-acl entry cannot limit a rate")
    if rule.protocol is not None and rule.protocol > n.TOP_PROTOCOL:
        raise DialectError(f"rule {rule.name}: openconfig-acl has no protocol {rule.protocol}")
    entry = add(parent, n.ENTRY)
    add(entry, n.NUMBER, str(number))
    config = add(entry, n.CONFIG)
    add(config, n.NUMBER, str(number))
    add(config, n.TEXT, label)
    _write_l3(entry, rule, family)
    ports = {n.SOURCE_PORT: rule.source_port, n.DESTINATION_PORT: rule.destination_port}
    if any(ports.values()):
        transport = add(add(entry, n.TRANSPORT), n.CONFIG)
        for tag, value in ports.items():
            if value:
                add(transport, tag, str(value) if value.low == value.high else f"{value.low}..{value.high}")
    actions = add(add(entry, n.ACTIONS), n.CONFIG)
    word = next(word for word, action in n.FORWARDS.items() if action is rule.action)
    add(actions, n.FORWARDING, identity(actions, word, n.ACL))


def _write_l3(entry: Element, rule: PacketRule, family: Family | None) -> None:
    networks = {n.SOURCE: rule.source, n.DESTINATION: rule.destination}
    if any(net.version != family for net in networks.values() if net):
        raise DialectError(f"rule {rule.name}: an address of another family in an entry for IPv{family}")
    if family and (any(networks.values()) or rule.protocol is not None):
        config = add(add(entry, n.L3[family]), n.CONFIG)
        for tag, network in networks.items():
            if network:
                add(config, tag, str(network))
        if rule.protocol is not None:
            add(config, n.PROTOCOL, str(rule.protocol))


def _read_part(part: Element, family: Family | None, found: Found) -> None:
    """The conditions of a header; what is beside its config container is not understood."""
    for child in part:
        if child.tag != n.CONFIG:
            if any(True for _ in child.iterdescendants()):
                found.unread.append(f"{local(part)} {local(child)}")
            continue
        for item in child:
            try:
                _read_condition(item, family, found)
            except ValueError:
                found.unread.append(f"{local(part)} {local(item)}")


def _read_condition(item: Element, family: Family | None, found: Found) -> None:
    """One condition.

    Raises:
        ValueError: it is not understood.
    """
    tag, text = str(item.tag), (item.text or "").strip()
    if tag in _NETWORKS:
        network = ip_network(text, strict=False)
        if network.version != family:
            raise ValueError(text)
        setattr(found, _NETWORKS[tag], (network,))
    elif tag == n.PROTOCOL:
        found.protocol = _protocol(item, text)
    elif tag in _PORTS:
        if text != n.ANY_PORT:
            setattr(found, _PORTS[tag], (_ports(text),))
    else:
        raise ValueError(tag)


def _protocol(item: Element, text: str) -> int:
    if text.isdecimal():
        return int(text)
    name = identity_name(item, n.MATCH_TYPES)
    if name not in n.PROTOCOLS:
        raise ValueError(text)
    return n.PROTOCOLS[name]


def _ports(text: str) -> PortRange:
    low, dots, high = text.partition(n.PORTS_BETWEEN)
    return PortRange(low=int(low), high=int(high if dots else low))


def _read_actions(entry: Element, found: Found) -> None:
    config = entry.find(f"{n.ACTIONS}/{n.CONFIG}")
    forwarding = config.find(n.FORWARDING) if config is not None else None
    word = identity_name(forwarding, n.ACL) if forwarding is not None else None
    if word in n.FORWARDS:
        found.action = n.FORWARDS[word]
    else:
        found.action = RuleAction.DROP
        found.notes.append(f"forwarding action {word or 'unknown'} is taken as drop")
    for part in config if config is not None else ():
        if part.tag not in (n.FORWARDING, n.LOGGING):
            found.notes.append(f"action {local(part)} is not looked at")
    if leaf(entry, n.NUMBER) is None:
        found.notes.append("it has no sequence id")
