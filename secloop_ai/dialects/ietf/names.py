"""Namespaces, names and tables of the IETF models: RFC 8519, RFC 8343, RFC 8349 and our rate limit.

ietf-routing has the same shape for what is used here in its revisions 2016-11-04 (RFC 8022) and 2018-03-13.
"""

from __future__ import annotations

from dataclasses import dataclass

from secloop_ai.contracts import Direction, Family, RuleAction
from secloop_ai.dialects.capabilities import Need
from secloop_ai.dialects.tree import Node

ACL = "urn:ietf:params:xml:ns:yang:ietf-access-control-list"
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
ROUTING = "urn:ietf:params:xml:ns:yang:ietf-routing"
V4 = "urn:ietf:params:xml:ns:yang:ietf-ipv4-unicast-routing"
V6 = "urn:ietf:params:xml:ns:yang:ietf-ipv6-unicast-routing"
RATE = "urn:secloop:yang:acl-rate-limit"

ACLS, ACL_ENTRY, ACL_NAME, ACL_TYPE = (f"{{{ACL}}}{n}" for n in ("acls", "acl", "name", "type"))
ACES, ACE, MATCHES, ACTIONS = (f"{{{ACL}}}{n}" for n in ("aces", "ace", "matches", "actions"))
FORWARDING, LOGGING, STATISTICS = (f"{{{ACL}}}{n}" for n in ("forwarding", "logging", "statistics"))
POINTS, POINT, POINT_ID = (f"{{{ACL}}}{n}" for n in ("attachment-points", "interface", "interface-id"))
ACL_SETS, ACL_SET = f"{{{ACL}}}acl-sets", f"{{{ACL}}}acl-set"
SIDES = {Direction.INGRESS: f"{{{ACL}}}ingress", Direction.EGRESS: f"{{{ACL}}}egress"}
L3: dict[Family, str] = {4: f"{{{ACL}}}ipv4", 6: f"{{{ACL}}}ipv6"}
PROTOCOL = f"{{{ACL}}}protocol"
SOURCE = {f: f"{{{ACL}}}source-ipv{f}-network" for f in L3}
DESTINATION = {f: f"{{{ACL}}}destination-ipv{f}-network" for f in L3}
L4 = {6: f"{{{ACL}}}tcp", 17: f"{{{ACL}}}udp"}
SOURCE_PORT, DESTINATION_PORT = f"{{{ACL}}}source-port", f"{{{ACL}}}destination-port"
OPERATOR, PORT = f"{{{ACL}}}operator", f"{{{ACL}}}port"
LOWER, UPPER = f"{{{ACL}}}lower-port", f"{{{ACL}}}upper-port"
RATE_LIMIT = f"{{{RATE}}}rate-limit"

FORWARDS = {"accept": RuleAction.PERMIT, "drop": RuleAction.DROP, "reject": RuleAction.REJECT}


@dataclass(frozen=True, slots=True)
class AclType:
    """What an ACL type looks at.

    Attributes:
        family: of the model; None: its entries may look at both.
        takes: families whose header fields its entries may match (RFC 8519's ``when`` conditions).
        sees: families whose packets an entry without conditions decides about.
    """

    family: Family | None
    takes: tuple[Family, ...]
    sees: tuple[Family, ...]


ACL_TYPES = {
    "ipv4-acl-type": AclType(4, (4,), (4,)),
    "ipv6-acl-type": AclType(6, (6,), (6,)),
    "mixed-eth-ipv4-acl-type": AclType(None, (4,), (4, 6)),
    "mixed-eth-ipv6-acl-type": AclType(None, (6,), (4, 6)),
    "mixed-eth-ipv4-ipv6-acl-type": AclType(None, (4, 6), (4, 6)),
}
OTHER_TYPE = AclType(None, (), (4, 6))
"""Ethernet ACLs, ACLs without a type and types we do not know: they may decide about any packet."""
TYPE_OF: dict[Family | None, str] = {
    4: "ipv4-acl-type",
    6: "ipv6-acl-type",
    None: "mixed-eth-ipv4-ipv6-acl-type",
}

INTERFACES, INTERFACE, IF_NAME, IF_ENABLED = (f"{{{IF}}}{n}" for n in ("interfaces", "interface", "name", "enabled"))
IF_BEFORE_ENABLED = frozenset({IF_NAME, f"{{{IF}}}description", f"{{{IF}}}type"})

ROUTES, PROTOCOLS, INSTANCE = (
    f"{{{ROUTING}}}{n}" for n in ("routing", "control-plane-protocols", "control-plane-protocol")
)
INSTANCE_TYPE, INSTANCE_NAME, INSTANCE_TEXT, STATIC = (
    f"{{{ROUTING}}}{n}" for n in ("type", "name", "description", "static-routes")
)
OWN_INSTANCE = "secloop"
OWN_INSTANCE_TEXT = "SecLoop's static discard routes; goes with the last of them"
DISCARDS = ("blackhole", "unreachable", "prohibit")


@dataclass(frozen=True, slots=True)
class RouteNames:
    """The same names in the module of one address family."""

    container: str
    route: str
    prefix: str
    text: str
    next_hop: str
    special: str


def _route_names(family: Family, uri: str) -> RouteNames:
    names = ("route", "destination-prefix", "description", "next-hop", "special-next-hop")
    return RouteNames(f"{{{uri}}}ipv{family}", *(f"{{{uri}}}{n}" for n in names))


ROUTE: dict[Family, RouteNames] = {4: _route_names(4, V4), 6: _route_names(6, V6)}

_SETS = Node(ACL_SETS, children=(Node(ACL_SET, keys=(ACL_NAME,), in_order=True),))
_POINT = Node(
    POINT, keys=(POINT_ID,), children=tuple(Node(side, children=(_SETS,)) for side in SIDES.values()), shared=True
)
_ACES = Node(ACES, children=(Node(ACE, keys=(ACL_NAME,), in_order=True),))
FILTER_TABLE = Node(
    ACLS,
    children=(
        Node(ACL_ENTRY, keys=(ACL_NAME,), children=(_ACES,), whole=True),
        Node(POINTS, children=(_POINT,)),
    ),
)
LINK_TABLE = Node(INTERFACES, children=(Node(INTERFACE, keys=(IF_NAME,), children=(Node(IF_ENABLED),)),), partial=True)
_STATIC = Node(
    STATIC,
    children=tuple(Node(r.container, children=(Node(r.route, keys=(r.prefix,), whole=True),)) for r in ROUTE.values()),
)
_INSTANCE = Node(INSTANCE, keys=(INSTANCE_TYPE, INSTANCE_NAME), children=(Node(INSTANCE_TEXT), _STATIC))
ROUTE_TABLE = Node(ROUTES, children=(Node(PROTOCOLS, children=(_INSTANCE,)),))

READ_FILTER = (
    f'<acls xmlns="{ACL}"/>'
    f'<interfaces xmlns="{IF}"><interface><name/><enabled/></interface></interfaces>'
    # the whole of it: only then is it known whether it may go with our last route
    f'<routing xmlns="{ROUTING}"/>'
)

_FILTER = (
    Need(IF, "RFC 8343 interfaces"),
    Need(ACL, "RFC 8519 access control lists", ("interface-attachment", "ipv4")),
)
NEEDS = {
    "block_ip": _FILTER,
    "block_flow": _FILTER,
    "rate_limit": (*_FILTER, Need(RATE, "rate limit of an ACL entry; RFC 8519 has none")),
    "isolate_host": _FILTER,
    "restrict_service": _FILTER,
    "blackhole_route": (Need(ROUTING, "RFC 8349 routing"), Need(V4, "RFC 8349 IPv4 static routes")),
    "shutdown_port": (Need(IF, "RFC 8343 interfaces"),),
}
