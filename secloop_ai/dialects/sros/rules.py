"""Packet rules written as entries of a filter, and entries read as packet rules."""

from __future__ import annotations

from ipaddress import ip_network

from secloop_ai.contracts import Family, PacketRule, PortRange, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.numbered import Found
from secloop_ai.dialects.numbered.found import port_ranges
from secloop_ai.dialects.xml import Element, add, leaf, local

from . import names as n


def write_match(entry: Element, rule: PacketRule, family: Family) -> None:
    """Append the conditions of a rule.

    Raises:
        DialectError: an address of the other family.
    """
    network = rule.source or rule.destination
    if network is not None and network.version != family:
        raise DialectError(f"rule {rule.name}: an IPv{network.version} address in a filter for IPv{family}")
    match = add(entry, n.MATCH)
    if rule.protocol is not None:
        add(match, n.PROTOCOL[family], str(rule.protocol))
    for tag, address in ((n.DESTINATION, rule.destination), (n.SOURCE, rule.source)):
        if address:
            add(add(match, tag), n.ADDRESS, str(address))
    for tag, ports in ((n.DESTINATION_PORT, rule.destination_port), (n.SOURCE_PORT, rule.source_port)):
        if ports:
            _write_ports(add(match, tag), ports)
    if len(match) == 0:
        entry.remove(match)


def write_action(entry: Element, rule: PacketRule) -> None:
    """Append what happens to a packet that matches.

    Raises:
        DialectError: a reject, or a rate that is no whole number of kbit/s.
    """
    if rule.action is RuleAction.REJECT:
        raise DialectError(f"rule {rule.name}: SR OS has no action that rejects; let the rule drop")
    action = add(entry, n.ACTION)
    add(action, n.ACCEPT if rule.action is RuleAction.PERMIT else n.DROP)
    if rule.rate_bytes_per_s is not None:
        rate = rule.rate_bytes_per_s / n.BYTES_PER_KBPS
        if rate < 1 or rate != int(rate):
            raise DialectError(
                f"rule {rule.name}: a rate limit is whole kbit/s, a multiple of {n.BYTES_PER_KBPS} bytes per second: "
                f"{rule.rate_bytes_per_s:g} is none"
            )
        add(add(action, n.RATE_LIMIT), n.PIR, str(int(rate)))


def read_entry(entry: Element, family: Family, found: Found) -> None:
    """What an entry looks at and does; one without an action is not active."""
    for part in entry.iterfind(f"{n.MATCH}/*"):
        try:
            understood = _read(part, family, found)
        except ValueError:
            understood = False
        if not understood:
            found.unread.append(local(part))
    action = entry.find(n.ACTION)
    found.never = found.never or action is None
    for part in action if action is not None else ():
        if part.tag == n.ACCEPT:
            found.action = RuleAction.PERMIT
        elif part.tag == n.RATE_LIMIT and [e.tag for e in part] == [n.PIR] and (leaf(part, n.PIR) or "").isdecimal():
            found.rate_bytes_per_s = float(int(leaf(part, n.PIR) or 0) * n.BYTES_PER_KBPS) or None
        elif part.tag != n.DROP:
            found.notes.append(f"action {local(part)} is not looked at")


def _write_ports(parent: Element, ports: PortRange) -> None:
    if ports.low == ports.high:
        add(parent, n.EQ, str(ports.low))
    else:
        between = add(parent, n.RANGE)
        add(between, n.START, str(ports.low))
        add(between, n.END, str(ports.high))


def _read(part: Element, family: Family, found: Found) -> bool:
    """One condition; whether it was understood.

    Raises:
        ValueError: it was not.
    """
    text = (part.text or "").strip()
    if part.tag == n.PROTOCOL[family]:
        found.protocol = n.PROTOCOLS[text] if text in n.PROTOCOLS else int(text)
    elif part.tag in (n.SOURCE, n.DESTINATION):
        address, mask = leaf(part, n.ADDRESS), leaf(part, n.MASK)
        networks = (ip_network(f"{address}/{mask}" if mask else address or "", strict=False),)
        if part.tag == n.SOURCE:
            found.sources = networks
        else:
            found.destinations = networks
    elif part.tag in (n.SOURCE_PORT, n.DESTINATION_PORT):
        ranges = _read_ports(part)
        found.never = found.never or not ranges
        if part.tag == n.SOURCE_PORT:
            found.source_ports = ranges
        else:
            found.destination_ports = ranges
    else:
        return False
    return True


def _read_ports(part: Element) -> tuple[PortRange, ...]:
    for tag, operator in ((n.EQ, "eq"), (n.LT, "lt"), (n.GT, "gt")):
        if (value := leaf(part, tag)) is not None:
            return port_ranges(operator, int(value))
    low, high = (int(leaf(part, f"{n.RANGE}/{tag}") or "") for tag in (n.START, n.END))
    return port_ranges("range", low, high)
