"""Namespaces, names and tables of Nokia SR Linux's own models, as of release 25.3."""

from __future__ import annotations

from secloop_ai.contracts import Direction, Family, RuleAction
from secloop_ai.dialects.capabilities import Need
from secloop_ai.dialects.tree import Node

ACL = "urn:nokia.com:srlinux:acl:acl"
IF = "urn:nokia.com:srlinux:chassis:interfaces"
NI = "urn:nokia.com:srlinux:net-inst:network-instance"
NHG = "urn:nokia.com:srlinux:static-route:next-hop-groups"
STATIC = "urn:nokia.com:srlinux:static-route:static-routes"
NAME_LENGTH = 255

ACLS, FILTER, NAME, TYPE = (f"{{{ACL}}}{n}" for n in ("acl", "acl-filter", "name", "type"))
ENTRY, SEQUENCE, DESCRIPTION = (f"{{{ACL}}}{n}" for n in ("entry", "sequence-id", "description"))
MATCH, ACTION, LOG = (f"{{{ACL}}}{n}" for n in ("match", "action", "log"))
ACCEPT, DROP = f"{{{ACL}}}accept", f"{{{ACL}}}drop"
TYPE_OF: dict[Family, str] = {4: "ipv4", 6: "ipv6"}
FAMILY_OF = {text: family for family, text in TYPE_OF.items()}
L3: dict[Family, str] = {4: f"{{{ACL}}}ipv4", 6: f"{{{ACL}}}ipv6"}
PROTOCOL: dict[Family, str] = {4: f"{{{ACL}}}protocol", 6: f"{{{ACL}}}next-header"}
SOURCE, DESTINATION, PREFIX = (f"{{{ACL}}}{n}" for n in ("source-ip", "destination-ip", "prefix"))
TRANSPORT, SOURCE_PORT, DESTINATION_PORT = (f"{{{ACL}}}{n}" for n in ("transport", "source-port", "destination-port"))
OPERATOR, VALUE, RANGE, START, END = (f"{{{ACL}}}{n}" for n in ("operator", "value", "range", "start", "end"))
RATE_LIMIT, POLICER = f"{{{ACL}}}rate-limit", f"{{{ACL}}}policer"
POLICERS, PEAK_KBPS, BURST = f"{{{ACL}}}policers", f"{{{ACL}}}peak-rate-kbps", f"{{{ACL}}}maximum-burst-size"
POINT, POINT_ID, REFERENCE = (f"{{{ACL}}}{n}" for n in ("interface", "interface-id", "interface-ref"))
REFERENCE_PORT, REFERENCE_INDEX = f"{{{ACL}}}interface", f"{{{ACL}}}subinterface"
SIDES = {Direction.INGRESS: f"{{{ACL}}}input", Direction.EGRESS: f"{{{ACL}}}output"}
ACTIONS = {RuleAction.PERMIT: ACCEPT, RuleAction.DROP: DROP}
LAST_SEQUENCE = 65535
BYTES_PER_KBPS = 125
LEAST_BURST = 9216
"""Bytes; one jumbo frame, so that a small rate still lets every packet pass when it has been quiet."""

PROTOCOL_NAMES = {
    "ipv6-hop": 0,
    "icmp": 1,
    "igmp": 2,
    "ggp": 3,
    "ipv4": 4,
    "st": 5,
    "tcp": 6,
    "egp": 8,
    "igp": 9,
    "udp": 17,
    "ipv6": 41,
    "idrp": 45,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmp6": 58,
    "no-next-hdr": 59,
    "ipv6-dest-opts": 60,
    "eigrp": 88,
    "ospf": 89,
    "pim": 103,
    "vrrp": 112,
    "l2tp": 115,
    "sctp": 132,
    "mpls-in-ip": 137,
    "rohc": 142,
}
"""What the device may show instead of a number."""

INTERFACE, IF_NAME, IF_ADMIN = (f"{{{IF}}}{n}" for n in ("interface", "name", "admin-state"))
SUBINTERFACE, IF_INDEX = f"{{{IF}}}subinterface", f"{{{IF}}}index"
DOWN = "disable"

DEFAULT = "default"
INSTANCE, NI_NAME = f"{{{NI}}}network-instance", f"{{{NI}}}name"
GROUPS, GROUP, GROUP_NAME, GROUP_ADMIN, BLACKHOLE = (
    f"{{{NHG}}}{n}" for n in ("next-hop-groups", "group", "name", "admin-state", "blackhole")
)
STATIC_ROUTES, ROUTE, ROUTE_PREFIX, ROUTE_ADMIN, ROUTE_GROUP = (
    f"{{{STATIC}}}{n}" for n in ("static-routes", "route", "prefix", "admin-state", "next-hop-group")
)

_ATTACHED = Node(FILTER, keys=(NAME, TYPE), in_order=True)
FILTER_TABLE = Node(
    ACLS,
    children=(
        Node(
            FILTER,
            keys=(NAME, TYPE),
            children=(Node(ENTRY, keys=(SEQUENCE,), whole=True),),
        ),
        Node(
            POINT,
            keys=(POINT_ID,),
            children=(
                Node(REFERENCE, children=(Node(REFERENCE_PORT), Node(REFERENCE_INDEX)), lasting=True),
                *(Node(side, children=(_ATTACHED,)) for side in SIDES.values()),
            ),
            shared=True,
        ),
        Node(POLICERS, children=(Node(POLICER, keys=(NAME,), whole=True),)),
    ),
)
LINK_TABLE = Node(
    INTERFACE,
    keys=(IF_NAME,),
    children=(
        Node(IF_ADMIN),
        Node(SUBINTERFACE, keys=(IF_INDEX,), children=(Node(IF_ADMIN),), shared=True),
    ),
    shared=True,
)
# The containers are presence containers; an empty one configures nothing, and goes like any other.
ROUTE_TABLE = Node(
    INSTANCE,
    keys=(NI_NAME,),
    children=(
        Node(GROUPS, children=(Node(GROUP, keys=(GROUP_NAME,), whole=True),)),
        Node(STATIC_ROUTES, children=(Node(ROUTE, keys=(ROUTE_PREFIX,), whole=True),)),
    ),
    shared=True,
)

READ_FILTER = (
    f'<acl xmlns="{ACL}"/>'
    f'<interface xmlns="{IF}"><name/><admin-state/><subinterface><index/><admin-state/></subinterface></interface>'
    f'<network-instance xmlns="{NI}"><name/><next-hop-groups xmlns="{NHG}"/><static-routes xmlns="{STATIC}"/>'
    "</network-instance>"
)

_FILTER = (Need(IF, "srl_nokia-interfaces"), Need(ACL, "srl_nokia-acl"))
NEEDS = {
    "block_ip": _FILTER,
    "block_flow": _FILTER,
    "rate_limit": _FILTER,
    "isolate_host": _FILTER,
    "restrict_service": _FILTER,
    "blackhole_route": (
        Need(NI, "srl_nokia-network-instance"),
        Need(NHG, "srl_nokia-next-hop-groups"),
        Need(STATIC, "srl_nokia-static-routes"),
    ),
    "shutdown_port": (Need(IF, "srl_nokia-interfaces"),),
}
