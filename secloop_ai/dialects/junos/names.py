"""Names of the Junos configuration in whichever namespace a device answers in, and the tables of what is read of it.

A Junos answers with one namespace for all of ``<configuration>`` (Junos's own, NETCONF's, a release's, none), or, told
to be YANG compliant, with that of the module each hierarchy lives in. What is written goes out as it came in.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeVar

from secloop_ai.contracts import Direction, Family, RuleAction
from secloop_ai.dialects.capabilities import Need
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, local

XNM = "http://xml.juniper.net/xnm/1.1/xnm"
YANG = "http://yang.juniper.net/junos/conf/"
NETCONF = "http://xml.juniper.net/netconf/junos/1.0"
ATTRIBUTES = "{http://xml.juniper.net/junos/"
"""Attributes of a release's namespace say who changed what when: they are no configuration."""

FAMILY: dict[Family, str] = {4: "inet", 6: "inet6"}
PROTOCOL: dict[Family, str] = {4: "protocol", 6: "next-header"}
DECISIONS = {RuleAction.PERMIT: "accept", RuleAction.DROP: "discard", RuleAction.REJECT: "reject"}
RIB = "inet6.0"
"""The table that takes IPv6 static routes; those of IPv4 stand in no named one."""
OURS = "secloop"
"""Name of the macro in a routing table that was made for our routes and goes with the last of them."""
WAS_SINGLE = "secloop-was-single"
"""Name of the macro in a filter of ours that turned a single filter into a list: without it the single comes back."""


@dataclass(frozen=True, slots=True)
class FirewallNames:
    """Names below ``firewall``."""

    firewall: str
    family: str
    inet: str
    inet6: str
    filter: str
    name: str
    apply_macro: str
    term: str
    from_: str
    then: str
    source_address: str
    destination_address: str
    protocol: str
    next_header: str
    source_port: str
    destination_port: str
    policer: str
    count: str
    accept: str
    discard: str
    reject: str
    if_exceeding: str
    bandwidth_limit: str
    burst_size_limit: str


@dataclass(frozen=True, slots=True)
class InterfaceNames:
    """Names below ``interfaces``."""

    interfaces: str
    interface: str
    interface_range: str
    name: str
    unit: str
    disable: str
    family: str
    inet: str
    inet6: str
    filter: str
    filter_name: str
    input: str
    input_list: str
    output: str
    output_list: str
    input_chain: str
    output_chain: str


@dataclass(frozen=True, slots=True)
class RoutingNames:
    """Names below ``routing-options``."""

    routing_options: str
    static: str
    rib: str
    name: str
    apply_macro: str
    route: str
    discard: str
    description: str


@dataclass(frozen=True, slots=True)
class Side:
    """How filters hang on one direction: one alone, a list, or a chain (which we leave alone)."""

    single: str
    many: str
    chain: str


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """All names in one namespace, or one set of them; there is one of these for each.

    Attributes:
        sides: attachment, by direction.
        filters: path of a family's filters from the root.
        ends: what names an attached filter, apart from a single's container → direction.
    """

    configuration: str
    fw: FirewallNames
    ifs: InterfaceNames
    rt: RoutingNames
    sides: dict[Direction, Side]
    filters: dict[Family, str]
    ends: dict[str, Direction]


def fw_family(names: FirewallNames | InterfaceNames) -> dict[Family, str]:
    """The two families' containers."""
    return {4: names.inet, 6: names.inet6}


def names_for(root: Element) -> Names:
    """The names this ``<data>`` uses; Junos's own namespace where it holds no configuration."""
    top = next((str(child.tag) for child in root if local(child) == "configuration"), f"{{{XNM}}}")
    return names_in(top[1:].partition("}")[0] if top.startswith("{") else "")


@cache
def names_in(uri: str) -> Names:
    """The names where ``<configuration>`` has this namespace; empty for none."""

    def part(module: str) -> str:
        return f"{YANG}{module}" if uri.startswith(YANG) else uri

    top, fw = _clark(uri, "configuration"), _named(FirewallNames, part("firewall"))
    ifs = _named(InterfaceNames, part("interfaces"))
    sides = {
        Direction.INGRESS: Side(ifs.input, ifs.input_list, ifs.input_chain),
        Direction.EGRESS: Side(ifs.output, ifs.output_list, ifs.output_chain),
    }
    return Names(
        top,
        fw,
        ifs,
        _named(RoutingNames, part("routing-options")),
        sides=sides,
        ends={tag: d for d, side in sides.items() for tag in (side.single, side.many, side.chain)},
        filters={f: f"{top}/{fw.firewall}/{fw.family}/{tag}" for f, tag in fw_family(fw).items()},
    )


_N = TypeVar("_N")


def _named(kind: type[_N], uri: str) -> _N:
    spelled: Any = kind
    words = {f.name: _clark(uri, f.name.rstrip("_").replace("_", "-")) for f in fields(spelled)}
    return kind(**words)


def _clark(uri: str, name: str) -> str:
    return f"{{{uri}}}{name}" if uri else name


def _placed(entry: Element, previous: Element | None) -> None:
    """Junos's own way to say the order: an attribute, and the neighbour's identifier."""
    if previous is None:
        entry.set("insert", "first")
        return
    named = next((child.text for child in previous if local(child) == "name"), previous.text)
    entry.set("insert", "after")
    entry.set("name", (named or "").strip())


@cache
def table(n: Names) -> Node:
    """What is read and written of the configuration."""
    return Node(n.configuration, children=(_interfaces(n), _routing(n.rt), _firewall(n.fw)), partial=True)


def _firewall(fw: FirewallNames) -> Node:
    macro = Node(fw.apply_macro, keys=(fw.name,), whole=True, merged=True)
    term = Node(fw.term, keys=(fw.name,), whole=True, merged=True, in_order=True, placing=_placed)
    filters = Node(fw.filter, keys=(fw.name,), children=(macro, term))
    families = Node(fw.family, children=tuple(Node(tag, children=(filters,)) for tag in fw_family(fw).values()))
    policer = Node(fw.policer, keys=(fw.name,), whole=True, merged=True)
    return Node(fw.firewall, children=(families, policer, filters))


def _interfaces(n: Names) -> Node:
    i = n.ifs
    attached = []
    for side in n.sides.values():
        attached.append(Node(side.single, children=(Node(i.filter_name),), whole=True, merged=True, gives_way=True))
        attached.append(Node(side.many, values=True, in_order=True, placing=_placed, gives_way=True))
    filters = Node(i.filter, children=tuple(attached))
    inets = tuple(Node(tag, children=(filters,), presence=True) for tag in fw_family(i).values())
    family = Node(i.family, children=inets, presence=True)
    unit = Node(i.unit, keys=(i.name,), children=(Node(i.disable), family), shared=True)
    interface = Node(i.interface, keys=(i.name,), children=(Node(i.disable), unit), shared=True)
    return Node(i.interfaces, children=(interface,), partial=True, points=True)


def _routing(rt: RoutingNames) -> Node:
    route = Node(rt.route, keys=(rt.name,), whole=True, merged=True)
    static = Node(rt.static, children=(route,))
    macro = Node(rt.apply_macro, keys=(rt.name,), whole=True, merged=True)
    rib = Node(rt.rib, keys=(rt.name,), children=(macro, static), shared=True)
    return Node(rt.routing_options, children=(rib, static))


READ_FILTER = (
    # no namespace matches every one (RFC 6241 section 6.2.1), and a Junos that knows of none takes it too
    '<configuration xmlns=""><firewall/><interfaces/><routing-options/></configuration>'
)

_JUNOS = (Need(NETCONF, "Junos's own configuration", instead=(f"{YANG}root", XNM)),)
NEEDS = dict.fromkeys(
    ("block_ip", "block_flow", "rate_limit", "isolate_host", "restrict_service", "blackhole_route", "shutdown_port"),
    _JUNOS,
)
