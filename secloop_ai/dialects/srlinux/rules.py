"""Packet rules written as entries of an ``acl-filter``, and entries read as packet rules."""

from __future__ import annotations

from ipaddress import ip_network

from secloop_ai.contracts import Family, PacketRule, PortRange, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.numbered import Found
from secloop_ai.dialects.numbered.found import port_ranges
from secloop_ai.dialects.xml import Element, add, ensure, leaf, local

from . import names as n

_NUMBER_NAMES = {number: name for name, number in n.PROTOCOL_NAMES.items()}


def write_match(entry: Element, rule: PacketRule, family: Family) -> None:
    """Append the conditions of a rule.

    Raises:
        DialectError: an address of the other family.
    """
    network = rule.source or rule.destination
    if network is not None and network.version != family:
        raise DialectError(f"rule {rule.name}: an IPv{network.version} address in a filter for IPv{family}")
    match, l3 = f"{n.MATCH}", n.L3[family]
    if rule.destination:
        add(add(_inside(entry, match, l3), n.DESTINATION), n.PREFIX, str(rule.destination))
    if rule.protocol is not None:
        protocol = _NUMBER_NAMES.get(rule.protocol, str(rule.protocol))
        add(_inside(entry, match, l3), n.PROTOCOL[family], protocol)
    if rule.source:
        add(add(_inside(entry, match, l3), n.SOURCE), n.PREFIX, str(rule.source))
    for tag, ports in ((n.DESTINATION_PORT, rule.destination_port), (n.SOURCE_PORT, rule.source_port)):
        if ports:
            _write_ports(add(_inside(entry, match, n.TRANSPORT), tag), ports)


def write_action(entry: Element, rule: PacketRule, policer: str | None) -> None:
    """Append what happens to a packet that matches.

    Raises:
        DialectError: a reject; the model has none.
    """
    if rule.action not in n.ACTIONS:
        raise DialectError(f"rule {rule.name}: SR Linux has no action that rejects; let the rule drop")
    action = add(add(entry, n.ACTION), n.ACTIONS[rule.action])
    if policer is not None:
        add(add(action, n.RATE_LIMIT), n.POLICER, policer)


def kbps(rule: PacketRule) -> int:
    """A rule's rate in the unit of a policer, 1000 bits a second.

    Raises:
        DialectError: it is no whole number of them.
    """
    rate = (rule.rate_bytes_per_s or 0.0) / n.BYTES_PER_KBPS
    if rate < 1 or rate != int(rate):
        raise DialectError(
            f"rule {rule.name}: a policer's rate is whole kbit/s, a multiple of {n.BYTES_PER_KBPS} bytes per second: "
            f"{rule.rate_bytes_per_s:g} is none"
        )
    return int(rate)


def read_match(entry: Element, family: Family, found: Found) -> None:
    """What an entry looks at."""
    for part in entry.iterfind(f"{n.MATCH}/*"):
        if part.tag == n.L3[family]:
            for item in part:
                if not _read_l3(item, family, found):
                    found.unread.append(local(item))
        elif part.tag == n.TRANSPORT:
            for item in part:
                if not _read_ports(item, found):
                    found.unread.append(local(item))
        elif len(part) or part.text:
            found.unread.append(local(part))


def read_action(entry: Element, found: Found) -> str | None:
    """What an entry does; the name of its policer, if it has one."""
    action = entry.find(n.ACTION)
    parts = {str(p.tag): p for p in (action if action is not None else ())}
    if n.ACCEPT in parts:
        found.action = RuleAction.PERMIT
    elif n.DROP not in parts:
        found.notes.append("an action that is neither accept nor drop is taken as drop")
    limit = None
    for part in parts.get(n.ACCEPT, ()):
        limit = leaf(part, n.POLICER) if part.tag == n.RATE_LIMIT else None
        if limit is None:
            found.notes.append(f"action {local(part)} is not looked at")
    return limit


def _inside(entry: Element, *path: str) -> Element:
    for tag in path:
        entry = ensure(entry, tag)
    return entry


def _write_ports(parent: Element, ports: PortRange) -> None:
    if ports.low == ports.high:
        add(parent, n.OPERATOR, "eq")
        add(parent, n.VALUE, str(ports.low))
    else:
        between = add(parent, n.RANGE)
        add(between, n.START, str(ports.low))
        add(between, n.END, str(ports.high))


def _read_l3(item: Element, family: Family, found: Found) -> bool:
    if item.tag == n.PROTOCOL[family]:
        text = (item.text or "").strip()
        number = n.PROTOCOL_NAMES.get(text, int(text) if text.isdecimal() else None)
        found.protocol = number
        return number is not None
    if item.tag not in (n.SOURCE, n.DESTINATION) or [e.tag for e in item] != [n.PREFIX]:
        return len(item) == 0 and not item.text
    try:
        networks = (ip_network(leaf(item, n.PREFIX) or "", strict=False),)
    except ValueError:
        return False
    if item.tag == n.SOURCE:
        found.sources = networks
    else:
        found.destinations = networks
    return True


def _read_ports(item: Element, found: Found) -> bool:
    """A port condition; a port that is named and not numbered is not understood."""
    if item.tag not in (n.SOURCE_PORT, n.DESTINATION_PORT):
        return False
    start, end, value = (leaf(item, p) for p in (f"{n.RANGE}/{n.START}", f"{n.RANGE}/{n.END}", n.VALUE))
    try:
        if value is not None:
            ranges = port_ranges(leaf(item, n.OPERATOR) or "eq", int(value))
        else:
            ranges = port_ranges("range", int(start or ""), int(end or ""))
    except ValueError:
        return False
    found.never = found.never or not ranges
    if item.tag == n.SOURCE_PORT:
        found.source_ports = ranges
    else:
        found.destination_ports = ranges
    return True
