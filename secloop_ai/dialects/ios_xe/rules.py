"""Packet rules written as access list entries."""

from __future__ import annotations

from secloop_ai.contracts import Family, IPNetwork, PacketRule, PortRange, RuleAction
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.xml import Element, add

from . import names as n
from .words import ANY_PROTOCOL, PORTS, PROTOCOLS

_ACTIONS = {RuleAction.PERMIT: "permit", RuleAction.DROP: "deny"}


def normal(rule: PacketRule) -> PacketRule:
    """The rule as an access list can say it: without a rate, and a network of every address is none."""
    gone = {side: None for side in ("source", "destination") if (net := getattr(rule, side)) and not net.prefixlen}
    if rule.rate_bytes_per_s is not None:
        gone["rate_bytes_per_s"] = None
    return rule.model_copy(update=gone) if gone else rule


def write_rule(entry: Element, rule: PacketRule, family: Family) -> None:
    """Give an entry its ``ace-rule``; the rate of a limit is not part of it.

    Raises:
        DialectError: an access list of the device has no form for the rule.
    """
    _check(rule, family)
    place = add(entry, n.RULE)
    _leaf(place, "action", _ACTIONS[rule.action])
    _leaf(place, "protocol", _protocol(rule.protocol, family))
    _address(place, rule.source, n.SOURCE[family])
    _ports(place, rule.source_port, rule.protocol, n.SOURCE[family].ports)
    _address(place, rule.destination, n.DESTINATION[family])
    _ports(place, rule.destination_port, rule.protocol, n.DESTINATION[family].ports)


def _check(rule: PacketRule, family: Family) -> None:
    if rule.action not in _ACTIONS:
        raise DialectError(f"rule {rule.name}: an access list of IOS-XE permits or denies, it has no {rule.action}")
    if rule.protocol == 0:
        raise DialectError(f"rule {rule.name}: IOS-XE takes protocol 0 for every protocol")
    network = rule.source or rule.destination
    if network is not None and network.version != family:
        raise DialectError(f"rule {rule.name}: an IPv{network.version} address in an entry for IPv{family}")


def _protocol(number: int | None, family: Family) -> str:
    return ANY_PROTOCOL[family] if number is None else PROTOCOLS[family].get(number, str(number))


def _address(place: Element, network: IPNetwork | None, names: n.SideNames) -> None:
    if network is None or network.prefixlen == 0:
        _leaf(place, names.anywhere)
    elif network.prefixlen == network.max_prefixlen:
        _leaf(place, names.host, str(network.network_address))
    elif names.prefix:
        _leaf(place, names.prefix, str(network))
    else:
        _leaf(place, names.network, str(network.network_address))
        _leaf(place, names.wildcard, str(network.hostmask))


def _ports(place: Element, ports: PortRange | None, protocol: int | None, side: str) -> None:
    words = PORTS.get(protocol or 0, {})
    if ports is None:
        return
    low, high = (words.get(port, str(port)) for port in (ports.low, ports.high))
    if ports.low == ports.high:
        _leaf(place, f"{side}-eq", low)
    else:
        _leaf(place, f"{side}-range1", low)
        _leaf(place, f"{side}-range2", high)


def _leaf(place: Element, name: str, text: str | None = None) -> None:
    add(place, f"{{{n.ACL}}}{name}", text)
