"""Namespaces, names and tables of the Cisco IOS-XE native models, as release 17.12 has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from secloop_ai.contracts import Direction, Family
from secloop_ai.dialects.capabilities import Need
from secloop_ai.dialects.tree import Node

IOS = "http://cisco.com/ns/yang/Cisco-IOS-XE-native"
ACL = "http://cisco.com/ns/yang/Cisco-IOS-XE-acl"
POLICY = "http://cisco.com/ns/yang/Cisco-IOS-XE-policy"

NATIVE, IP, IPV6, INTERFACE, NAME = (f"{{{IOS}}}{n}" for n in ("native", "ip", "ipv6", "interface", "name"))
ACCESS_LIST = f"{{{IOS}}}access-list"
EXTENDED, STANDARD, NAMED6 = (f"{{{ACL}}}{n}" for n in ("extended", "standard", "named-acl"))
ACL_NAME, ENTRY, NUMBER = (f"{{{ACL}}}{n}" for n in ("name", "access-list-seq-rule", "sequence"))
RULE, ACTION, PROTOCOL, REMARK = (f"{{{ACL}}}{n}" for n in ("ace-rule", "action", "protocol", "remark"))
PERMIT, DENY, STANDARD_RULE, EVALUATE = (f"{{{ACL}}}{n}" for n in ("permit", "deny", "std-ace", "evaluate"))
DECIDING = frozenset({RULE, PERMIT, DENY, EVALUATE})
"""What makes an entry of a list more than a remark."""
LOGGING = frozenset({"log", "log-input"})
"""What an entry may say beside its conditions and its action, without an effect on traffic."""
V4: Final = 4
V6: Final = 6
FAMILY_TAG: dict[Family, str] = {4: IP, 6: IPV6}
ACL_TAG: dict[Family, str] = {4: EXTENDED, 6: NAMED6}
LAST_NUMBER: dict[Family, int] = {4: 2**31 - 1, 6: 2**32 - 2}


@dataclass(frozen=True, slots=True)
class SideNames:
    """Local names of one side's conditions in an entry.

    Attributes:
        anywhere: every address.
        host: a single address; `host_too` is its older name.
        network, wildcard: an address and the bits of it that do not matter.
        prefix: IPv6 only.
        ports: begins the name of each port condition: ``src``, ``dst``.
    """

    anywhere: str
    host: str
    host_too: str
    network: str
    wildcard: str
    prefix: str
    ports: str


SOURCE: dict[Family, SideNames] = {
    4: SideNames("any", "host-address", "host", "ipv4-address", "mask", "", "src"),
    6: SideNames("any", "source-host", "", "source-address", "source-wildcard-bits", "source-prefix", "src"),
}
DESTINATION: dict[Family, SideNames] = {
    4: SideNames("dst-any", "dst-host-address", "dst-host", "dest-ipv4-address", "dest-mask", "", "dst"),
    6: SideNames(
        "destination-any",
        "destination-host",
        "",
        "destination-address",
        "destination-wildcard-bits",
        "destination-prefix",
        "dst",
    ),
}

ACCESS_GROUP, TRAFFIC_FILTER = f"{{{IOS}}}access-group", f"{{{IOS}}}traffic-filter"
PLAIN, COMMON = f"{{{IOS}}}acl", f"{{{IOS}}}common-acl"
GROUP_NAME, GROUP_COMMON = f"{{{IOS}}}acl-name", f"{{{IOS}}}common"
FILTER_DIRECTION, FILTER_NAME, FILTER_COMMON = (f"{{{IOS}}}{n}" for n in ("direction", "access-list", "common"))
WORD = {Direction.INGRESS: "in", Direction.EGRESS: "out"}
SIDE = {d: f"{{{IOS}}}{word}" for d, word in WORD.items()}
SHUTDOWN = f"{{{IOS}}}shutdown"

POLICIES, CLASS_MAP, POLICY_MAP = f"{{{IOS}}}policy", f"{{{POLICY}}}class-map", f"{{{POLICY}}}policy-map"
SERVICE_POLICY = f"{{{POLICY}}}service-policy"
SERVICE = {Direction.INGRESS: f"{{{POLICY}}}input", Direction.EGRESS: f"{{{POLICY}}}output"}
POLICY_NAME, PREMATCH, MATCH, MATCH_GROUP = (f"{{{POLICY}}}{n}" for n in ("name", "prematch", "match", "access-group"))
CLASS, ACTIONS, ACTION_TYPE = (f"{{{POLICY}}}{n}" for n in ("class", "action-list", "action-type"))
TARGET_BITRATE, POLICE, BIT_RATE, BURST, POLICE_ACTIONS = (
    f"{{{POLICY}}}{n}" for n in ("police-target-bitrate", "police", "bit-rate", "confirm_burst-byte", "actions")
)
CONFORM = tuple(f"{{{POLICY}}}{n}" for n in ("conform-transmit", "conform-action", "transmit"))
EXCEED = tuple(f"{{{POLICY}}}{n}" for n in ("exceed-drop", "exceed-action", "drop"))
LEAST_BITS_PER_S, MOST_BITS_PER_S = 8_000, 100_000_000_000

ROUTE = f"{{{IOS}}}route"
DISCARD = "Null0"


@dataclass(frozen=True, slots=True)
class RouteNames:
    """Names of one family's static routes: routes to a prefix, and each one's next hops."""

    family: str
    routes: str
    prefix: str
    mask: str
    hops: str
    hop: str
    text: str

    @property
    def path(self) -> str:
        """From ``<data>`` to the routes."""
        return f"{NATIVE}/{self.family}/{ROUTE}/{self.routes}"


def _routes(family: str, *names: str) -> RouteNames:
    return RouteNames(family, *(n and f"{{{IOS}}}{n}" for n in names))


ROUTES: dict[Family, RouteNames] = {
    4: _routes(IP, "ip-route-interface-forwarding-list", "prefix", "mask", "fwd-list", "fwd", "name"),
    6: _routes(IPV6, "ipv6-route-list", "prefix", "", "ipv6-fwd-list", "fwd", "name"),
}

POLICED = (
    "GigabitEthernet",
    "TenGigabitEthernet",
    "TwoGigabitEthernet",
    "FiveGigabitEthernet",
    "TwentyFiveGigE",
    "FortyGigabitEthernet",
    "HundredGigE",
    "FastEthernet",
    "Ethernet",
    "AppGigabitEthernet",
    "Port-channel",
    "Vlan",
    "BDI",
    "BD-VIF",
    "Tunnel",
    "Loopback",
    "Serial",
    "Dialer",
    "Cellular",
    "Multilink",
    "Virtual-Template",
    "VirtualPortGroup",
)
"""Types of interface that take access lists and a service policy."""
UNPOLICED = ("FiftyGigabitEthernet", "TwoHundredGigE", "FourHundredGigE")
"""Types of interface that take access lists only."""
TYPES = (*POLICED, *UNPOLICED)
NUMBERED = re.compile(rf"({'|'.join(sorted(TYPES, key=len, reverse=True))})(\d[\d/.:]*)")
"""An interface's name: its type, then its number."""
SUBINTERFACES = f"{{{IOS}}}Port-channel-subinterface"
"""Where subinterfaces of port channels stand; those of other types stand among the interfaces of their type."""
PORT_CHANNEL = "Port-channel"

_GROUP = Node(
    ACCESS_GROUP,
    children=tuple(
        Node(SIDE[d], children=(Node(PLAIN, children=(Node(GROUP_NAME), Node(SIDE[d]))), Node(COMMON, whole=True)))
        for d in Direction
    ),
)
_FILTERS = (Node(FILTER_DIRECTION), Node(FILTER_COMMON), Node(FILTER_NAME))
_INTERFACE = (
    Node(NAME),
    Node(SHUTDOWN),
    Node(IP, children=(_GROUP,), partial=True),
    Node(IPV6, children=(Node(TRAFFIC_FILTER, keys=(FILTER_DIRECTION,), children=_FILTERS),), partial=True),
    # told apart by their text, so that what is deleted is the policy map that was seen there, and no other
    Node(SERVICE_POLICY, children=tuple(Node(tag, values=True) for tag in SERVICE.values()), partial=True),
)


def _interfaces(name: str) -> Node:
    return Node(f"{{{IOS}}}{name}", keys=(NAME,), children=_INTERFACE, shared=True)


_INTERFACES = (*(_interfaces(t) for t in TYPES), Node(SUBINTERFACES, children=(_interfaces(PORT_CHANNEL),)))


def _acls(tag: str) -> Node:
    return Node(tag, keys=(ACL_NAME,), children=(Node(ENTRY, keys=(NUMBER,), whole=True),))


def _route_table(r: RouteNames) -> Node:
    keys = (r.prefix, r.mask) if r.mask else (r.prefix,)
    routes = Node(r.routes, keys=keys, children=(Node(r.hops, keys=(r.hop,), whole=True),))
    return Node(ROUTE, children=(routes,), partial=True)


TABLE = Node(
    NATIVE,
    children=(
        Node(
            IP,
            children=(
                Node(
                    ACCESS_LIST,
                    children=(Node(STANDARD, keys=(ACL_NAME,), whole=True), _acls(EXTENDED)),
                    partial=True,
                ),
                _route_table(ROUTES[4]),
            ),
            partial=True,
        ),
        Node(
            IPV6,
            children=(Node(ACCESS_LIST, children=(_acls(NAMED6),), partial=True), _route_table(ROUTES[6])),
            partial=True,
        ),
        Node(
            POLICIES,
            # in the order in which they go: a policy map names its classes
            children=tuple(Node(tag, keys=(POLICY_NAME,), whole=True) for tag in (POLICY_MAP, CLASS_MAP)),
            partial=True,
            points=True,
        ),
        Node(INTERFACE, children=_INTERFACES, partial=True, points=True),
    ),
    partial=True,
)


def _read_interface(name: str) -> str:
    policed = f'<service-policy xmlns="{POLICY}"><input/><output/></service-policy>' if name in POLICED else ""
    parts = f"<name/><shutdown/><ip><access-group/></ip><ipv6><traffic-filter/></ipv6>{policed}"
    return f"<{name}>{parts}</{name}>"


READ_FILTER = (
    f'<native xmlns="{IOS}">'
    f'<ip><access-list><standard xmlns="{ACL}"/><extended xmlns="{ACL}"/></access-list>'
    "<route><ip-route-interface-forwarding-list/></route></ip>"
    f'<ipv6><access-list><named-acl xmlns="{ACL}"/></access-list><route><ipv6-route-list/></route></ipv6>'
    f'<policy><class-map xmlns="{POLICY}"/><policy-map xmlns="{POLICY}"/></policy>'
    f"<interface>{''.join(_read_interface(t) for t in TYPES)}"
    f"<Port-channel-subinterface>{_read_interface(PORT_CHANNEL)}</Port-channel-subinterface></interface>"
    "</native>"
)

_NATIVE = Need(IOS, "the native model of IOS-XE")
_FILTER = (_NATIVE, Need(ACL, "its access lists"))
NEEDS = {
    "block_ip": _FILTER,
    "block_flow": _FILTER,
    "rate_limit": (*_FILTER, Need(POLICY, "its policy maps")),
    "isolate_host": _FILTER,
    "restrict_service": _FILTER,
    "blackhole_route": (_NATIVE,),
    "shutdown_port": (_NATIVE,),
}
